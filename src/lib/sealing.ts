import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { AppError } from '../shared/errors.ts'

/*
 * A sealed secret is `hf1.<key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM with a key that is derived
 * from the master key, so that the master key may serve other ends too. What stands before the base64url, and the
 * context, are authenticated with it.
 */
const VERSION = 'hf1'
const TOKEN = /^hf1\.([0-9a-f]{16})\.([A-Za-z0-9_-]+)$/
const KEY = /^base64:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?)$/
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Seals secrets for the store, each for the one place that it is kept in. */
export interface Sealer {
  /** Of the key that seals: 16 hex digits, which do not give it away. */
  readonly keyId: string
  /** Whether this key, or a previous one, has the id. */
  has(keyId: string): boolean
  /**
   * A printable token, different each time. The context, for instance `volumes/<id>/secretAccessKey`, is not part of
   * it. Throws `invalid_input` for text that is not well-formed Unicode, and would not come back as it was.
   */
  seal(text: string, context: string): string
  /**
   * The text that was sealed for the same context. Throws `key_wrong`, naming the key id, if neither the current key
   * nor a previous one is the token's, and `decryption_failed` for a token that was changed or moved, or is none.
   */
  open(token: string, context: string): string
}

/** Seals with the current key; opens with it and the previous ones. Throws `invalid_input` unless all have 32 bytes. */
export function sealer(keys: { current: KeyObject; previous?: readonly KeyObject[] }): Sealer {
  const { current, previous = [] } = keys
  const currentId = keyId(current)
  const known = new Map([...previous, current].map((key) => [keyId(key), derive(key, 'key')]))
  return {
    keyId: currentId,
    has: (id) => known.has(id),
    seal(text, context) {
      if (!text.isWellFormed()) {
        throw new AppError('invalid_input', `${context} contains half of a character (a lone surrogate).`)
      }
      const head = `${VERSION}.${currentId}.`
      const nonce = randomBytes(NONCE_BYTES)
      const key = known.get(currentId) as KeyObject
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(head + context))
      const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return head + Buffer.concat(sealed).toString('base64url')
    },
    open(token, context) {
      const { id, head, body } = parse(token, context)
      const key = known.get(id)
      if (!key) {
        throw new AppError(
          'key_wrong',
          `${context} is sealed with the key ${id}; at hand: ${[...known.keys()].reverse().join(', ')}.`,
          { hint: 'Set APP_KEY to the key that it was sealed with, or add that to APP_PREVIOUS_KEYS.' },
        )
      }
      const [nonce, tag] = [body.subarray(0, NONCE_BYTES), body.subarray(-TAG_BYTES)]
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(head + context))
      decipher.setAuthTag(tag)
      const text = decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES))
      try {
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch (error) {
        throw new AppError(
          'decryption_failed',
          `${context} cannot be opened: it was changed, or sealed for another place.`,
          { hint: 'Enter the secret again, or restore an app backup.', cause: error },
        )
      }
    },
  }
}

/** Tells keys apart without giving them away: 16 hex digits. Throws `invalid_input` unless the key has 32 bytes. */
export function keyId(key: KeyObject): string {
  return derive(key, 'id').export().toString('hex').slice(0, 16)
}

/** The id of the key that sealed the token; undefined for what is no token. */
export function keyIdOf(token: string): string | undefined {
  return TOKEN.exec(token)?.[1]
}

/**
 * Reads a key as it is written in settings and files: `base64:` and the base64 of 32 bytes. Throws `invalid_input`,
 * which never quotes it.
 */
export function readKey(written: string): KeyObject {
  const hint = 'Make one with: echo "base64:$(openssl rand -base64 32)"'
  const [, encoded] = KEY.exec(written.trim()) ?? []
  if (encoded === undefined) {
    throw new AppError('invalid_input', 'The key must be “base64:” and the base64 of 32 bytes.', { hint })
  }
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) {
    throw new AppError('invalid_input', 'What follows “base64:” in the key is not base64.', { hint })
  }
  if (bytes.length !== KEY_BYTES) {
    throw new AppError('invalid_input', `The key must have ${KEY_BYTES} bytes; it has ${bytes.length}.`, {
      hint,
    })
  }
  return createSecretKey(bytes)
}

/** The key as `readKey` reads it. */
export function writeKey(key: KeyObject): string {
  return `base64:${key.export().toString('base64')}`
}

/** A new random key. */
export function makeKey(): KeyObject {
  return createSecretKey(randomBytes(KEY_BYTES))
}

function derive(key: KeyObject, purpose: 'key' | 'id'): KeyObject {
  if (key.symmetricKeySize !== KEY_BYTES) {
    throw new AppError('invalid_input', `A key that seals must have ${KEY_BYTES} bytes.`)
  }
  const derived = hkdfSync('sha256', key, '', `holdfast sealing v1 ${purpose}`, KEY_BYTES)
  return createSecretKey(Buffer.from(derived))
}

function parse(token: string, what: string): { id: string; head: string; body: Buffer } {
  const [, id, encoded] = TOKEN.exec(token) ?? []
  const body = Buffer.from(encoded ?? '', 'base64url')
  // The last character may carry bits that decoding ignores; then it was changed.
  if (id === undefined || body.length < NONCE_BYTES + TAG_BYTES || body.toString('base64url') !== encoded) {
    throw new AppError('decryption_failed', `${what} is not a sealed secret, or was damaged.`, {
      hint: 'Enter the secret again, or restore an app backup.',
    })
  }
  return { id, head: `${VERSION}.${id}.`, body }
}
