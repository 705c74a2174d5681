import { createCipheriv, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { AppError } from '../../shared/errors.ts'
import {
  encodeEncodedHeader,
  encodeHeader,
  encodeSignature,
  SIGNATURE_LENGTH,
  type Sealed,
} from './header.ts'
import { deriveSevenzipKey, type SevenzipKey } from './key.ts'

/** The derived key, which many archives can share, or the password that it is derived from. */
export type SevenzipSecret = { key: SevenzipKey } | { password: string }

export type SealOptions = SevenzipSecret & {
  /** The name of the only file in the archive; no path. */
  entryName: string
  modifiedAt: Date
}

/** What a 7z archive consists of: a body, behind a head that is known only when the body has ended. */
export interface SealedSevenzip {
  head: {
    length: number
    bytes(): Uint8Array
  }
  body: AsyncGenerator<Uint8Array, void>
}

/**
 * Packs the bytes, uncompressed, into a .7z encrypted with AES-256 (names too) that every 7-Zip opens with the
 * password. What the source throws comes out as it is. Throws `invalid_input` for a name that is none.
 */
export function sealSevenzip(options: SealOptions, source: AsyncIterable<Uint8Array>): SealedSevenzip {
  if (/^\.{0,2}$|[/\\\0]/.test(options.entryName)) {
    throw new AppError('invalid_input', `“${options.entryName}” is no name for a file in a 7z archive.`)
  }
  let signature: Buffer | undefined
  return {
    head: {
      length: SIGNATURE_LENGTH,
      bytes() {
        if (!signature)
          throw new AppError('internal', 'The head of a 7z archive was asked for before its body ended.')
        return signature
      },
    },
    body: (async function* () {
      const key = await sevenzipKey(options)
      const content = yield* seal(source, key, 0)
      const plainHeader = encodeHeader(options.entryName, options.modifiedAt, content)
      const header = yield* seal([plainHeader], key, content.sealedBytes)
      const encodedHeader = encodeEncodedHeader(header)
      yield encodedHeader
      signature = encodeSignature(content.sealedBytes + header.sealedBytes, encodedHeader)
    })(),
  }
}

export async function sevenzipKey(secret: SevenzipSecret): Promise<SevenzipKey> {
  return 'key' in secret ? secret.key : await deriveSevenzipKey(secret.password)
}

async function* seal(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  key: SevenzipKey,
  position: number,
): AsyncGenerator<Uint8Array, Sealed> {
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
  let bytes = 0
  let crc = 0
  for await (const chunk of source) {
    bytes += chunk.length
    crc = crc32(chunk, crc)
    const sealed = cipher.update(chunk)
    if (sealed.length > 0) yield sealed
  }
  const sealedBytes = Math.ceil(bytes / 16) * 16
  if (sealedBytes > bytes) yield cipher.update(Buffer.alloc(sealedBytes - bytes))
  cipher.final()
  return { position, sealedBytes, iv, bytes, crc }
}
