import { AppError } from '../../shared/errors.ts'
import type { DumpContents, DumpReader } from '../engine.ts'
import {
  comparableTables,
  isOfRows,
  namingWarnings,
  TocParser,
  unreadable,
  type TocEntry,
} from './archive-toc.ts'
import { tableName } from './names.ts'

/** What the walker is in the middle of. Numbers, because this is asked for every row. */
const AT_BLOCK = 0
const IN_ENTRY_ID = 1
const IN_LENGTH = 2
const IN_DATA = 3
const IN_OBJECT_ID = 4
/** From 16 on, pg_dump appends its table of contents once more when its output is a file, not a pipe. */
const IN_TRAILER = 5
const DONE = 6
const BROKEN = 7

const ROWS = 1
const LARGE_OBJECTS = 3
const NEWLINE = 10
const END_OF_COPY = Buffer.from('\\.\n\n\n')
/** pg_dump ends the rows with a line `\.` and two empty ones. */
const LINES_BEHIND_ROWS = 3

/**
 * Walks through an archive in pg_dump's custom format as its bytes go by, from the first to the very last: every
 * entry of the table of contents that has data must have come, whole, and nothing may follow. That is more than
 * `pg_restore --list` checks, which reads no data at all. Counts the rows on the way.
 *
 * A row of COPY is one length and one line; at a hundred bytes a row it walks more than 1 GB/s on one core.
 */
export class ArchiveWalker implements DumpReader {
  readonly #toc = new TocParser(undefined, isOfRows)
  #tocIsRead = false
  #trailer: TocParser | undefined
  #state = AT_BLOCK
  #broken: AppError | undefined
  /** Entries whose data have not come yet, by id. */
  readonly #missing = new Map<number, TocEntry>()
  /** Those whose rows are counted, by the id of their data. */
  #counted = new Map<number, string>()
  readonly #rows: Record<string, number> = {}
  /** How many bytes there were before those that we look at. */
  #before = 0
  #blockStart = 0
  #blockKind = ROWS
  #entry: TocEntry | undefined
  #lines = 0
  /** Of the piece of data that we are in. */
  #bytesLeft = 0
  /** A number of which not all bytes have come, and how many have. */
  #number = 0
  #isNegative = false
  #numberBytes = 0
  /** The last bytes of the entry's data. */
  #tail = new Uint8Array(END_OF_COPY.length)

