import { crc32 } from 'node:zlib'
import { damaged, ForeignSevenzip } from './failures.ts'
import { ByteReader, ByteWriter } from './numbers.ts'

/** The layout is described in docs/formats/7z.md; the names are those of 7-Zip's DOC/7zFormat.txt. */

/** The 32 bytes that every 7z file begins with. */
export const SIGNATURE_LENGTH = 32

/** Bytes that AES-256-CBC made of others. */
export interface Sealed extends Stream {
  crc: number
}

interface Stream {
  /** Where they begin, counted from the end of the signature header. */
  position: number
  sealedBytes: number
  iv: Uint8Array
  /** Before encryption, without the padding. */
  bytes: number
}

/** The only entry of an archive. */
export interface Entry {
  name: string
  modifiedAt: Date | undefined
  /** Undefined for an entry without content. */
  content: Sealed | undefined
}

const MAGIC = Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])
const AES_256_SHA_256 = Buffer.from([0x06, 0xf1, 0x07, 0x01])
const ROUNDS_2_TO_THE_19 = 19
const IV_PRESENT = 0x40
const ALL_DEFINED = 1

const END = 0x00
const HEADER = 0x01
const MAIN_STREAMS = 0x04
const FILES = 0x05
const PACK_INFO = 0x06
const UNPACK_INFO = 0x07
const SUB_STREAMS = 0x08
const SIZE = 0x09
const CRC = 0x0a
const FOLDER = 0x0b
const UNPACK_SIZE = 0x0c
const EMPTY_STREAM = 0x0e
const NAMES = 0x11
const MODIFIED = 0x14
const ENCODED_HEADER = 0x17
const DUMMY = 0x19

const EPOCH_IN_FILETIME = 11_644_473_600_000n
const DUMMY_BYTES = 8

/** The signature header; `header` is what the archive ends with, `offset` where that begins after these 32 bytes. */
export function encodeSignature(offset: number, header: Uint8Array): Buffer {
  const start = new ByteWriter()
    .uint64(BigInt(offset))
    .uint64(BigInt(header.length))
    .uint32(crc32(header))
    .build()
  return new ByteWriter().raw(MAGIC).bytes(0, 4).uint32(crc32(start)).raw(start).build()
}

/** Where the last header is. Throws `decryption_failed` unless these are the first 32 bytes of a whole 7z archive. */
export function parseSignature(
  bytes: Uint8Array,
  archiveBytes: number,
): { offset: number; length: number; crc: number } {
  const reader = new ByteReader(bytes)
  if (!reader.raw(MAGIC.length).equals(MAGIC)) throw damaged('it does not begin as a 7z archive does')
  const [major, minor] = reader.raw(2)
  const crc = reader.uint32()
  const start = new ByteReader(reader.raw(20))
  if (crc32(bytes.subarray(12, SIGNATURE_LENGTH)) !== crc) throw damaged('its first 32 bytes have changed')
  if (major !== 0 || minor !== 4) throw new ForeignSevenzip(`is of version ${major}.${minor}`)
  const offset = start.uint64()
  const length = start.uint64()
  const expected = BigInt(SIGNATURE_LENGTH) + offset + length
  if (expected !== BigInt(archiveBytes)) {
    throw damaged(`it has ${archiveBytes} bytes where ${expected} are expected`)
  }
  return { offset: Number(offset), length: Number(length), crc: start.uint32() }
}

/** The header: what the archive contains. It is to be encrypted itself. */
export function encodeHeader(name: string, modifiedAt: Date, content: Sealed): Buffer {
  const header = new ByteWriter()
    .bytes(HEADER, MAIN_STREAMS)
    .raw(encodeStreams(content))
    .bytes(SUB_STREAMS, END, END)
    .bytes(FILES, 1)
  property(header, NAMES, Buffer.concat([Buffer.from([0]), Buffer.from(`${name}\0`, 'utf16le')]))
  const filetime = (BigInt(modifiedAt.getTime()) + EPOCH_IN_FILETIME) * 10_000n
  property(header, MODIFIED, new ByteWriter().bytes(1, 0).uint64(filetime).build())
  // These zeros come last, so that a damaged header and a wrong password can be told apart: see `looksLikeHeader`.
  property(header, DUMMY, Buffer.alloc(DUMMY_BYTES))
  return header.bytes(END, END).build()
}

