import { randomBytes } from 'node:crypto'
import { SQL_NAME, unquoted } from './names.ts'
import { restrictKey } from './plain.ts'
import { ScriptRows } from './script-rows.ts'

type Filter = (bytes: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>

/** The settings of a script stand before this many bytes. */
const HEAD = 8192
/** The last `\unrestrict` and the closing comment stand within this many. */
const TAIL = 1024
/** Before the first row of chosen tables there is less. */
const MOST_HELD = 67_108_864

const SETTING = String.raw`--[^\n]*\n|\n|\\restrict \w+\n|SET [^\n]*\n|SELECT pg_catalog\.set_config[^\n]*\n`
const SETTINGS = new RegExp(`^(?:${SETTING})*`)
const CREATE_PUBLIC = /CREATE SCHEMA (?:public|"public");\n/y
/** The settings, and what pg_dump writes about schemas behind them. */
const BEFORE_OBJECTS = new RegExp(
  `(?:${SETTING}|CREATE SCHEMA ${SQL_NAME};\n|ALTER SCHEMA ${SQL_NAME} OWNER TO [^\n]*;\n` +
    `|(?:COMMENT|SECURITY LABEL [^\n]*) ON SCHEMA ${SQL_NAME} IS (?: ?E)?'(?:[^']|'')*';\n)`,
  'y',
)
const CREATES = new RegExp(
  `^CREATE (?:UNLOGGED |FOREIGN |MATERIALIZED )?(?:TABLE|VIEW|SEQUENCE) ${SQL_NAME}\\.${SQL_NAME}[\\s;]`,
)

/**
 * Takes out of the settings at a script's beginning the one that pg_dump and pg_restore write since 17 and that servers
 * before 17 refuse. It limits nothing: it sets a limit to none.
 */
export const withoutTransactionTimeout: Filter = (bytes) =>
  editHead(bytes, (head) => {
    const first = head.indexOf('\nSET transaction_timeout = 0;\n')
    return first === -1 || first > settingsOf(head).length
      ? head
      : head.slice(0, first) + head.slice(first + 29)
  })

/**
 * Puts a script between a `\restrict` and an `\unrestrict` of our own, whose key nobody else knows, in place of its
 * own: psql then refuses every other meta-command, of which some run programs on this machine.
 */
export const restricted: Filter = async function* (bytes) {
  const key = randomBytes(24).toString('hex')
  let own: string | undefined
  yield Buffer.from(`\\restrict ${key}\n`)
  const headless = editHead(bytes, (head) => {
    own = restrictKey(head)
    return own === undefined ? head : head.replace(`\\restrict ${own}\n`, '')
  })
  yield* editTail(headless, (tail) => {
    if (own === undefined) return tail
    const at = tail.lastIndexOf(`\\unrestrict ${own}\n`)
    return at === -1 ? tail : tail.slice(0, at) + tail.slice(at + own.length + 13)
  })
  yield Buffer.from(`\n\\unrestrict ${key}\n`)
}

/**
 * Begins a transaction before the script and commits it behind its last byte. psql's own `--single-transaction` would
 * commit at the end of its input, also when that is only where we were killed.
 */
export const inTransaction: Filter = async function* (bytes) {
  yield* editHead(bytes, (head) => {
    const restrict = /^(?:--[^\n]*\n|\n)*\\restrict \w+\n/.exec(head)?.[0] ?? ''
    return `${restrict}BEGIN;\n${head.slice(restrict.length)}`
  })
  yield Buffer.from('\nCOMMIT;\n')
}

/** Puts statements before all others of a script. */
export function withFirst(statements: string): Filter {
  return (bytes) =>
    editHead(bytes, (head) => {
      const restrict = /^(?:--[^\n]*\n|\n)*\\restrict \w+\n/.exec(head)?.[0] ?? ''
      return `${restrict}${statements}\n${head.slice(restrict.length)}`
    })
}

/**
 * Takes the statement that creates the schema public out of a script for a new database, which has that schema. What else
 * the script says of it stays: its owner, its privileges.
 */
export const withoutPublicSchema: Filter = async function* (bytes) {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of bytes) {
    if (!head) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    // Schemas come first, but there may be many.
    const { length, createsPublicAt } = readSchemas(head.toString('latin1'))
    if (createsPublicAt === undefined && head.length - length < HEAD && head.length < MOST_HELD) continue
    yield* withoutStatement(head, createsPublicAt)
    head = undefined
  }
  if (head) yield* withoutStatement(head, readSchemas(head.toString('latin1')).createsPublicAt)
}

