import { createDecipheriv } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { damaged, ForeignSevenzip, wrongPassword } from './failures.ts'
import {
  looksLikeHeader,
  parseEncodedHeader,
  parseHeader,
  parseSignature,
  SIGNATURE_LENGTH,
  type Sealed,
} from './header.ts'
import type { SevenzipKey } from './key.ts'
import { sevenzipKey, type SevenzipSecret } from './seal.ts'

/** An archive that can be read from any place. */
export interface SevenzipFile {
  /** Its size. */
  bytes: number
  /** The bytes `start` to `end`, both included; exactly these, or it throws. */
  read(start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** The only file in an archive. */
export interface SevenzipEntry {
  /** As the archive says: not to be used as a path. */
  name: string
  modifiedAt: Date | undefined
  bytes: number
  /** Throws `decryption_failed` rather than ends if the checksum or the size of what it gave is not the archive's. */
  content(signal: AbortSignal): AsyncGenerator<Uint8Array, void>
}

/** A header of ours is some hundred bytes long; 64 KiB leave room for the longest of names. */
const HEADER_LIMIT = 65_536

/**
 * Opens an archive as `sealSevenzip` makes it, reading its head and its tail. Throws `key_wrong` for a wrong
 * password, `decryption_failed` for a damaged or truncated archive, and `ForeignSevenzip` for one that is sound so
 * far but that only the 7-Zip program reads.
 */
export async function openSevenzip(
  file: SevenzipFile,
  secret: SevenzipSecret,
  signal: AbortSignal,
): Promise<SevenzipEntry> {
  if (file.bytes < SIGNATURE_LENGTH) throw damaged(`it has ${file.bytes} bytes only`)
  const last = parseSignature(await readAll(file, 0, SIGNATURE_LENGTH, signal), file.bytes)
  if (last.length === 0) throw new ForeignSevenzip('is empty')
  if (last.length > HEADER_LIMIT) throw new ForeignSevenzip('has a large header')
  const lastHeader = await readAll(file, SIGNATURE_LENGTH + last.offset, last.length, signal)
  if (crc32(lastHeader) !== last.crc) throw damaged('its end has changed')

  const sealedHeader = parseEncodedHeader(lastHeader)
  if (sealedHeader.bytes > HEADER_LIMIT) throw new ForeignSevenzip('has a large header')
  if (sealedHeader.bytes === 0) throw damaged('its header is empty')
  checkPlace(sealedHeader, last.offset)
  const key = await sevenzipKey(secret)
  const header = await openHeader(file, sealedHeader, key, signal)
  const { name, modifiedAt, content } = parseHeader(header)
  if (content) checkPlace(content, sealedHeader.position)
  return {
    name,
    modifiedAt,
    bytes: content?.bytes ?? 0,
    async *content(signal) {
      if (content) yield* unseal(file, content, key, signal)
    },
  }
}

async function openHeader(
  file: SevenzipFile,
  sealed: Sealed,
  key: SevenzipKey,
  signal: AbortSignal,
): Promise<Buffer> {
  const bytes = await readAll(file, SIGNATURE_LENGTH + sealed.position, sealed.sealedBytes, signal)
  const decipher = createDecipheriv('aes-256-cbc', key, sealed.iv).setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(bytes), decipher.final()])
  const header = padded.subarray(0, sealed.bytes)
  if (crc32(header) === sealed.crc) {
    checkPadding(padded.subarray(sealed.bytes))
    return header
  }
  throw looksLikeHeader(header) ? damaged('its header has changed') : wrongPassword()
}

async function* unseal(
  file: SevenzipFile,
  sealed: Sealed,
  key: SevenzipKey,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const decipher = createDecipheriv('aes-256-cbc', key, sealed.iv).setAutoPadding(false)
  let left = sealed.bytes
  let crc = 0
  for await (const chunk of readExactly(
    file,
    SIGNATURE_LENGTH + sealed.position,
    sealed.sealedBytes,
    signal,
  )) {
    const padded = decipher.update(chunk)
    const content = padded.subarray(0, left)
    checkPadding(padded.subarray(content.length))
    left -= content.length
    crc = crc32(content, crc)
    if (content.length > 0) yield content
  }
  decipher.final()
  if (left > 0 || crc !== sealed.crc) throw damaged('the checksum of its content does not match')
}

async function readAll(
  file: SevenzipFile,
  start: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readExactly(file, start, length, signal)))
}

/** As many bytes as that, neither fewer nor more. */
async function* readExactly(
  file: SevenzipFile,
  start: number,
  length: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (length === 0) return
  let read = 0
  for await (const chunk of file.read(start, start + length - 1, signal)) {
    signal.throwIfAborted()
    read += chunk.length
    if (read > length) break
    yield chunk
  }
  if (read !== length) throw damaged(`reading ${length} bytes of it gave ${read}`)
}

/** What is sealed lies between the signature and what comes after it. */
function checkPlace(sealed: Sealed, end: number): void {
  if (sealed.position + sealed.sealedBytes > end) throw damaged('its header points outside of it')
}

function checkPadding(padding: Uint8Array): void {
  if (padding.some((byte) => byte !== 0)) throw damaged('the padding of its content has changed')
}