/** What the archive ends with: where the encrypted header is. */
export function encodeEncodedHeader(header: Sealed): Buffer {
  return new ByteWriter().bytes(ENCODED_HEADER).raw(encodeStreams(header)).bytes(END).build()
}

/** Throws `ForeignSevenzip` if the header is not encrypted, or with more than AES. */
export function parseEncodedHeader(bytes: Uint8Array): Sealed {
  const reader = new ByteReader(bytes)
  const kind = reader.byte()
  if (kind === HEADER) throw new ForeignSevenzip('names its content without the password')
  if (kind !== ENCODED_HEADER) throw damaged('its last header is unknown')
  const streams = parseStreams(reader)
  if (streams.crc === undefined) throw new ForeignSevenzip('has a header without a checksum')
  if (reader.left > 0) throw damaged('its last header is too long')
  return { ...streams, crc: streams.crc }
}

/** Throws `ForeignSevenzip` if there is more than one entry, or more than AES was applied to it. */
export function parseHeader(bytes: Uint8Array): Entry {
  const reader = new ByteReader(bytes)
  if (reader.byte() !== HEADER) throw damaged('its header is unknown')
  let next = reader.byte()
  let content: (Stream & { crc: number | undefined }) | undefined
  if (next === MAIN_STREAMS) {
    content = parseStreams(reader)
    next = reader.byte()
  } else if (next !== FILES) {
    throw new ForeignSevenzip('has a header with parts that only 7-Zip knows')
  }
  if (next !== FILES) throw new ForeignSevenzip('contains no file')
  const count = reader.number()
  if (count !== 1) throw new ForeignSevenzip(`contains ${count} entries`)
  const entry = parseFile(reader)
  if (reader.byte() !== END || reader.left > 0) throw damaged('its header is too long')
  if (entry.isEmpty === (content !== undefined)) throw damaged('its header contradicts itself')
  if (!content) return { name: entry.name, modifiedAt: entry.modifiedAt, content: undefined }
  if (content.crc === undefined) throw new ForeignSevenzip('has no checksum of its content')
  return { name: entry.name, modifiedAt: entry.modifiedAt, content: { ...content, crc: content.crc } }
}

/**
 * Whether decrypted bytes whose checksum is wrong are a header all the same, that is: the password was right.
 * Damage in one place spoils two blocks of 16 bytes, so that either the beginning or the end is still as we wrote it;
 * a wrong password hits one of them by chance in 2^48 cases.
 */
export function looksLikeHeader(bytes: Buffer): boolean {
  const beginning = Buffer.from([HEADER, MAIN_STREAMS, PACK_INFO, 0, 1, SIZE])
  return bytes.subarray(0, 6).equals(beginning) || bytes.subarray(-8).equals(Buffer.alloc(8))
}

function encodeStreams(sealed: Sealed): Buffer {
  const properties = Buffer.concat([
    Buffer.from([ROUNDS_2_TO_THE_19 | IV_PRESENT, sealed.iv.length - 1]),
    sealed.iv,
  ])
  return new ByteWriter()
    .bytes(PACK_INFO)
    .number(sealed.position)
    .number(1)
    .bytes(SIZE)
    .number(sealed.sealedBytes)
    .bytes(END)
    .bytes(UNPACK_INFO, FOLDER, 1, 0)
    .bytes(1, 0x20 | AES_256_SHA_256.length)
    .raw(AES_256_SHA_256)
    .number(properties.length)
    .raw(properties)
    .bytes(UNPACK_SIZE)
    .number(sealed.bytes)
    .bytes(CRC, 1)
    .uint32(sealed.crc)
    .bytes(END)
    .build()
}

