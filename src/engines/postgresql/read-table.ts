import { run } from '../../lib/process.ts'
import { AppError } from '../../shared/errors.ts'
import type { TableRequest } from '../engine.ts'
import { pgRestore, pickRestoreTool } from './tools.ts'

/** More than this is no small table. */
const LIMIT = 1_048_576

const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** The rows of a table in an archive, which pg_restore writes as the text of COPY without asking any server. */
export async function readTable(
  { path, format, table, schema, tools }: TableRequest,
  signal: AbortSignal,
): Promise<Record<string, string | null>[] | undefined> {
  if (format !== 'custom')
    throw new AppError('unsupported', `A dump of the format “${format}” cannot be looked into.`)
  const tool = pickRestoreTool(tools, pgRestore, undefined, '999')
  const within = schema === undefined ? [] : [`--schema=${schema}`]
  const args = ['--data-only', ...within, `--table=${table}`, '--file=-', path]
  const script = await run({ file: tool.path, args }, signal, { limit: LIMIT })
  const copy = /^COPY [^\n]*?\(([^\n]*)\) FROM stdin;\n(.*?)^\\\.$/ms.exec(script)
  if (!copy) return undefined
  const [, names = '', text = ''] = copy
  const columns = names.split(', ').map((name) => name.replaceAll('"', ''))
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const values = line.split('\t').map(valueOf)
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null]))
  })
}

function valueOf(written: string): string | null {
  if (written === '\\N') return null
  return written.replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character)
}