/**
 * Creates, behind the settings of a script for a new database, the schemas that it takes for granted: pg_dump leaves them
 * out where it dumps chosen tables. A script that creates a schema, or an extension, which may create some, is not of
 * that kind.
 */
export const withMissingSchemas: Filter = async function* (bytes) {
  const schemas = new Map<string, string>()
  let isKnown = false
  const reader = new ScriptRows((statement) => {
    if (isKnown) return
    const isWhole = /^CREATE (?:SCHEMA|EXTENSION) /.test(statement)
    if (isWhole) schemas.clear()
    isKnown = isWhole || statement.startsWith('COPY ')
    const schema = CREATES.exec(statement)?.[1]
    if (schema !== undefined && unquoted(schema) !== 'public') schemas.set(unquoted(schema), schema)
  })
  let held: Uint8Array[] | undefined = []
  let heldBytes = 0
  const release = (chunks: Uint8Array[]) => {
    const statements = [...schemas.values()].map((name) => `CREATE SCHEMA IF NOT EXISTS ${name};\n`)
    return insertBehindSettings(Buffer.concat(chunks), statements.join(''))
  }
  for await (const chunk of bytes) {
    if (!held) {
      yield chunk
      continue
    }
    held.push(chunk)
    heldBytes += chunk.length
    reader.update(chunk)
    if (!isKnown && reader.isCertain && heldBytes < MOST_HELD) continue
    yield* release(held)
    held = undefined
  }
  if (held) yield* release(held)
}

/** A role that is there already is not created again, but still gets what the script gives it. */
export const withExistingRoles: Filter = async function* (bytes) {
  for await (const line of lines(bytes)) {
    const create = /^CREATE ROLE (.+);\n$/.exec(line)?.[1]
    yield Buffer.from(
      create === undefined || line.includes('$holdfast$')
        ? line
        : `DO $holdfast$ BEGIN CREATE ROLE ${create}; EXCEPTION WHEN duplicate_object THEN NULL; END $holdfast$;\n`,
      'latin1',
    )
  }
}

function settingsOf(head: string): string {
  return SETTINGS.exec(head)?.[0] ?? ''
}

/** How long the beginning of a script is that tells of nothing but schemas, and where in it public is created. */
function readSchemas(head: string): { length: number; createsPublicAt?: number } {
  let length = 0
  for (;;) {
    CREATE_PUBLIC.lastIndex = length
    if (CREATE_PUBLIC.test(head)) return { length, createsPublicAt: length }
    BEFORE_OBJECTS.lastIndex = length
    if (!BEFORE_OBJECTS.test(head)) return { length }
    length = BEFORE_OBJECTS.lastIndex
  }
}

function* withoutStatement(head: Buffer, at: number | undefined): Generator<Buffer> {
  if (at === undefined) yield head
  else yield* [head.subarray(0, at), head.subarray(head.indexOf('\n', at))]
}

function* insertBehindSettings(bytes: Buffer, statements: string): Generator<Buffer> {
  const at = settingsOf(bytes.subarray(0, HEAD).toString('latin1')).length
  yield* [bytes.subarray(0, at), Buffer.from(statements, 'latin1'), bytes.subarray(at)]
}

/** Latin-1 keeps every byte as it is; what is looked for is ASCII. */
async function* editHead(
  bytes: AsyncIterable<Uint8Array>,
  edit: (head: string) => string,
): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of bytes) {
    if (!head) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < HEAD) continue
    yield Buffer.from(edit(head.toString('latin1')), 'latin1')
    head = undefined
  }
  if (head) yield Buffer.from(edit(head.toString('latin1')), 'latin1')
}

async function* editTail(
  bytes: AsyncIterable<Uint8Array>,
  edit: (tail: string) => string,
): AsyncGenerator<Uint8Array> {
  let kept = Buffer.alloc(0)
  for await (const chunk of bytes) {
    kept = Buffer.concat([kept, chunk])
    if (kept.length <= TAIL) continue
    yield kept.subarray(0, -TAIL)
    kept = Buffer.from(kept.subarray(-TAIL))
  }
  yield Buffer.from(edit(kept.toString('latin1')), 'latin1')
}

/** Lines with their ends, in Latin-1. */
async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of bytes) {
    const parts = (rest + Buffer.from(chunk).toString('latin1')).split(/(?<=\n)/)
    rest = parts.pop() ?? ''
    if (rest.endsWith('\n')) {
      parts.push(rest)
      rest = ''
    }
    yield* parts
  }
  if (rest !== '') yield rest
}
