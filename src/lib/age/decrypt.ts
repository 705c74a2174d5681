import { AppError } from '../../shared/errors.ts'
import { damaged } from './failures.ts'
import { headerEnd, openHeader } from './header.ts'
import type { AgeKeys } from './keys.ts'
import { decryptPayload, PAYLOAD_NONCE_LENGTH } from './payload.ts'

/**
 * What is in an age file. Never gives a byte that was not authenticated, and never ends before the file's own end.
 * Throws `key_wrong` before the first byte if none of the keys opens it, `decryption_failed` if it is damaged or
 * incomplete, `unsupported` if it asks for too much work, and what the source throws as it is.
 */
export async function* decryptAge(
  keys: AgeKeys,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const pieces = source[Symbol.asyncIterator]()
  try {
    const { header, nonce, rest } = await readBeginning(pieces, signal)
    const fileKey = await openHeader(header, keys)
    signal.throwIfAborted()
    if (!fileKey) {
      throw new AppError('key_wrong', 'None of the age keys at hand opens the file.', {
        hint: 'It was encrypted to others. If a key is right beyond doubt, the file is damaged.',
      })
    }
    yield* decryptPayload(fileKey, nonce, following(rest, pieces, signal))
  } finally {
    await pieces.return?.()
  }
}

/** Whether one of the keys opens the file that begins with these bytes: 64 KiB are always enough of them. */
export async function ageIdentityFits(firstBytes: Uint8Array, keys: AgeKeys): Promise<boolean> {
  const bytes = Buffer.from(firstBytes.buffer, firstBytes.byteOffset, firstBytes.length)
  const end = headerEnd(bytes)
  if (end === undefined) throw damaged('it ends within its header')
  return (await openHeader(bytes.subarray(0, end), keys)) !== undefined
}

async function readBeginning(
  pieces: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<{ header: Buffer; nonce: Buffer; rest: Buffer }> {
  let bytes = Buffer.alloc(0)
  for (;;) {
    signal.throwIfAborted()
    const end = headerEnd(bytes)
    const payload = (end ?? Infinity) + PAYLOAD_NONCE_LENGTH
    if (bytes.length >= payload) {
      return {
        header: bytes.subarray(0, end),
        nonce: bytes.subarray(end, payload),
        rest: bytes.subarray(payload),
      }
    }
    const piece = await pieces.next()
    if (piece.done) throw damaged('it ends within its header')
    bytes = Buffer.concat([bytes, piece.value])
  }
}

async function* following(
  first: Uint8Array,
  pieces: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  yield first
  for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) {
    signal.throwIfAborted()
    yield piece.value
  }
}
