import { join } from 'node:path'
import { mkdir, rm } from 'node:fs/promises'
import type { NeedName } from '../servers/needs.ts'
import type { Comparison } from './comparison.ts'
import { temporary } from './measure.ts'

/** Something that can be measured, before anything that it needs has been started. */
export interface Candidate {
  name: string
  needs: NeedName[]
  /** Programs on PATH without which it is skipped. */
  programs?: string[]
  prepare(bench: Bench): Promise<Comparison>
}

/** One run of the whole: how large, and what is shared by several comparisons. */
export interface Bench extends AsyncDisposable {
  /** 1 is about 1 GB of raw dump. */
  readonly scale: number
  /** A new, empty folder on the real disk. */
  folder(name: string): Promise<string>
  /** Makes what the key names once, and keeps it to the end. */
  share<T>(key: string, make: () => Promise<T>): Promise<T>
  /** Is disposed of at the end, the latest first. */
  keep<T extends AsyncDisposable>(resource: T): T
}

export async function openBench(scale: number): Promise<Bench> {
  await using stack = new AsyncDisposableStack()
  const root = stack.use(await temporary('holdfast-bench-'))
  const shared = new Map<string, Promise<unknown>>()
  const cleanUp = stack.move()
  return {
    scale,
    async folder(name) {
      const path = join(root.path, name)
      await rm(path, { recursive: true, force: true })
      await mkdir(path)
      return path
    },
    share<T>(key: string, make: () => Promise<T>) {
      const made = (shared.get(key) as Promise<T> | undefined) ?? make()
      shared.set(key, made)
      return made
    },
    keep: (resource) => cleanUp.use(resource),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/** Removes everything in the folders, and leaves them. */
export function emptying(...folders: string[]): () => Promise<void> {
  return async () => {
    for (const folder of folders) {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder)
    }
  }
}
