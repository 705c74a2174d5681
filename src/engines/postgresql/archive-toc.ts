import { AppError, throwNow } from '../../shared/errors.ts'
import { encodingIn, nameReader, unreadableNames, type NameReader } from './encodings.ts'
import { SQL_NAME, tableName, unquoted } from './names.ts'

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
  /** False if name and schema are not certain, because of their encoding: then they are for a person alone. */
  isNamed: boolean
  /** True if its data are rows in the text form of COPY. */
  isCopy: boolean
  /** False if these are loaded into another table: the one that it is a partition of. */
  isOwnCopy: boolean
  /** True if the archive must hold a block, or a file, of data for it. */
  hasData: boolean
  /** In the custom format, where it is known: how many bytes are before its data. */
  place: number | undefined
  /** In a directory: the name of the file with its data. */
  file: string | undefined
  dependencies: number[]
}

const MAGIC = Buffer.from('PGDMP')
const CUSTOM = 1
const TAR = 3 // what the toc.dat of a directory says too
const DIRECTORY = 5
const OFFSET_UNKNOWN = 1
const OFFSET_KNOWN = 2
const OFFSET_NO_DATA = 3
/** A name longer than this is no name of pg_dump's. */
const LONGEST_NAME = 1_048_576
const GREATEST_NUMBER = 2_147_483_647
/** pg_dump counts its objects; pg_restore makes room for as many as the greatest of these numbers. */
const GREATEST_ID = 67_108_864
/** Of statements the beginning tells all that we need. */
const KEPT_OF_STATEMENT = 1024
/** Entries weigh as much as eight dependencies; 4 million of them take a gigabyte. */
const ENTRY_WEIGHT = 8
const GREATEST_WEIGHT = 33_554_432
const NO_BYTES = new Uint8Array(0)

/** An entry of which not all fields have come. */
interface Draft {
  id: number
  hadDumper: boolean
  name: Uint8Array
  kind: string
  createStatement: string
  copyStatement: string
  schema: Uint8Array
  dependencies: number[]
  place: number | undefined
  file: string | undefined
  hasData: boolean
}

/**
 * Reads the header and the table of contents of an archive, in pieces of any size. Knows the archive versions 1.12 to
 * 1.16, which is pg_dump 9.0 to 18. Keeps no more than the entries, and the bytes of one field that has not come whole:
 * neither long statements nor long lists are gathered, or read twice.
 */
export class TocParser {
  header: ArchiveHeader | undefined
  readonly entries: TocEntry[] = []
  /** Of the dump, in PostgreSQL's words. */
  encoding = 'UTF8'
  /**
   * How many bytes are before the statement that creates the schema public, if there is one, as where that schema was
   * chosen; other dumps know that every database has it.
   */
  createsPublicAt: number | undefined
  readonly #isKept: (entry: TocEntry) => boolean
  readonly #greatestWeight: number
  #readName: NameReader = nameReader('UTF8')
  /** Unknown until it is read: the number of entries that are still to come. */
  #expected: number | undefined
  #weight = 0
  #fields: readonly ((draft: Draft) => void)[] = []
  #draft: Draft = emptyDraft()
  /** The next field of the draft. */
  #field = 0
  #pending: Uint8Array = NO_BYTES
  #at = 0
  #pushed = 0
  /** Up to here all is read and kept. */
  #read = 0
  #wanted = 0
  /** How many bytes that have not come are of no interest. */
  #skipped = 0

  /** With a header, reads a table of contents alone. Entries that are not to be kept are read and forgotten. */
  constructor(
    header?: ArchiveHeader,
    isKept: (entry: TocEntry) => boolean = () => true,
    greatestWeight = GREATEST_WEIGHT,
  ) {
    this.header = header
    this.#isKept = isKept
    this.#greatestWeight = greatestWeight
  }