  update(bytes: Uint8Array): void {
    if (this.#state === BROKEN) return
    try {
      const data = this.#tocIsRead ? bytes : this.#readToc(bytes)
      this.#before += bytes.length - (data?.length ?? 0)
      if (!data) return
      this.#walk(data)
      this.#before += data.length
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.#broken = error
      this.#state = BROKEN
    }
  }

  finish(): DumpContents {
    if (this.#broken) throw this.#broken
    if (!this.#tocIsRead) throw incomplete('it ends within its table of contents')
    if (this.#state === IN_TRAILER) throw incomplete('it ends within its table of contents')
    if (this.#state !== AT_BLOCK && this.#state !== DONE)
      throw incomplete(`it ends in the middle of ${describe(this.#entry)}`)
    const [first] = this.#missing.values()
    if (first) {
      const others = this.#missing.size - 1
      throw incomplete(`${describe(first)} ${others > 0 ? `and ${others} others are` : 'is'} missing`)
    }
    if (this.#toc.header?.compressed) return {}
    const warnings = namingWarnings(this.#toc)
    return { rows: this.#rows, ...(warnings.length > 0 && { warnings }) }
  }

  #readToc(bytes: Uint8Array): Uint8Array | undefined {
    const rest = this.#toc.push(bytes)
    if (this.#toc.header && this.#toc.header.format !== 'custom')
      throw unreadable('it is not in the custom format')
    if (!rest) return undefined
    this.#tocIsRead = true
    for (const entry of this.#toc.entries) {
      if (!entry.hasData) continue
      if (this.#missing.has(entry.id)) throw unreadable(`two of its entries have the number ${entry.id}`)
      this.#missing.set(entry.id, entry)
    }
    this.#counted = comparableTables(this.#toc)
    return rest
  }

  #walk(bytes: Uint8Array): void {
    const end = bytes.length
    let at = 0
    while (at < end) {
      switch (this.#state) {
        case AT_BLOCK:
          if (bytes[at] === 0 && this.#missing.size === 0) {
            this.#trailer = new TocParser(this.#toc.header, () => false)
            this.#state = IN_TRAILER
            break
          }
          this.#blockStart = this.#before + at
          this.#blockKind = bytes[at++] ?? 0
          if (this.#blockKind !== ROWS && this.#blockKind !== LARGE_OBJECTS) {
            throw incomplete('something follows that is no block of data')
          }
          this.#state = IN_ENTRY_ID
          break
        case IN_ENTRY_ID:
          at = this.#readNumber(bytes, at)
          if (this.#numberBytes === 0) this.#beginEntry(this.#number)
          break
        case IN_OBJECT_ID:
          at = this.#readNumber(bytes, at)
          if (this.#numberBytes === 0) {
            if (this.#number === 0) this.#endEntry()
            else this.#state = IN_LENGTH
          }
          break
        case IN_LENGTH:
          at = this.#walkPieces(bytes, at)
          break
        case IN_DATA:
          at = this.#walkData(bytes, at)
          break
        case IN_TRAILER: {
          const rest = this.#trailer?.push(bytes.subarray(at))
          at = rest ? end - rest.length : end
          if (rest) this.#state = DONE
          break
        }
        default:
          throw incomplete('something follows its end')
      }
    }
  }

  /** Over all pieces that lie whole in these bytes: nearly all of a dump. */
  #walkPieces(bytes: Uint8Array, start: number): number {
    const end = bytes.length
    let at = start
    if (this.#numberBytes === 0) {
      let lines = 0
      while (end - at >= 5) {
        if (bytes[at] !== 0) throw incomplete('a piece of data has a negative length')
        const length =
          (bytes[at + 1] as number) |
          ((bytes[at + 2] as number) << 8) |
          ((bytes[at + 3] as number) << 16) |
          ((bytes[at + 4] as number) << 24)
        if (length <= 0 || length > end - at - 5) break
        at += 5
        const next = at + length
        lines += countLines(bytes, at, next)
        at = next
        // The last bytes matter where the data may end soon: little, nothing or nobody knows what comes next.
        if (length < END_OF_COPY.length || end - at < 5 || isShort(bytes, at))
          this.#remember(bytes, at - length, at)
      }
      this.#lines += lines
      if (at === end) return at
    }
    at = this.#readNumber(bytes, at)
    if (this.#numberBytes !== 0) return at
    this.#bytesLeft = this.#number
    if (this.#bytesLeft < 0) throw incomplete('a piece of data has a negative length')
    if (this.#bytesLeft > 0) this.#state = IN_DATA
    else if (this.#blockKind === LARGE_OBJECTS) this.#state = IN_OBJECT_ID
    else this.#endEntry()
    return at
  }

  #walkData(bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + this.#bytesLeft)
    this.#lines += countLines(bytes, start, end)
    this.#remember(bytes, start, end)
    this.#bytesLeft -= end - start
    if (this.#bytesLeft === 0) this.#state = IN_LENGTH
    return end
  }

  /** Takes what there is of a number; `#numberBytes` is 0 again when it is complete in `#number`. */
  #readNumber(bytes: Uint8Array, start: number): number {
    let at = start
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0
      if (this.#numberBytes === 0) {
        this.#isNegative = byte !== 0
        this.#number = 0
      } else this.#number += byte * 256 ** (this.#numberBytes - 1)
      this.#numberBytes++
      if (this.#numberBytes === 5) {
        if (this.#isNegative) this.#number = -this.#number
        this.#numberBytes = 0
        break
      }
    }
    return at
  }

  #beginEntry(id: number): void {
    const entry = this.#missing.get(id)
    if (!entry)
      throw incomplete(`it holds data of entry ${id}, which its table of contents does not announce`)
    if ((entry.kind === 'BLOBS') !== (this.#blockKind === LARGE_OBJECTS))
      throw incomplete(`what it holds as ${describe(entry)} is something else`)
    if (entry.place !== undefined && entry.place !== this.#blockStart)
      throw incomplete(`${describe(entry)} is not where it should be`)
    this.#missing.delete(id)
    this.#entry = entry
    this.#lines = 0
    this.#tail.fill(0)
    this.#state = this.#blockKind === LARGE_OBJECTS ? IN_OBJECT_ID : IN_LENGTH
  }

  #endEntry(): void {
    const entry = this.#entry
    if (entry?.isCopy) {
      // Compressed, they would end like this once in 2^40 times.
      const endsAsRows = END_OF_COPY.equals(this.#tail)
      if (this.#toc.header?.compressed === endsAsRows)
        throw incomplete(`${describe(entry)} does not end as it should`)
      const table = this.#counted.get(entry.id)
      if (table !== undefined) this.#rows[table] = this.#lines - LINES_BEHIND_ROWS
    }
    this.#entry = undefined
    this.#state = AT_BLOCK
  }

  /** Keeps the last bytes of the data up to here. */
  #remember(bytes: Uint8Array, start: number, end: number): void {
    const kept = this.#tail
    const size = kept.length
    if (end - start >= size) {
      kept.set(bytes.subarray(end - size, end))
    } else {
      kept.copyWithin(0, end - start)
      kept.set(bytes.subarray(start, end), size - (end - start))
    }
  }
}

/** Whether a piece begins here that is empty, the end of the data, or shorter than the mark of their end. */
function isShort(bytes: Uint8Array, at: number): boolean {
  return (
    (bytes[at + 1] as number) < END_OF_COPY.length &&
    bytes[at + 2] === 0 &&
    bytes[at + 3] === 0 &&
    bytes[at + 4] === 0
  )
}

/** Looks for the next one where that is a loop in C++, byte by byte where calling it would cost more than it saves. */
function countLines(bytes: Uint8Array, start: number, end: number): number {
  let lines = 0
  let i = start
  while (end - i > 64) {
    // Not the indexOf of Buffer, which first asks what kind of thing is looked for.
    const next = Uint8Array.prototype.indexOf.call(bytes, NEWLINE, i)
    if (next === -1 || next >= end) return lines
    lines++
    i = next + 1
  }
  for (; i < end; i++) if (bytes[i] === NEWLINE) lines++
  return lines
}

function describe(entry: TocEntry | undefined): string {
  if (!entry) return 'a block of data'
  if (entry.kind === 'TABLE DATA') return `the rows of table ${tableName(entry.schema, entry.name)}`
  return entry.kind === 'BLOBS' ? 'large objects' : `${entry.kind} ${entry.name}`
}

function incomplete(why: string): AppError {
  return new AppError('dump_incomplete', `The dump is not complete: ${why}.`)
}
