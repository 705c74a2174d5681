import { AppError } from '../../shared/errors.ts'

/** PostgreSQL cuts longer names off. */
const NAME_BYTES = 63

/** A name as pg_dump writes it, as a part of a regular expression. */
export const SQL_NAME = '("[^"]*(?:""[^"]*)*"|[^\\s".(]+)'

/** The name that is written like this. */
export function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

/** A name as SQL wants it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** A connection string that names a database and nothing else, so that no database name is taken for one. */
export function conninfo(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/**
 * How we write a table in reports and options: `public.orders`. A part is quoted, as in SQL, only where it would be
 * read differently otherwise.
 */
export function tableName(schema: string, table: string): string {
  return `${part(schema)}.${part(table)}`
}

function part(name: string): string {
  return name === '' || /[."*]/.test(name) ? quoteName(name) : name
}

/** A piece of a pattern: text to be taken as it is, or a wildcard. */
type Piece = string | { any: true }

/** `schema.table`, `table` or `schema`, with `*` for anything and double quotes around what is not to be read so. */
interface NamePattern {
  schema?: Piece[]
  name: Piece[]
}

/**
 * A name, or a pattern with `*`, in the syntax of pg_dump's own patterns, in which everything but the wildcards is
 * quoted: nothing is folded to lower case or read as a regular expression. A table without a schema is in
 * `public`. Throws `invalid_input`.
 */
export function toolPattern(pattern: string, kind: 'schema' | 'table'): string {
  const { schema, name } = parsePattern(pattern, kind)
  if (kind === 'schema') return toolPieces(name)
  // Without a schema pg_dump would look wherever the user's search path leads.
  return `${toolPieces(schema ?? ['public'])}.${toolPieces(name)}`
}

/** The same as two patterns for SQL's `LIKE`: of the schema, and of the table; a schema has no name of its own. */
export function likePattern(pattern: string, kind: 'schema' | 'table'): { schema: string; name: string } {
  const { schema, name } = parsePattern(pattern, kind)
  if (kind === 'schema') return { schema: likePieces(name), name: '%' }
  return { schema: likePieces(schema ?? ['public']), name: likePieces(name) }
}

/** The schema and the name of a table that is written without wildcards. Throws `invalid_input`. */
export function exactTable(text: string): { schema: string; table: string } {
  const { schema, name } = parsePattern(text, 'table')
  const whole = (pieces: Piece[]) => pieces.map((piece) => (typeof piece === 'string' ? piece : undefined))
  const schemaPieces = schema ? whole(schema) : ['public']
  const tablePieces = whole(name)
  if (schemaPieces.includes(undefined) || tablePieces.includes(undefined)) {
    throw new AppError('invalid_input', `“${text}” is a pattern; here a table must be named exactly.`)
  }
  return { schema: schemaPieces.join(''), table: tablePieces.join('') }
}

/** A table that is named exactly, as it is written in reports. */
export function countedName(text: string): string {
  const { schema, table } = exactTable(text)
  return tableName(schema, table)
}

/** A valid name beside the given one, shortened where the two would not fit. */
export function besideName(database: string, token: string): string {
  const suffix = `_${token}`
  const room = NAME_BYTES - Buffer.byteLength(suffix)
  let kept = ''
  for (const character of database) {
    if (Buffer.byteLength(kept + character) > room) break
    kept += character
  }
  return kept + suffix
}

function toolPieces(pieces: Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? quoteName(piece) : '*')).join('')
}

function likePieces(pieces: Piece[]): string {
  return pieces
    .map((piece) => (typeof piece === 'string' ? piece.replaceAll(/[\\%_]/g, '\\$&') : '%'))
    .join('')
}

function parsePattern(text: string, kind: 'schema' | 'table'): NamePattern {
  const parts: Piece[][] = [[]]
  const rest = { at: 0 }
  let literal = ''
  const flush = () => {
    if (literal !== '') parts.at(-1)?.push(literal)
    literal = ''
  }
  while (rest.at < text.length) {
    const character = text[rest.at++] ?? ''
    if (character === '"') literal += quotedPart(text, rest)
    else if (character === '*') {
      flush()
      parts.at(-1)?.push({ any: true })
    } else if (character === '.' && kind === 'table' && parts.length === 1) {
      flush()
      parts.push([])
    } else literal += character
  }
  flush()
  const [first = [], second] = parts
  const name = second ?? first
  if (name.length === 0 || first.length === 0 || text.includes('\0')) {
    throw new AppError('invalid_input', `“${text}” is not the name of a ${kind}.`, {
      hint: 'Write schema.table; put double quotes around a name that holds a dot, a quote or an asterisk.',
    })
  }
  return second ? { schema: first, name } : { name }
}

/** What stands between double quotes, from behind the first one; two quotes inside are one. */
function quotedPart(text: string, rest: { at: number }): string {
  let literal = ''
  while (rest.at < text.length) {
    const character = text[rest.at++] ?? ''
    if (character !== '"') literal += character
    else if (text[rest.at] === '"') {
      literal += '"'
      rest.at++
    } else return literal
  }
  throw new AppError('invalid_input', `A double quote in “${text}” has no partner.`)
}