  /**
   * Takes more bytes. Returns those behind the table of contents once it is complete, and undefined before. Throws
   * `dump_incomplete` if this is no archive that we can read.
   */
  push(bytes: Uint8Array): Uint8Array | undefined {
    this.#pushed += bytes.length
    const skipped = Math.min(this.#skipped, bytes.length)
    this.#skipped -= skipped
    if (this.#skipped > 0) return undefined
    const more = bytes.subarray(skipped)
    this.#pending = this.#pending.length === this.#at ? more : join(this.#pending.subarray(this.#at), more)
    this.#at = 0
    this.#read = 0
    // A long name is not tried again for each piece of it that comes.
    if (this.#pending.length < this.#wanted) return undefined
    this.#wanted = 0
    try {
      this.#readAll()
    } catch (error) {
      if (error !== MORE) throw error
      this.#at = this.#read
      this.#wanted -= this.#read
      return undefined
    }
    const rest = this.#pending.subarray(this.#at)
    this.#pending = NO_BYTES
    this.#at = 0
    return rest
  }

  /** How many of the bytes that it was given it has not looked at yet. */
  get unreadBytes(): number {
    return this.#pending.length - this.#at
  }

  #readAll(): void {
    const header = (this.header ??= this.#readHeader())
    if (this.#expected === undefined) {
      this.#read = this.#at
      const expected = this.#int()
      if (expected < 0) throw unreadable('its table of contents has a negative length')
      this.#expected = expected
      this.#fields = this.#fieldsOf(header)
    }
    this.#read = this.#at
    while (this.#expected > 0) {
      for (let field = this.#fields[this.#field]; field; field = this.#fields[++this.#field]) {
        field(this.#draft)
        this.#read = this.#at
      }
      this.#endEntry(this.#draft)
      this.#draft = emptyDraft()
      this.#field = 0
      this.#expected--
    }
  }

  #readHeader(): ArchiveHeader {
    const start = this.#pending.subarray(0, MAGIC.length)
    if (MAGIC.compare(start, 0, start.length, 0, start.length) !== 0)
      throw unreadable('it does not begin like one')
    this.#at = MAGIC.length
    const [major, minor, revision] = [this.#byte(), this.#byte(), this.#byte()]
    const version = `${major}.${minor}.${revision}`
    // No release has written a revision, and pg_restore crashes on some.
    if (major !== 1 || minor === undefined || minor < 12 || minor > 16 || revision !== 0) {
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
    this.#bytes() // the database's name
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

  /** In their order. Each reads from where the one before it has ended, or throws MORE and is called again. */
  #fieldsOf({ minor, format, offsetBytes }: ArchiveHeader): ((draft: Draft) => void)[] {
    const skipText = () => this.#skipText()
    const skipNumber = () => void this.#int()
    return [
      (draft) => (draft.id = this.#int()),
      (draft) => (draft.hadDumper = this.#int() !== 0),
      skipText, // catalogue
      skipText, // object id
      (draft) => (draft.name = this.#bytes() ?? throwNow(nameless())),
      (draft) => (draft.kind = this.#text() ?? throwNow(nameless())),
      skipNumber, // section
      (draft) => this.#readCreateStatement(draft),
      skipText, // statement that drops it
      (draft) => (draft.copyStatement = this.#statement()),
      (draft) => (draft.schema = this.#bytes() ?? NO_BYTES),
      skipText, // tablespace
      ...(minor >= 14 ? [skipText] : []), // table access method
      ...(minor >= 16 ? [skipNumber] : []), // kind of relation
      skipText, // owner
      skipText, // with oids
      (draft) => this.#readDependencies(draft),
      (draft) => {
        if (format === 'custom') this.#readPlace(draft, offsetBytes)
        else {
          draft.file = this.#text() || undefined
          draft.hasData = draft.file !== undefined
        }
      },
    ]
  }

  #readCreateStatement(draft: Draft): void {
    draft.createStatement = this.#statement()
    const isOfPublic = draft.kind === 'SCHEMA' && Buffer.from(draft.name).toString() === 'public'
    if (!isOfPublic || !draft.createStatement.startsWith('CREATE ')) return
    this.createsPublicAt = this.#pushed - this.unreadBytes - draft.createStatement.length
  }

  #readDependencies({ dependencies }: Draft): void {
    for (;;) {
      const dependency = this.#text()
      if (dependency === undefined) return
      this.#weigh(1)
      dependencies.push(Number(dependency))
      this.#read = this.#at
    }
  }

  #endEntry(draft: Draft): void {
    const { id, kind, hasData, place, file, dependencies, copyStatement } = draft
    if (id <= 0 || id > GREATEST_ID)
      throw unreadable(`its table of contents has an entry with the number ${id}`)
    if (kind === 'ENCODING') {
      const encoding = encodingIn(draft.createStatement)
      if (encoding === undefined) throw unreadable('it does not say which encoding it is in')
      this.encoding = encoding
      this.#readName = nameReader(encoding)
    }
    const name = this.#readName(draft.name)
    const schema = this.#readName(draft.schema)
    const isCopy = copyStatement.startsWith('COPY ')
    const entry: TocEntry = {
      id,
      kind,
      name: name ?? Buffer.from(draft.name).toString(),
      schema: schema ?? Buffer.from(draft.schema).toString(),
      isNamed: name !== undefined && schema !== undefined,
      isCopy,
      isOwnCopy: isCopy && isCopyOf(copyStatement, draft),
      hasData,
      place,
      file,
      dependencies,
    }
    if (!this.#isKept(entry)) {
      this.#weight -= dependencies.length
      return
    }
    this.#weigh(ENTRY_WEIGHT)
    this.entries.push(entry)
  }

  #weigh(weight: number): void {
    this.#weight += weight
    if (this.#weight > this.#greatestWeight) throw unreadable('its table of contents has too many entries')
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
    if (magnitude > GREATEST_NUMBER) throw unreadable('its table of contents holds an impossible number')
    return negative ? -magnitude : magnitude
  }

  /** Undefined stands for no text, as opposed to an empty one. */
  #bytes(): Uint8Array | undefined {
    const length = this.#int()
    if (length < 0) return undefined
    if (length > LONGEST_NAME) throw unreadable('its table of contents holds a name of impossible length')
    return this.#take(length)
  }

  #text(): string | undefined {
    const bytes = this.#bytes()
    return bytes && decoder.decode(bytes)
  }

  /** The beginning of a statement, one character per byte. */
  #statement(): string {
    const length = Math.max(0, this.#int())
    const start = this.#take(Math.min(length, KEPT_OF_STATEMENT))
    this.#skip(length - start.length)
    return Buffer.from(start).toString('latin1')
  }

  #skipText(): void {
    this.#skip(Math.max(0, this.#int()))
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#pending.length) throw this.#more(end)
    const bytes = this.#pending.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  #skip(length: number): void {
    const here = Math.min(length, this.#pending.length - this.#at)
    this.#at += here
    this.#skipped = length - here
  }

  /** Whether there are data, and where, which is known if pg_dump could go back and write it down. */
  #readPlace(draft: Draft, offsetBytes: number): void {
    const kind = this.#byte()
    let place = 0
    for (let i = 0; i < offsetBytes; i++) place += this.#byte() * 256 ** i
    if (kind !== OFFSET_UNKNOWN && kind !== OFFSET_KNOWN && kind !== OFFSET_NO_DATA)
      throw unreadable('it does not say where its data are')
    draft.hasData = draft.hadDumper && kind !== OFFSET_NO_DATA
    draft.place = kind === OFFSET_KNOWN ? place : undefined
  }
}

/** What it takes to know that the rows of an archive are all there, and whose they are. */
export function isOfRows({ kind, hasData }: TocEntry): boolean {
  return hasData || kind === 'TABLE'
}

/**
 * The names of the tables whose rows can be compared with those of a restored database, by the entry of their data. Of a
 * table that an extension brings there are only the rows that were changed, and rows that are loaded through a
 * partitioned table may end in other partitions.
 */
export function comparableTables({ entries }: TocParser): Map<number, string> {
  const nameOf = ({ schema, name }: TocEntry) => tableName(schema, name)
  const created = entries.filter(({ kind }) => kind === 'TABLE')
  const tables = new Set(created.filter(({ isNamed }) => isNamed).map(nameOf))
  return new Map(
    entries
      .filter((entry) => entry.hasData && entry.isNamed && entry.isOwnCopy)
      .map((entry) => [entry.id, nameOf(entry)] as const)
      .filter(([, name]) => created.length === 0 || tables.has(name)),
  )
}

/** What a person should know of the tables that are not among them because of their names. */
export function namingWarnings({ entries, encoding }: TocParser): string[] {
  const unnamed = entries.filter(({ hasData, isCopy, isNamed }) => hasData && isCopy && !isNamed).length
  return unnamed > 0 ? [unreadableNames(unnamed, encoding)] : []
}

/** Where an archive breaks its own rules, it is not a complete dump. */
export function unreadable(why: string): AppError {
  return new AppError('dump_incomplete', `The dump is no archive of pg_dump that can be read: ${why}.`)
}

const MORE = Symbol('more')
const decoder = new TextDecoder()
const COPY_TARGET = new RegExp(`^COPY ${SQL_NAME}\\.${SQL_NAME} `)

/** pg_dump gives every entry both, and pg_restore crashes where one is not there. */
function nameless(): AppError {
  return unreadable('its table of contents has an entry without a name, or of no kind')
}

function emptyDraft(): Draft {
  return {
    id: 0,
    hadDumper: false,
    name: NO_BYTES,
    kind: '',
    createStatement: '',
    copyStatement: '',
    schema: NO_BYTES,
    dependencies: [],
    place: undefined,
    file: undefined,
    hasData: false,
  }
}

/** Whether the statement, of which each character is a byte, fills the table of the entry. */
function isCopyOf(statement: string, { schema, name }: Draft): boolean {
  const [, intoSchema, intoName] = COPY_TARGET.exec(statement) ?? []
  if (intoSchema === undefined || intoName === undefined) return false
  const isSame = (quoted: string, bytes: Uint8Array) =>
    unquoted(quoted) === Buffer.from(bytes).toString('latin1')
  return isSame(intoSchema, schema) && isSame(intoName, name)
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  return first.length === 0 ? second : Buffer.concat([first, second])
}
