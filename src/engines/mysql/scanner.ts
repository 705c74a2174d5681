/**
 * Reads a dump of mysqldump or mariadb-dump as it goes by, without holding it: where each statement begins and ends,
 * which section it belongs to, and how many rows the INSERT statements have. It follows the quotes and the DELIMITER
 * lines as the client does, so nothing that stands in a row, a comment or a routine can be taken for structure.
 */

type SectionKind = 'head' | 'table' | 'data' | 'view' | 'sequence' | 'events' | 'routines' | 'tail'

export interface Section {
  kind: SectionKind
  /** Of the table or view; empty for the others. */
  name: string
}

/** A part of the dump: whole or part of a statement, of a comment line, or of the white space between. */
export interface Piece {
  section: Section
  /** Whether it writes rows, as against structure. */
  rows: boolean
}

export interface ScannerEvents {
  /** Every byte of the dump comes by exactly once, in order. The bytes are valid only during the call. */
  onPiece?(bytes: Uint8Array, piece: Piece): void
  /** A comment line at the top level, without its newline. */
  onComment?(line: string): void
  /**
   * The beginning of a statement that is no INSERT, up to 1024 bytes, one character per byte. What it returns takes its
   * place.
   */
  onStatement?(head: string): string | undefined
}

const NEWLINE = 10
const STAR = 42
const SLASH = 47
const DASH = 45
const HASH = 35
const QUOTE = 39
const DOUBLE_QUOTE = 34
const BACKTICK = 96
const BACKSLASH = 92
const OPEN = 40
const SEMICOLON = 59
const BANG = 33

/** Enough of a statement to know what it is: the longest name is 64 characters, each up to 4 bytes, twice if quoted. */
const HEAD = 1024

type Mode = 'between' | 'statement' | 'insert'

export class DumpScanner {
  /** Rows per table, for each table whose data the dump has begun. */
  readonly rows = new Map<string, number>()
  readonly #events: ScannerEvents
  #section: Section = { kind: 'head', name: '' }
  #mode: Mode = 'between'
  /** The beginning of what may become a statement or comment, while it is too short to tell. */
  #held: Uint8Array = new Uint8Array(0)
  /** What takes the place of the remaining bytes. */
  #replacement: Uint8Array | undefined
  #delimiter = [SEMICOLON]
  #ended = false
  #noBackslash = false
  /** Within a statement: the quote that is open, `STAR` in a comment, `DASH` in one up to the line's end, or 0. */
  #quote = 0
  #escaped = false
  /** The byte before the current one, where two count as one. */
  #previous = 0
  #matched = 0
  #table = ''
  #count = 0
  /** Of the current statement, and of the white space after it. */
  #rowsStatement = false

  constructor(events: ScannerEvents = {}) {
    this.#events = events
  }

  /** Whether the bytes so far end between two statements, at the beginning of a line. */
  get atRest(): boolean {
    return this.#mode === 'between' && this.#held.length === 0
  }

