import { Readable } from 'node:stream'
import { openCopy } from '../../runner/read-copy.ts'
import { Meter } from '../../lib/meter.ts'
import { AppError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { keyRingOf } from '../keys/keys.ts'
import { type ReadableCopy, readableCopy, snapshotOf } from './snapshots.ts'

/** Seconds for which a link to a volume works. */
const LINK_LASTS = 900

export interface Download {
  fileName: string
  /** Undefined where it is known only in the end. */
  bytes: number | undefined
  /** Of all bytes; strong. */
  etag: string
  /** Breaks, rather than ends, if the bytes turn out not to be those of the snapshot. Closes what it was opened on. */
  body: Readable
}

/** Bytes `start` to `end`, both included. */
export interface Range {
  start: number
  end: number
}

/** The copy to download from; whoever gets it disposes of its volume. */
export async function openDownload(
  context: AppContext,
  organizationId: string,
  id: string,
  volumeId: string | undefined,
  signal: AbortSignal,
): Promise<ReadableCopy> {
  await snapshotOf(context, organizationId, id)
  return await readableCopy(context, organizationId, id, { volumeId, signal })
}

/** A link to the object that works without credentials; undefined where the volume has no such thing. */
export async function linkTo({
  volume,
  key,
}: ReadableCopy): Promise<{ url: string; expiresAt: string } | undefined> {
  const expiresAt = new Date(Date.now() + LINK_LASTS * 1000).toISOString()
  const url = await volume.presign?.(key, LINK_LASTS)
  return url === undefined ? undefined : { url, expiresAt }
}

/** The object as it is stored, or a part of it. */
export function storedBytes(
  { volume, key, manifest }: ReadableCopy,
  range: Range | undefined,
  signal: AbortSignal,
): Download {
  const { bytes, sha256 } = manifest.stored
  const named = { fileName: key.slice(key.lastIndexOf('/') + 1), etag: `"${sha256}"` }
  if (range) {
    const body = stream(volume, volume.read(key, signal, range))
    return { ...named, bytes: range.end - range.start + 1, body }
  }
  return { ...named, bytes, body: stream(volume, checked(volume.read(key, signal), manifest.stored)) }
}

/** The dump as its tool wrote it: decrypted and decompressed on the way. Throws before the first byte without a key. */
export async function plainBytes(
  context: AppContext,
  organizationId: string,
  { volume, key, manifest }: ReadableCopy,
  signal: AbortSignal,
): Promise<Download> {
  const keys = await keyRingOf(context, organizationId)
  const readRaw = await openCopy(volume, key, manifest, keys, signal)
  return {
    fileName: manifest.fileName,
    bytes: manifest.raw.bytes,
    etag: `"${manifest.raw.sha256}"`,
    body: stream(volume, exactly(readRaw(), manifest.raw.bytes)),
  }
}

/**
 * The range that a `Range` header asks for, of so many bytes; undefined if it is none that we serve: then the whole
 * is sent, as HTTP has it. Null if it begins behind the end.
 */
export function readRange(header: string | undefined, bytes: number): Range | null | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const start = Math.max(0, bytes - Number(last))
    return start < bytes ? { start, end: bytes - 1 } : null
  }
  const start = Number(first)
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start < bytes ? { start, end } : null
}

/** A header that saves the file under its name, whatever is in it (RFC 6266, RFC 5987). */
export function dispositionOf(fileName: string): string {
  const ascii =
    fileName
      .normalize('NFKD')
      .replaceAll(/[^\x20-\x7e]/g, '')
      .replaceAll(/["\\%/]/g, '_') || 'snapshot'
  const encoded = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** Ends only if they are the bytes that were stored, and keeps the last piece back until that is known. */
async function* checked(
  source: AsyncIterable<Uint8Array>,
  { bytes, sha256 }: { bytes: number; sha256: string },
): AsyncGenerator<Uint8Array, void> {
  const meter = new Meter()
  yield* exactly(verified(), bytes)

  async function* verified(): AsyncGenerator<Uint8Array, void> {
    yield* meter.measure(source)
    if (meter.sha256 === sha256) return
    throw new AppError('checksum_mismatch', 'The bytes have changed since they were stored.')
  }
}

/**
 * The bytes, of which the last piece comes only when the source has ended without complaint: with a `Content-Length`,
 * whoever has all bytes takes them for good. Throws when there are more, or less, than was said.
 */
async function* exactly(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array, void> {
  let seen = 0
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    if (chunk.length === 0) continue
    seen += chunk.length
    if (seen > bytes) break
    if (held) yield held
    held = chunk
  }
  if (seen !== bytes)
    throw new AppError('checksum_mismatch', `There are not ${bytes} bytes, as there should be.`)
  if (held) yield held
}

/** Also where nobody reads a byte of it, the volume is closed with it. */
function stream(volume: AsyncDisposable, bytes: AsyncIterable<Uint8Array>): Readable {
  const body = Readable.from(bytes, { objectMode: false })
  body.once('close', () => void volume[Symbol.asyncDispose]())
  return body
}
