import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { damaged } from './failures.ts'

// The payload of https://age-encryption.org/v1#payload by OpenSSL instead of the package's JavaScript: why, and how
// much faster, is in docs/decisions/0010-age-payload-with-node-crypto.md.

export const PAYLOAD_NONCE_LENGTH = 16

const CHUNK = 65_536
const TAG = 16

/** The bytes in chunks that are encrypted and authenticated one by one, in order, the last of them marked. */
export async function* encryptPayload(
  fileKey: Uint8Array,
  nonce: Uint8Array,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const key = payloadKey(fileKey, nonce)
  for await (const { bytes, number, isLast } of chunksOf(source, CHUNK)) {
    const cipher = createCipheriv('chacha20-poly1305', key, chunkNonce(number, isLast), {
      authTagLength: TAG,
    })
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }
}

/** Gives each chunk after it was authenticated; throws `decryption_failed` rather than ends without the last. */
export async function* decryptPayload(
  fileKey: Uint8Array,
  nonce: Uint8Array,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const key = payloadKey(fileKey, nonce)
  for await (const { bytes, number, isLast } of chunksOf(source, CHUNK + TAG)) {
    if (bytes.length < TAG) throw damaged('it ends too early')
    if (bytes.length === TAG && number > 0) throw damaged('its last chunk is empty')
    const decipher = createDecipheriv('chacha20-poly1305', key, chunkNonce(number, isLast), {
      authTagLength: TAG,
    })
    decipher.setAuthTag(bytes.subarray(-TAG))
    const content = decipher.update(bytes.subarray(0, -TAG))
    try {
      decipher.final()
    } catch (error) {
      throw damaged(isLast ? 'it ends too early, or its end has changed' : 'a part of it has changed', error)
    }
    if (content.length > 0) yield content
  }
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32)))
}

/** 11 bytes of the chunk's number, then 1 for the last chunk. */
function chunkNonce(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/**
 * The bytes in chunks of `size`; the last, which no byte follows, may be shorter, and is empty only if there are
 * none at all. A chunk's memory is used again for the next.
 */
async function* chunksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ bytes: Buffer; number: number; isLast: boolean }, void> {
  const chunk = Buffer.allocUnsafe(size)
  let number = 0
  let filled = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      if (filled === size) {
        yield { bytes: chunk, number, isLast: false }
        number++
        filled = 0
      }
      const taken = Math.min(size - filled, piece.length - at)
      chunk.set(piece.subarray(at, at + taken), filled)
      filled += taken
      at += taken
    }
  }
  yield { bytes: chunk.subarray(0, filled), number, isLast: true }
}
