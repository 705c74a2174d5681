import { AppError } from '../../shared/errors.ts'
import { DumpScanner, type Piece } from './scanner.ts'

/** What of a dump is wanted. */
export interface Choice {
  content: 'all' | 'schema' | 'data'
  /** Tables and views by name; all of them, and everything else, if empty. */
  tables: string[]
}

/**
 * The statements of a dump that were chosen, in their order. With tables, routines and events are left out. Throws
 * `nothing_matched` at the end if the dump does not have one of the tables, and `unsupported` if it would touch another
 * database than the one it is restored into.
 */
export async function* chosenStatements(
  bytes: AsyncIterable<Uint8Array>,
  { content, tables }: Choice,
): AsyncGenerator<Uint8Array, void> {
  const wanted = new Set(tables)
  const seen = new Set<string>()
  let kept: Uint8Array[] = []
  const scanner = new DumpScanner({
    onPiece(piece, what) {
      seen.add(what.section.name)
      if (isWanted(what, content, wanted)) kept.push(piece)
    },
    onStatement: stayInDatabase,
  })
  for await (const chunk of bytes) {
    scanner.feed(chunk)
    yield* kept
    kept = []
  }
  scanner.end()
  yield* kept
  const missing = tables.filter((name) => !seen.has(name))
  if (missing.length > 0) {
    throw new AppError('nothing_matched', `The snapshot has no table “${missing.join('”, “')}”.`, {
      hint: `It has: ${[...seen].filter((name) => name !== '').join(', ')}.`,
    })
  }
}

/** Names of tables, with `*` for anything. */
export interface LeftOut {
  /** Tables and views that are to be left out with all that belongs to them. */
  tables: string[]
  /** Tables that are to be left out only with their rows. */
  rows: string[]
}

/** The dump without what is to be left out, as if the tool had never written it. */
export async function* withoutTables(
  bytes: AsyncIterable<Uint8Array>,
  leftOut: LeftOut,
): AsyncGenerator<Uint8Array, void> {
  const isLeftOut = patternOf(leftOut.tables)
  const isRowless = patternOf(leftOut.rows)
  let kept: Uint8Array[] = []
  const scanner = new DumpScanner({
    onPiece(piece, { section, rows }) {
      const { kind, name } = section
      if (OF_TABLES.has(kind) && isLeftOut(name)) return
      if (kind === 'data' && isRowless(name) && (rows || announcesRows(piece))) return
      kept.push(piece)
    },
  })
  for await (const chunk of bytes) {
    scanner.feed(chunk)
    yield* kept
    kept = []
  }
  scanner.end()
  yield* kept
}

const OF_TABLES = new Set(['table', 'data', 'view', 'sequence'])
const ROWS_FOLLOW = Buffer.from('-- Dumping data for table ')

/** Without this line nobody counts the rows of a table that has none here. */
function announcesRows(piece: Uint8Array): boolean {
  return ROWS_FOLLOW.equals(piece.subarray(0, ROWS_FOLLOW.length))
}

/** Whether one of the names, in which `*` stands for anything, is that of the table. */
export function patternOf(names: readonly string[]): (name: string) => boolean {
  if (names.length === 0) return () => false
  const alternatives = names.map((name) =>
    name
      .split('*')
      .map((text) => RegExp.escape(text))
      .join('[^]*'),
  )
  const pattern = new RegExp(`^(?:${alternatives.join('|')})$`)
  return (name) => pattern.test(name)
}

const NAME = '(?:`(?:[^`]|``)*`|[\\w$\\x80-\\xff]+)'
const TRIGGER = new RegExp(
  `^([^;]{0,300}?\\bTRIGGER\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?)(?:${NAME}\\s*\\.\\s*)?(${NAME}` +
    `\\s+(?:BEFORE|AFTER)\\s+(?:(?:INSERT|UPDATE|DELETE|OR)\\s+)+ON\\s+)(?:${NAME}\\s*\\.\\s*)?(${NAME}\\s)`,
  'i',
)

/**
 * MariaDB shows a trigger as it was once written, also with the name of its database, and would create it there. A dump
 * of several databases switches between them; it is refused.
 */
function stayInDatabase(head: string): string | undefined {
  const leaves = /^(?:\/\*![0-9]+ *)?(USE|(?:CREATE|DROP|ALTER) +(?:DATABASE|SCHEMA))\b/i.exec(head)?.[1]
  if (leaves !== undefined) {
    throw new AppError(
      'unsupported',
      `The dump says ${leaves.toUpperCase()}: it would touch another database than the chosen one.`,
      {
        hint: 'It was made with --databases or --all-databases. Dump each database by itself, or take these statements out.',
      },
    )
  }
  const trigger = TRIGGER.exec(head)
  if (!trigger || !/\bCREATE\b/i.test(trigger[1] ?? '')) return undefined
  const [whole, before = '', name = '', table = ''] = trigger
  return before + name + table + head.slice(whole.length)
}

function isWanted({ section, rows }: Piece, content: Choice['content'], tables: Set<string>): boolean {
  switch (section.kind) {
    case 'head':
    case 'tail':
      return true
    case 'table':
    case 'view':
    case 'sequence':
      return content !== 'data' && isNamed(section.name, tables)
    case 'data':
      return (content === 'all' || rows === (content === 'data')) && isNamed(section.name, tables)
    case 'events':
    case 'routines':
      return content !== 'data' && tables.size === 0
    default: {
      const never: never = section.kind
      throw never
    }
  }
}

function isNamed(name: string, tables: Set<string>): boolean {
  return tables.size === 0 || tables.has(name)
}
