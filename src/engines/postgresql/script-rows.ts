import { encodingIn, isReadByBytes, nameReader, unreadableNames, type NameReader } from './encodings.ts'
import { SQL_NAME, tableName, unquoted } from './names.ts'

const NEWLINE = 10
const BACKSLASH = 92
/** The line behind the last row. */
const END_OF_ROWS = Buffer.from('\\.\n')
/** How much SQL is looked at in one go, in bytes: between the rows of two small tables there is little. */
const WINDOW = 4096
/** A table has at most 1600 columns, so that no statement of interest is longer. */
const LONGEST_STATEMENT = 4_194_304

const COPY = new RegExp(`^COPY ${SQL_NAME}\\.${SQL_NAME} (?:\\([^]*\\))? ?FROM stdin;$`)
const CREATE_TABLE = new RegExp(`^CREATE (?:UNLOGGED )?TABLE ${SQL_NAME}\\.${SQL_NAME}\\s`)
/** Stands for all tables whose names are not certain; others have a dot. */
const UNNAMED = ''
const SPECIAL = /['"$;\\]|--|\/\*/g
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$/y

/**
 * Counts the rows of each table in a script of pg_dump's as it goes by. SQL is read as psql reads it, with its quotes
 * and comments, so that nothing in a row, a function or a comment is taken for a statement. Where this is not certain,
 * there are no counts rather than wrong ones.
 *
 * Rows of a hundred bytes go by at more than 1 GB/s on one core.
 */
export class ScriptRows {
  readonly #counts = new Map<string, number>()
  /** The tables that the script creates; true for those whose rows are in partitions. */
  readonly #created = new Map<string, boolean>()
  #isCertain = true
  #encoding = 'UTF8'
  #readName: NameReader = nameReader('UTF8')
  /** Tables whose rows went by, and whose names are not certain. */
  #unnamed = 0
  /** The statement that has not ended, with what is before it, one character per byte; read up to `#at`. */
  #sql = ''
  #at = 0
  /** The table whose rows go by. */
  #table: string | undefined
  #lines = 0
  /** How many bytes of the end mark have come, at the beginning of a row; -1 within one. */
  #endMark = 0
  #backslashEscapes = false
  readonly #onStatement: (statement: string) => void

  /** Tells each statement when it has come whole, without what is before it, one character per byte. */
  constructor(onStatement: (statement: string) => void = () => {}) {
    this.#onStatement = onStatement
  }

  update(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && this.#isCertain) {
      at = this.#table === undefined ? this.#readSql(bytes, at) : this.#countRows(bytes, at)
    }
  }

  /** False from where it is not certain any more what is a statement. */
  get isCertain(): boolean {
    return this.#isCertain
  }

  /** Undefined if the numbers are not certain, as where statements stand in place of rows. */
  finish(): Record<string, number> | undefined {
    if (!this.#isCertain || this.#table !== undefined) return undefined
    return Object.fromEntries([...this.#counts].filter(([table]) => this.#isCounted(table)))
  }

  /** What a person should know of tables that are not among them. */
  get warnings(): string[] {
    return this.#isCertain && this.#unnamed > 0 ? [unreadableNames(this.#unnamed, this.#encoding)] : []
  }

  /**
   * As in archives: of a table that an extension brings there are only the rows that were changed, and rows that are
   * loaded through a partitioned table end in others.
   */
  #isCounted(table: string): boolean {
    if (table === UNNAMED || this.#created.get(table) === true) return false
    return this.#created.size === 0 || this.#created.has(table)
  }

  #countRows(bytes: Uint8Array, start: number): number {
    const length = bytes.length
    let at = start
    let lines = this.#lines
    while (at < length) {
      if (this.#endMark >= 0) {
        while (this.#endMark < END_OF_ROWS.length && bytes[at] === END_OF_ROWS[this.#endMark]) {
          at++
          this.#endMark++
        }
        if (this.#endMark === END_OF_ROWS.length) {
          this.#endRows(lines)
          return at
        }
        if (at === length) break
        this.#endMark = -1
      }
      // A call costs as much as some twenty bytes.
      const near = Math.min(at + 24, length)
      while (at < near && bytes[at] !== NEWLINE) at++
      if (at === near) {
        const next = Uint8Array.prototype.indexOf.call(bytes, NEWLINE, at)
        at = next === -1 ? length : next
      }
      if (at === length) break
      lines++
      at++
      if (at === length || bytes[at] === BACKSLASH) this.#endMark = 0
    }
    this.#lines = lines
    return at
  }

  #endRows(lines: number): void {
    if (this.#table !== undefined) this.#counts.set(this.#table, (this.#counts.get(this.#table) ?? 0) + lines)
    this.#table = undefined
  }

  /** Up to the end of a window, or of a statement that rows follow. Returns where to go on. */
  #readSql(bytes: Uint8Array, start: number): number {
    // More at once where a statement is long, lest it be looked at too often.
    const end = Math.min(bytes.length, start + WINDOW + this.#sql.length)
    this.#sql += Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
    while (this.#table === undefined && this.#readToken()) {
      // a quoted text, a comment, a statement
    }
    if (this.#table === undefined) {
      if (/^\n*INSERT INTO /.test(this.#sql) || this.#sql.length > LONGEST_STATEMENT) this.#isCertain = false
      return end
    }
    const unread = this.#sql.length
    this.#sql = ''
    return end - unread
  }

  /** False if the next unit of SQL has not come whole. */
  #readToken(): boolean {
    const sql = this.#sql
    SPECIAL.lastIndex = this.#at
    const special = SPECIAL.exec(sql)
    if (!special) {
      this.#at = Math.max(this.#at, sql.length - 1) // a dash may become two
      return false
    }
    const begin = special.index
    switch (special[0]) {
      case ';':
        this.#endStatement(begin + 1)
        return true
      case '--':
        return this.#drop(begin, behind(sql, '\n', begin))
      case '/*':
        return this.#drop(begin, behindComment(sql, begin))
      case '\\':
        if (sql.slice(0, begin).trim() === '') return this.#drop(begin, behind(sql, '\n', begin))
        return this.#goOn(begin + 1)
      case '"':
        return this.#goOn(behind(sql, '"', begin + 1))
      case "'":
        return this.#goOn(
          this.#backslashEscapes || /(?<![\w$\x80-\xff])E$/i.test(sql.slice(Math.max(0, begin - 2), begin))
            ? behindEscaped(sql, begin + 1)
            : behind(sql, "'", begin + 1),
        )
      default:
        return this.#goOn(behindDollarQuote(sql, begin))
    }
  }

  #goOn(at: number | undefined): boolean {
    if (at === undefined) return false
    this.#at = at
    return true
  }

  /** Takes out a comment, or a command to psql, so that the next statement begins with its first word. */
  #drop(begin: number, end: number | undefined): boolean {
    if (end === undefined) return false
    this.#sql = this.#sql.slice(0, begin) + this.#sql.slice(end)
    return this.#goOn(begin)
  }

  #endStatement(end: number): void {
    const statement = this.#sql.slice(0, end).trimStart()
    this.#sql = this.#sql.slice(end)
    this.#at = 0
    this.#onStatement(statement)
    const [, schema, name] = COPY.exec(statement) ?? CREATE_TABLE.exec(statement) ?? []
    if (schema === undefined || name === undefined) {
      if (/^COPY [^]* FROM stdin;$/i.test(statement)) this.#isCertain = false
      if (/^SET standard_conforming_strings = off;$/.test(statement)) this.#backslashEscapes = true
      this.#setEncoding(encodingIn(statement))
      return
    }
    const table = this.#tableIn(schema, name)
    if (statement.startsWith('CREATE')) {
      this.#created.set(table, /\nPARTITION BY /.test(statement))
      return
    }
    if (table === UNNAMED) this.#unnamed++
    this.#table = table
    this.#lines = -1 // the rest of the statement's own line
    this.#endMark = -1
  }

  #setEncoding(encoding: string | undefined): void {
    if (encoding === undefined) return
    this.#encoding = encoding
    this.#readName = nameReader(encoding)
    if (!isReadByBytes(encoding)) this.#isCertain = false
  }

  /** The table, from the bytes of its names as SQL writes them. */
  #tableIn(quotedSchema: string, quotedName: string): string {
    const [schema, name] = [quotedSchema, quotedName].map((quoted) =>
      this.#readName(Buffer.from(unquoted(quoted), 'latin1')),
    )
    return schema === undefined || name === undefined ? UNNAMED : tableName(schema, name)
  }
}

