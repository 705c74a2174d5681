import { AppError } from '../../shared/errors.ts'
import type { DumpContents, DumpReader } from '../engine.ts'
import { comparableTables, isOfRows, namingWarnings, TocParser, type TocEntry } from './archive-toc.ts'
import { tableName } from './names.ts'

const BLOCK = 512
const NEWLINE = 10
const END_OF_COPY = '\\.\n\n\n'
const NO_BYTES = new Uint8Array(0)
/** What we remember of them fits into memory. */
const MOST_FILES = 4_194_304
const LONGEST_LISTS = 268_435_456

/** What there is to know about a file of the directory when it has gone by. */
interface SeenFile {
  lines: number
  /** Its last bytes. */
  tail: string
}

/**
 * Recognises a complete directory of pg_dump, packed as tar: a table of contents that reads back, every file that it or
 * a list of large objects names, rows that end with their mark, and the two empty blocks that end a tar.
 */
export class DirectoryReader implements DumpReader {
  readonly #toc = new TocParser(undefined, isOfRows)
  #tocRest: Uint8Array | undefined
  readonly #files = new Map<string, SeenFile>()
  /** The lists of large objects: one line for each, with the name of its file. */
  readonly #lists = new Map<string, Buffer[]>()
  #listBytes = 0
  #broken: AppError | undefined
  #block: Uint8Array = NO_BYTES
  #name = ''
  #file: SeenFile | undefined
  #bytesLeft = 0
  #padding = 0
  #emptyBlocks = 0

  update(bytes: Uint8Array): void {
    if (this.#broken) return
    try {
      this.#read(bytes)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.#broken = error
    }
  }

  finish(): DumpContents {
    if (this.#broken) throw this.#broken
    if (this.#emptyBlocks !== 2 || this.#block.length > 0)
      throw incomplete('the tar does not end as it should')
    if (!this.#tocRest) throw incomplete('it has no whole table of contents')
    if (this.#tocRest.length > 0) throw incomplete('something follows its table of contents')
    const rows: Record<string, number> = {}
    const { entries } = this.#toc
    const counted = comparableTables(this.#toc)
    for (const entry of entries) {
      if (!entry.hasData || entry.file === undefined) continue
      const file = this.#fileOf(entry.file)
      if (!file) throw incomplete(`the file ${entry.file} with ${entry.kind} ${nameOf(entry)} is missing`)
      if (!entry.isCopy || file !== this.#files.get(entry.file)) continue
      if (file.tail !== END_OF_COPY)
        throw incomplete(`the rows of table ${nameOf(entry)} do not end as they should`)
      const table = counted.get(entry.id)
      if (table !== undefined) rows[table] = file.lines - 3
    }
    this.#checkLists()
    if (this.#toc.header?.compressed) return {}
    const warnings = namingWarnings(this.#toc)
    return { rows, ...(warnings.length > 0 && { warnings }) }
  }

  /** The table of contents calls a file by the name that it would have uncompressed. */
  #fileOf(name: string): SeenFile | undefined {
    const names = this.#toc.header?.compressed ? ['', '.gz', '.lz4', '.zst'] : ['']
    return names.map((suffix) => this.#files.get(name + suffix)).find((file) => file !== undefined)
  }

  #checkLists(): void {
    for (const [list, chunks] of this.#lists) {
      for (const line of Buffer.concat(chunks).toString().split('\n')) {
        const name = line.slice(line.indexOf(' ') + 1)
        if (line !== '' && !this.#fileOf(name))
          throw incomplete(`the large object in ${name}, of ${list}, is missing`)
      }
    }
  }

  #read(bytes: Uint8Array): void {
    let rest = bytes
    while (rest.length > 0) {
      if (this.#bytesLeft > 0) {
        const piece = rest.subarray(0, this.#bytesLeft)
        this.#content(piece)
        this.#bytesLeft -= piece.length
        rest = rest.subarray(piece.length)
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, rest.length)
        this.#padding -= skipped
        rest = rest.subarray(skipped)
      } else {
        const missing = BLOCK - this.#block.length
        this.#block = Buffer.concat([this.#block, rest.subarray(0, missing)])
        rest = rest.subarray(missing)
        if (this.#block.length < BLOCK) return
        const block = this.#block
        this.#block = NO_BYTES
        this.#header(block)
      }
    }
  }

  #header(block: Uint8Array): void {
    if (block.every((byte) => byte === 0)) {
      this.#emptyBlocks++
      return
    }
    if (this.#emptyBlocks > 0) throw incomplete('something follows the end of the tar')
    if (checksumOf(block) !== octal(block.subarray(148, 156))) throw incomplete('the tar is damaged')
    const type = String.fromCharCode(block[156] ?? 0)
    if (type !== '0' && type !== '\0')
      throw incomplete(`the tar holds something of type ${type}, not only files`)
    this.#name = textOf(block.subarray(0, 100))
    this.#bytesLeft = sizeOf(block)
    this.#padding = (BLOCK - (this.#bytesLeft % BLOCK)) % BLOCK
    this.#file = { lines: 0, tail: '' }
    if (this.#files.has(this.#name)) throw incomplete(`the tar holds ${this.#name} twice`)
    if (this.#files.size === MOST_FILES) throw incomplete(`the tar holds more than ${MOST_FILES} files`)
    this.#files.set(this.#name, this.#file)
    if (/^blobs(_\d+)?\.toc$/.test(this.#name)) this.#lists.set(this.#name, [])
  }

  #content(piece: Uint8Array): void {
    if (this.#name === 'toc.dat') {
      if (this.#tocRest) this.#tocRest = piece
      else this.#tocRest = this.#toc.push(piece)
      return
    }
    const list = this.#lists.get(this.#name)
    if (list) {
      this.#listBytes += piece.length
      if (this.#listBytes > LONGEST_LISTS) throw incomplete('its lists of large objects are too long')
      list.push(Buffer.from(piece))
    }
    if (!this.#file) return
    this.#file.lines += countLines(piece)
    const end = Buffer.from(piece.subarray(-END_OF_COPY.length)).toString('latin1')
    this.#file.tail = (this.#file.tail + end).slice(-END_OF_COPY.length)
  }
}

function nameOf({ schema, name }: TocEntry): string {
  return tableName(schema, name)
}

function countLines(bytes: Uint8Array): number {
  let lines = 0
  for (let i = bytes.indexOf(NEWLINE); i !== -1; i = bytes.indexOf(NEWLINE, i + 1)) lines++
  return lines
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0)
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString()
}

/** In octal, or, from 8 GiB on, in binary. */
function sizeOf(block: Uint8Array): number {
  const field = block.subarray(124, 136)
  if ((field[0] ?? 0) & 0x80) return field.subarray(1).reduce((size, byte) => size * 256 + byte, 0)
  const size = octal(field)
  if (!(size >= 0)) throw incomplete('the tar is damaged')
  return size
}

function octal(field: Uint8Array): number {
  return Number.parseInt(textOf(field).trim(), 8)
}

/** The sum of all bytes of a header, those of the sum itself taken for spaces. */
function checksumOf(block: Uint8Array): number {
  let sum = 8 * 32
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0
  return sum
}

function incomplete(why: string): AppError {
  return new AppError('dump_incomplete', `The dump is not complete: ${why}.`)
}
