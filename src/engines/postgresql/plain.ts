import { AppError } from '../../shared/errors.ts'
import type { DumpContents, DumpReader } from '../engine.ts'
import { ScriptRows } from './script-rows.ts'

const KEPT = 1024

/**
 * Recognises a complete script by its first lines, `-- PostgreSQL database dump`, and by its very last ones: the
 * closing comment, and the `\unrestrict` that belongs to the `\restrict` of the beginning. Of `cluster` for globals.
 * Counts the rows of a database on the way.
 */
export class ScriptReader implements DumpReader {
  readonly #title: string
  readonly #rows: ScriptRows | undefined
  #head = ''
  #tail: Uint8Array = new Uint8Array(0)

  constructor(kind: 'database' | 'database cluster') {
    this.#title = `PostgreSQL ${kind} dump`
    this.#rows = kind === 'database' ? new ScriptRows() : undefined
  }

  update(bytes: Uint8Array): void {
    this.#rows?.update(bytes)
    if (this.#head.length < KEPT) this.#head += Buffer.from(bytes.subarray(0, KEPT)).toString('latin1')
    this.#tail =
      bytes.length >= KEPT
        ? Buffer.from(bytes.subarray(-KEPT))
        : Buffer.concat([this.#tail.subarray(Math.min(0, bytes.length - KEPT)), bytes])
  }

  finish(): DumpContents {
    const tail = Buffer.from(this.#tail).toString('latin1')
    const closing = `\n--\n-- ${this.#title} complete\n--\n\n`
    const key = restrictKey(this.#head)
    const unrestrict = key === undefined ? '' : `\\unrestrict ${key}\n\n`
    const ends = this.#title.includes('cluster')
      ? tail.endsWith(closing) && tail.includes(unrestrict)
      : tail.endsWith(closing + unrestrict)
    if (!this.#head.startsWith(`--\n-- ${this.#title}\n--\n\n`) || !ends) {
      throw new AppError('dump_incomplete', 'The dump is not complete: its closing comment is missing.')
    }
    const rows = this.#rows?.finish()
    const warnings = this.#rows?.warnings ?? []
    return { ...(rows && { rows }), ...(rows && warnings.length > 0 && { warnings }) }
  }
}

/** The key of the `\restrict` among the first lines of a script, if there is one. */
export function restrictKey(head: string): string | undefined {
  return /^(?:--[^\n]*\n|\n)*\\restrict (\w+)\n/.exec(head)?.[1]
}