/** Behind the first of these characters from `at` on. */
function behind(sql: string, character: string, at: number): number | undefined {
  const found = sql.indexOf(character, at)
  return found === -1 ? undefined : found + 1
}

/** Comments in slashes nest. */
function behindComment(sql: string, begin: number): number | undefined {
  const marks = /\/\*|\*\//g
  marks.lastIndex = begin
  let depth = 0
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return undefined
}

/** Behind the quote that ends a text in which a backslash takes the next character with it. */
function behindEscaped(sql: string, begin: number): number | undefined {
  const marks = /\\[^]|'/g
  marks.lastIndex = begin
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    if (mark[0] !== "'") continue
    if (marks.lastIndex === sql.length) return undefined // two quotes are one
    if (sql[marks.lastIndex] !== "'") return marks.lastIndex
    marks.lastIndex++
  }
  return undefined
}

/** Behind `$tag$ … $tag$`, or behind a dollar that begins no quote, as in `$1` or `a$b`. */
function behindDollarQuote(sql: string, begin: number): number | undefined {
  if (/[\w$\x80-\xff]/.test(sql[begin - 1] ?? '')) return begin + 1
  DOLLAR_QUOTE.lastIndex = begin
  const tag = DOLLAR_QUOTE.exec(sql)?.[0]
  if (tag !== undefined) {
    const found = sql.indexOf(tag, begin + tag.length)
    return found === -1 ? undefined : found + tag.length
  }
  return /^\$[\w\x80-\xff]*$/.test(sql.slice(begin, begin + 256)) ? undefined : begin + 1
}