  feed(chunk: Uint8Array): void {
    let bytes = chunk
    if (this.#held.length > 0) {
      bytes = Buffer.concat([this.#held, chunk])
      this.#held = new Uint8Array(0)
    }
    let at = 0
    while (at < bytes.length) {
      switch (this.#mode) {
        case 'between':
          at = this.#begin(bytes, at)
          break
        case 'statement':
          at = this.#statement(bytes, at)
          break
        case 'insert':
          at = this.#insert(bytes, at)
          break
        default: {
          const never: never = this.#mode
          throw never
        }
      }
      if (at < 0) return // held until more is known
      if (this.#replacement) {
        bytes = this.#replacement
        this.#replacement = undefined
        at = 0
      }
    }
  }

  /** Hands out what is still held. The scanner is of no further use. */
  end(): void {
    this.#ended = true
    const held = this.#held
    this.#held = new Uint8Array(0)
    if (held.length > 0) this.feed(held)
  }

  /** Looks at what begins here. Returns where to go on, or -1 if more bytes are needed to tell. */
  #begin(bytes: Uint8Array, start: number): number {
    let at = start
    while (at < bytes.length && isSpace(bytes[at])) at++
    if (at > start) this.#piece(bytes.subarray(start, at), this.#rowsStatement)
    if (at === bytes.length) return at
    const end = bytes.indexOf(NEWLINE, at)
    if (end === -1 && bytes.length - at < HEAD && !this.#ended) {
      this.#held = bytes.slice(at)
      return -1
    }
    const lineEnd = end === -1 ? bytes.length : end
    const line = text(bytes.subarray(at, Math.min(lineEnd, at + HEAD)))
    if (/^(--(\s|$)|#)/.test(line)) {
      if (end === -1) {
        // A comment longer than anything the tools write: not a mark of theirs.
        this.#enterStatement(line, false)
        return at
      }
      this.#comment(line)
      this.#piece(bytes.subarray(at, end + 1), false)
      return end + 1
    }
    const delimiter = /^delimiter\s+(\S+)/i.exec(line)
    if (delimiter?.[1] && end !== -1) {
      this.#delimiter = [...Buffer.from(delimiter[1], 'latin1')]
      this.#piece(bytes.subarray(at, end + 1), false)
      return end + 1
    }
    const insert = /^(?:INSERT|REPLACE)\s+(?:IGNORE\s+|DELAYED\s+)*INTO\s+(`(?:[^`]|``)*`)/i.exec(line)
    if (insert?.[1] && this.#delimiter.length === 1) {
      this.#table = unquote(insert[1])
      this.#count = 0
      this.#mode = 'insert'
      this.#rowsStatement = true
      this.#quote = 0
      this.#previous = 0
      return at
    }
    // The header of a routine or trigger may be written over several lines.
    if (
      this.#delimiter.length > 1 &&
      bytes.length - at < HEAD &&
      !this.#ended &&
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(';;', at) === -1
    ) {
      this.#held = bytes.slice(at)
      return -1
    }
    this.#enterStatement(line, this.#section.kind === 'data' && isAboutRows(line))
    this.#replace(bytes, at)
    return at
  }

  #replace(bytes: Uint8Array, at: number): void {
    if (!this.#events.onStatement) return
    const head = Buffer.from(bytes.subarray(at, at + HEAD))
    const other = this.#events.onStatement(head.toString('latin1'))
    if (other === undefined) return
    this.#replacement = Buffer.concat([Buffer.from(other, 'latin1'), bytes.subarray(at + head.length)])
  }

  #enterStatement(line: string, rows: boolean): void {
    if (/SET TIME_ZONE=@OLD_TIME_ZONE/.test(line)) this.#section = { kind: 'tail', name: '' }
    if (/\bsql_mode\b/i.test(line)) this.#noBackslash = line.includes('NO_BACKSLASH_ESCAPES')
    this.#mode = 'statement'
    this.#rowsStatement = rows
    this.#quote = 0
    this.#previous = 0
    this.#matched = 0
  }

  #comment(line: string): void {
    this.#events.onComment?.(line)
    this.#rowsStatement = false
    const mark = sectionOf(line)
    if (!mark) return
    this.#section = mark
    if (mark.kind === 'data' && !this.rows.has(mark.name)) this.rows.set(mark.name, 0)
  }

  /** The way through rows must be short: this is where nearly all bytes of a dump go. */
  #insert(bytes: Uint8Array, start: number): number {
    const length = bytes.length
    let at = start
    let count = this.#count
    let quote = this.#quote
    let previous = this.#previous
    if (this.#escaped && at < length) {
      at++
      this.#escaped = false
    }
    scan: while (at < length) {
      if (quote === QUOTE) {
        for (;;) {
          if (at >= length) break scan
          const byte = bytes[at++]
          if (byte === QUOTE) break
          if (byte === BACKSLASH) {
            if (at >= length) {
              this.#escaped = true
              break scan
            }
            at++
          }
        }
        quote = 0
        previous = QUOTE
      } else if (quote === BACKTICK) {
        const end = bytes.indexOf(BACKTICK, at)
        if (end === -1) {
          at = length
          break
        }
        at = end + 1
        quote = 0
        previous = BACKTICK
      } else {
        for (;;) {
          if (at >= length) break scan
          const byte = bytes[at++]
          if (byte === QUOTE) {
            quote = QUOTE
            break
          }
          if (byte === OPEN) {
            count++
            previous = OPEN
          } else if (byte === BACKTICK) {
            if (previous === OPEN) count-- // the list of columns
            quote = BACKTICK
            break
          } else if (byte === SEMICOLON) {
            this.#mode = 'between'
            break scan
          } else previous = 0
        }
      }
    }
    this.#count = count
    this.#quote = quote
    this.#previous = previous
    this.#piece(bytes.subarray(start, at), true)
    if (this.#mode === 'between') {
      this.rows.set(this.#table, (this.rows.get(this.#table) ?? 0) + count)
    }
    return at
  }

  /** Follows one statement that is no INSERT to its delimiter. */
  #statement(bytes: Uint8Array, start: number): number {
    const delimiter = this.#delimiter
    let at = start
    let previous = this.#previous
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0
      if (this.#escaped) {
        this.#escaped = false
        previous = 0
      } else if (this.#quote !== 0) {
        if (this.#quote === STAR) {
          if (byte === SLASH && previous === STAR) this.#quote = 0
        } else if (this.#quote === DASH) {
          if (byte === NEWLINE) this.#quote = 0
        } else if (byte === BACKSLASH && this.#quote !== BACKTICK && !this.#noBackslash) this.#escaped = true
        else if (byte === this.#quote) this.#quote = 0
        previous = byte
      } else if (byte === delimiter[this.#matched]) {
        this.#matched++
        previous = byte
        if (this.#matched === delimiter.length) {
          this.#mode = 'between'
          break
        }
      } else {
        this.#matched = byte === delimiter[0] ? 1 : 0
        if (byte === QUOTE || byte === DOUBLE_QUOTE || byte === BACKTICK) this.#quote = byte
        else if (byte === HASH) this.#quote = DASH
        else if (isSpace(byte) && previous === -DASH) this.#quote = byte === NEWLINE ? 0 : DASH
        else if (previous === -SLASH && byte !== BANG && byte !== 77 /* M */) this.#quote = STAR
        if (byte === STAR && previous === SLASH) previous = -SLASH
        else if (byte === DASH && previous === DASH) previous = -DASH
        else previous = byte
      }
    }
    this.#previous = previous
    this.#piece(bytes.subarray(start, at), this.#rowsStatement)
    return at
  }

  #piece(bytes: Uint8Array, rows: boolean): void {
    this.#events.onPiece?.(bytes, { section: this.#section, rows })
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13)
}

/** In the section of a table's data: what prepares and ends its rows, as against its triggers. */
function isAboutRows(line: string): boolean {
  return /^(LOCK TABLES|UNLOCK TABLES|set autocommit=0|commit;|\/\*!40000 ALTER TABLE .* (DISABLE|ENABLE) KEYS \*\/)/i.test(
    line,
  )
}

// What the tools write before each section. Source: client/mysqldump.c of both; the wording has not changed since 5.0.
const MARKS: [RegExp, SectionKind][] = [
  [/^-- Table structure for table (`.*`)$/, 'table'],
  [/^-- Dumping data for table (`.*`)$/, 'data'],
  [/^-- (?:Temporary (?:view|table)|Final view) structure for view (`.*`)$/, 'view'],
  [/^-- Sequence structure for (`.*`)$/, 'sequence'],
  [/^-- Dumping events for database /, 'events'],
  [/^-- Dumping routines for database /, 'routines'],
]

function sectionOf(line: string): Section | undefined {
  for (const [pattern, kind] of MARKS) {
    const match = pattern.exec(line)
    if (match) return { kind, name: match[1] === undefined ? '' : unquote(match[1]) }
  }
  return undefined
}

function unquote(name: string): string {
  return name.slice(1, -1).replaceAll('``', '`')
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
