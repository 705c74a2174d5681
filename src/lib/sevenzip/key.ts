import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { AppError } from '../../shared/errors.ts'

/** The AES-256 key that a password becomes. A KeyObject, because that never shows its bytes when it is printed. */
export type SevenzipKey = KeyObject

/**
 * The password of a key value: of `base64:…` the hex of what it encodes, so that a random key can be typed into any
 * 7-Zip; else the value as it is. Throws `invalid_input` for an empty or undecodable one.
 */
export function sevenzipPassword(value: string): string {
  if (value === '') throw new AppError('invalid_input', 'An encryption key may not be empty.')
  if (!value.startsWith('base64:')) return value
  const encoded = value.slice('base64:'.length)
  if (
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(encoded) ||
    encoded === ''
  ) {
    throw new AppError(
      'invalid_input',
      'An encryption key begins with “base64:”, but what follows is not base64.',
      {
        hint: 'Make a new one with: echo "base64:$(openssl rand -base64 32)"',
      },
    )
  }
  return Buffer.from(encoded, 'base64').toString('hex')
}

/** 7-Zip's key derivation with 2^19 rounds and no salt, in a thread of its own: it keeps one core busy for about 0.1 s. */
export async function deriveSevenzipKey(password: string): Promise<SevenzipKey> {
  if (password === '') throw new AppError('invalid_input', 'The password of a 7z archive may not be empty.')
  const worker = new Worker(new URL('derive-worker.ts', import.meta.url), { workerData: password })
  const [bytes] = (await once(worker, 'message')) as [Uint8Array]
  return createSecretKey(bytes)
}

/**
 * Tells keys apart without giving them away: 16 hex digits. It is made of the derived key, so that trying passwords
 * against it costs as much as trying them against an archive.
 */
export function fingerprint(key: SevenzipKey): string {
  const hash = createHash('sha256').update('7z-aes256 key fingerprint v1\0').update(key.export())
  return hash.digest('hex').slice(0, 16)
}
