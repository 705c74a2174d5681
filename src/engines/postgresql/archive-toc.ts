import { AppError } from '../../shared/errors.ts'

/** What an archive of pg_dump says about itself, before any row. Read from PostgreSQL's pg_backup_archiver.c. */
export interface ArchiveHeader {
  /** `1.14` */
  version: string
  minor: number
  /** The size of a place in a file, in bytes. */
  offsetBytes: number
  format: 'custom' | 'directory'
  compressed: boolean
  /** Of the server and of pg_dump, as text. */
  serverVersion: string
  toolVersion: string
}

/** One line of the table of contents. */
export interface TocEntry {
  id: number
  /** `TABLE`, `TABLE DATA`, `INDEX`, … */
  kind: string
  name: string
  schema: string
  /** True if its data are rows in the text form of COPY. */
  isCopy: boolean
  /** True if the archive must hold a block, or a file, of data for it. */
  hasData: boolean
  /** In a directory: the name of the file with its data. */
  file: string | undefined
  dependencies: number[]
}

const MAGIC = Buffer.from('PGDMP')
const CUSTOM = 1
const TAR = 3 // what the toc.dat of a directory says too
const DIRECTORY = 5
const OFFSET_NO_DATA = 3
/** A text longer than this is no text of pg_dump's. */
const LONGEST_TEXT = 268_435_456

/**
 * Reads the header and the table of contents of an archive, in pieces of any size. Knows the archive versions 1.12 to
 * 1.16, which is pg_dump 9.0 to 18. Keeps no more than the entries, and the bytes of one that has not come whole.
 */
export class TocParser {
  header: ArchiveHeader | undefined
  readonly entries: TocEntry[] = []
  /** Unknown until it is read: the number of entries. */
  #expected: number | undefined
  #pending: Uint8Array = new Uint8Array(0)
  #at = 0
  #wanted = 0

  /** With a header, reads a table of contents alone. */
  constructor(header?: ArchiveHeader) {
    this.header = header
  }

  /**
   * Takes more bytes. Returns those behind the table of contents once it is complete, and undefined before. Throws
   * `dump_incomplete` if this is no archive that we can read.
   */
  push(bytes: Uint8Array): Uint8Array | undefined {
    this.#pending = this.#pending.length === this.#at ? bytes : join(this.#pending.subarray(this.#at), bytes)
    this.#at = 0
    // A long text is not tried again for each piece of it that comes.
    if (this.#pending.length < this.#wanted) return undefined
    let read = 0
    try {
      const header = (this.header ??= this.#readHeader())
      read = this.#at
      this.#expected ??= this.#int()
      if (this.#expected < 0) throw unreadable('its table of contents has a negative length')
      read = this.#at
      while (this.entries.length < this.#expected) {
        this.entries.push(this.#readEntry(header))
        read = this.#at
      }
    } catch (error) {
      if (error !== MORE) throw error
      this.#at = read
      this.#wanted -= read
      return undefined
    }
    const rest = this.#pending.subarray(this.#at)
    this.#pending = new Uint8Array(0)
    return rest
  }

  #readHeader(): ArchiveHeader {
    const start = this.#pending.subarray(0, MAGIC.length)
    if (MAGIC.compare(start, 0, start.length, 0, start.length) !== 0)
      throw unreadable('it does not begin like one')
    this.#at = MAGIC.length
    const [major, minor] = [this.#byte(), this.#byte(), this.#byte()]
    const version = `${major}.${minor}`
    if (major !== 1 || minor === undefined || minor < 12 || minor > 16) {
      throw unreadable(`its version is ${version}, and Holdfast knows 1.12 to 1.16`)
    }
    const intBytes = this.#byte()
    const offsetBytes = this.#byte()
    const format = this.#byte()
    if (intBytes !== 4 || offsetBytes > 8) throw unreadable('it was made on a machine of an unknown kind')
    if (format !== CUSTOM && format !== TAR && format !== DIRECTORY)
      throw unreadable(`its format is ${format}`)
    const compression = minor >= 15 ? this.#byte() : this.#int()
    for (let part = 0; part < 7; part++) this.#int() // when it was made
    this.#text() // the database's name
    const serverVersion = this.#text() ?? ''
    const toolVersion = this.#text() ?? ''
    return {
      version,
      minor,
      offsetBytes,
      format: format === CUSTOM ? 'custom' : 'directory',
      compressed: compression !== 0,
      serverVersion,
      toolVersion,
    }
  }

  #readEntry(header: ArchiveHeader): TocEntry {
    const id = this.#int()
    const hadDumper = this.#int() !== 0
    this.#text() // catalogue
    this.#text() // object id
    const name = this.#text() ?? ''
    const kind = this.#text() ?? ''
    this.#int() // section
    this.#text() // statement that creates it
    this.#text() // statement that drops it
    const copyStatement = this.#text() ?? ''
    const schema = this.#text() ?? ''
    this.#text() // tablespace
    if (header.minor >= 14) this.#text() // table access method
    if (header.minor >= 16) this.#int() // kind of relation
    this.#text() // owner
    this.#text() // with oids
    const dependencies: number[] = []
    for (;;) {
      const dependency = this.#text()
      if (dependency === undefined) break
      dependencies.push(Number(dependency))
    }
    let file: string | undefined
    let hasData: boolean
    if (header.format === 'custom') {
      const place = this.#offset(header.offsetBytes)
      hasData = hadDumper && place !== OFFSET_NO_DATA
    } else {
      file = this.#text() || undefined
      hasData = file !== undefined
    }
    return { id, kind, name, schema, isCopy: copyStatement.startsWith('COPY '), hasData, file, dependencies }
  }

  #byte(): number {
    const byte = this.#pending[this.#at++]
    if (byte === undefined) throw this.#more(this.#at)
    return byte
  }

  /** To be thrown where the bytes that have come are not enough: it takes so many, at least, to read on. */
  #more(wanted: number): typeof MORE {
    this.#wanted = wanted
    return MORE
  }

  /** A sign, then the bytes of its magnitude, the lowest first. */
  #int(): number {
    const negative = this.#byte() !== 0
    const magnitude = this.#byte() + this.#byte() * 0x100 + this.#byte() * 0x10000 + this.#byte() * 0x1000000
    return negative ? -magnitude : magnitude
  }

  /** Undefined stands for no text, as opposed to an empty one. */
  #text(): string | undefined {
    const length = this.#int()
    if (length < 0) return undefined
    if (length > LONGEST_TEXT) throw unreadable('its table of contents holds a text of impossible length')
    const end = this.#at + length
    if (end > this.#pending.length) throw this.#more(end)
    const text = decoder.decode(this.#pending.subarray(this.#at, end))
    this.#at = end
    return text
  }

  /** What is known about where the data are; the place itself is of no use to who reads on. */
  #offset(offsetBytes: number): number {
    const known = this.#byte()
    for (let i = 0; i < offsetBytes; i++) this.#byte()
    return known
  }
}

/** Where an archive breaks its own rules, it is not a complete dump. */
export function unreadable(why: string): AppError {
  return new AppError('dump_incomplete', `The dump is no archive of pg_dump that can be read: ${why}.`)
}

const MORE = Symbol('more')
const decoder = new TextDecoder()

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  return first.length === 0 ? second : Buffer.concat([first, second])
}