/** One packed stream through one AES coder, to the END of the streams' description. */
function parseStreams(reader: ByteReader): Stream & { crc: number | undefined } {
  if (reader.byte() !== PACK_INFO) throw new ForeignSevenzip('has no packed content')
  const position = reader.number()
  if (reader.number() !== 1) throw new ForeignSevenzip('has its content in several streams')
  if (reader.byte() !== SIZE) throw new ForeignSevenzip('does not say the size of its content')
  const sealedBytes = reader.number()
  if (reader.byte() !== END) throw new ForeignSevenzip('describes its content in a way that only 7-Zip knows')

  if (reader.byte() !== UNPACK_INFO || reader.byte() !== FOLDER)
    throw damaged('its header contradicts itself')
  if (reader.number() !== 1 || reader.byte() !== 0)
    throw new ForeignSevenzip('has its content in several parts')
  const iv = parseAesCoder(reader)
  if (reader.byte() !== UNPACK_SIZE) throw damaged('its header contradicts itself')
  const bytes = reader.number()
  let { crc, next } = parseChecksum(reader)
  if (next !== END) throw damaged('its header contradicts itself')

  next = reader.byte()
  if (next === SUB_STREAMS) {
    const subStream = parseChecksum(reader)
    if (subStream.next !== END) throw new ForeignSevenzip('has several entries in one stream')
    crc ??= subStream.crc
    next = reader.byte()
  }
  if (next !== END) throw damaged('its header contradicts itself')
  if (sealedBytes !== Math.ceil(bytes / 16) * 16)
    throw damaged('the sizes in its header contradict each other')
  return { position, sealedBytes, iv, bytes, crc }
}

/** The checksum of a single stream, if it is given, and the id that comes next. */
function parseChecksum(reader: ByteReader): { crc: number | undefined; next: number } {
  const id = reader.byte()
  if (id !== CRC) return { crc: undefined, next: id }
  if (reader.byte() !== ALL_DEFINED) throw new ForeignSevenzip('leaves checksums out')
  return { crc: reader.uint32(), next: reader.byte() }
}

/** The IV of a folder whose only coder is AES with our parameters. */
function parseAesCoder(reader: ByteReader): Buffer {
  if (reader.number() !== 1) throw new ForeignSevenzip('is compressed by 7-Zip itself')
  const flags = reader.byte()
  const id = reader.raw(flags & 0x0f)
  if (!id.equals(AES_256_SHA_256)) throw new ForeignSevenzip('is not encrypted with AES-256')
  if ((flags & 0xf0) !== 0x20) throw new ForeignSevenzip('has AES parameters that only 7-Zip knows')
  const properties = reader.raw(reader.number())
  const ivLength = properties.length - 2
  const ours = properties[0] === (ROUNDS_2_TO_THE_19 | IV_PRESENT) && properties[1] === ivLength - 1
  if (!ours || ivLength > 16) throw new ForeignSevenzip('has another key derivation than the usual one')
  return Buffer.concat([properties.subarray(2), Buffer.alloc(16 - ivLength)])
}

/** The properties of one file, to the END of the list. Those which do not matter here (attributes, …) are skipped. */
function parseFile(reader: ByteReader): { name: string; modifiedAt: Date | undefined; isEmpty: boolean } {
  let name: string | undefined
  let modifiedAt: Date | undefined
  let isEmpty = false
  for (let id = reader.number(); id !== END; id = reader.number()) {
    const value = new ByteReader(reader.raw(reader.number()))
    if (id === NAMES) name = parseName(value)
    else if (id === MODIFIED) modifiedAt = parseTime(value)
    else if (id === EMPTY_STREAM) isEmpty = (value.byte() & 0x80) !== 0
  }
  if (name === undefined) throw new ForeignSevenzip('has an entry without a name')
  return { name, modifiedAt, isEmpty }
}

function parseName(reader: ByteReader): string {
  if (reader.byte() !== 0) throw new ForeignSevenzip('keeps its names elsewhere')
  const text = reader.raw(reader.left).toString('utf16le')
  if (!text.endsWith('\0') || text.indexOf('\0') !== text.length - 1)
    throw damaged('the name of its entry is broken')
  return text.slice(0, -1)
}

function parseTime(reader: ByteReader): Date | undefined {
  if (reader.byte() === 0 || reader.byte() !== 0) return undefined
  return new Date(Number(reader.uint64() / 10_000n - EPOCH_IN_FILETIME))
}

function property(header: ByteWriter, id: number, value: Uint8Array): void {
  header.bytes(id).number(value.length).raw(value)
}
