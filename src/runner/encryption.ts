import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import {
  deriveSevenzipKey,
  fingerprint,
  openSevenzip,
  sealSevenzip,
  sevenzipPassword,
  type SevenzipKey,
} from '../lib/sevenzip/index.ts'
import type { EncryptionMethod } from '../shared/codecs.ts'
import { AppError } from '../shared/errors.ts'
import type { Manifest, ManifestEncryption } from '../shared/snapshots.ts'
import type { ObjectSource } from '../volumes/volume.ts'

/** What a run may encrypt and decrypt with. All of it is secret. */
export interface KeyRing {
  /** Values of BACKUP_ENCRYPTION_KEY: the one in use first, then the previous ones. */
  instanceKeys: readonly string[]
  /** `AGE-SECRET-KEY-1…` */
  ageIdentities: readonly string[]
  agePassphrases: readonly string[]
  /** Those that people keep in the app, each with an id, which manifests name. */
  namedKeys?: readonly NamedKey[]
}

/** A password for 7z, in the form of BACKUP_ENCRYPTION_KEY, or a passphrase for age. */
export interface NamedKey {
  id: string
  kind: 'password' | 'passphrase'
  secret: string
}

/** What a new snapshot is encrypted with. */
export type EncryptionChoice =
  /** Without a key, the instance key. */
  | { method: '7z'; key?: { id: string; password: string } }
  | { method: 'age'; recipients: readonly string[]; keyId?: string }
  /** `true`: the first of the ring. */
  | { method: 'age'; passphrase: string | true; keyId?: string }

/** The outermost wrapper of a new snapshot, with its key at hand. */
export interface Seal {
  extension: `.${EncryptionMethod}`
  manifest: ManifestEncryption
  wrap(bytes: AsyncIterable<Uint8Array>, fileName: string, at: Date): ObjectSource
}

/** The key that opens one snapshot, found to fit before anything of it is downloaded. */
export type Opener = (object: RandomAccess) => AsyncIterable<Uint8Array>

/** An object whose bytes can be asked for anywhere. */
export interface RandomAccess {
  bytes: number
  /** Bytes `start` to `end`, both included. */
  read(start: number, end: number, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** How manifests name the key of BACKUP_ENCRYPTION_KEY. */
export const INSTANCE_KEY = 'instance'

const AGE_HEADER_BYTES = 65_536

/** Sixty modules of elliptic curves, which most runs never need. */
const loadAge = () => import('../lib/age/index.ts')

/**
 * Makes the seal of a new snapshot. Throws `key_missing` if the choice needs a key that is not at hand, and
 * `invalid_input` for a recipient that is none.
 */
export async function prepareSeal(
  choice: EncryptionChoice | undefined,
  keys: KeyRing,
): Promise<Seal | undefined> {
  if (!choice) return undefined
  if (choice.method === '7z') {
    const value = choice.key?.password ?? keys.instanceKeys[0]
    if (value === undefined) {
      throw new AppError('key_missing', 'Encryption as 7z needs a key, and none is set.', {
        hint: 'Set BACKUP_ENCRYPTION_KEY, for instance to: base64:$(openssl rand -base64 32) — and keep it safe, apart from the backups.',
      })
    }
    const key = await deriveSevenzipKey(sevenzipPassword(value))
    return {
      extension: '.7z',
      manifest: { method: '7z', keyId: choice.key?.id ?? INSTANCE_KEY, fingerprint: fingerprint(key) },
      wrap: (bytes, entryName, modifiedAt) => sealSevenzip({ entryName, modifiedAt, key }, bytes),
    }
  }
  const { encryptAge } = await loadAge()
  if ('passphrase' in choice) {
    const passphrase = choice.passphrase === true ? keys.agePassphrases[0] : choice.passphrase
    if (passphrase === undefined) {
      throw new AppError('key_missing', 'Encryption with an age passphrase needs one, and none is set.', {
        hint: 'Set HOLDFAST_AGE_PASSPHRASE or HOLDFAST_AGE_PASSPHRASE_FILE.',
      })
    }
    return {
      extension: '.age',
      manifest: { method: 'age', keyId: choice.keyId ?? 'passphrase', fingerprint: null, recipients: [] },
      wrap: (bytes) => ({ body: encryptAge({ passphrase }, bytes) }),
    }
  }
  const recipients = [...choice.recipients]
  await Array.fromAsync(encryptAge({ recipients }, nothing())) // refuses what is no recipient
  return {
    extension: '.age',
    manifest: {
      method: 'age',
      keyId: choice.keyId ?? 'recipients',
      fingerprint: fingerprintOfRecipients(recipients),
      recipients,
    },
    wrap: (bytes) => ({ body: encryptAge({ recipients }, bytes) }),
  }
}

/**
 * Finds the key that opens the snapshot. Throws `key_missing` or `key_wrong`, naming the fingerprint, before more
 * than an object's header has been read.
 */
export async function findOpener(
  encryption: Manifest['encryption'],
  keys: KeyRing,
  object: RandomAccess,
  signal: AbortSignal,
): Promise<Opener> {
  if (encryption === null) return (whole) => readWhole(whole, signal)
  if (encryption.method === '7z') {
    const { key } = await findSevenzipKey(encryption, keys)
    return async function* (whole) {
      const entry = await openSevenzip(whole, { key }, signal)
      yield* entry.content(signal)
    }
  }
  const ring = {
    identities: keys.ageIdentities,
    passphrases: passphrasesFor(encryption, keys),
  }
  if (ring.identities.length + ring.passphrases.length === 0) {
    throw new AppError(
      'key_missing',
      `The snapshot is encrypted with age${forWhom(encryption.recipients)}.`,
      {
        hint:
          encryption.recipients.length > 0
            ? 'Name the file with the identity (AGE-SECRET-KEY-1…) in HOLDFAST_AGE_IDENTITY_FILE.'
            : 'Set HOLDFAST_AGE_PASSPHRASE.',
      },
    )
  }
  const { ageIdentityFits, decryptAge } = await loadAge()
  if (!(await ageIdentityFits(await ageHeader(object, signal), ring))) throw ageKeyWrong(encryption)
  return (whole) => decryptAge(ring, readWhole(whole, signal), signal)
}

/**
 * What a new snapshot is encrypted with, so that what opens the given one opens it, too; only that an instance key is the
 * one in use. Throws what `findOpener` throws: nothing is encrypted with a key that was given, but does not fit.
 */
export async function encryptionLike(
  encryption: Manifest['encryption'],
  keys: KeyRing,
  object: RandomAccess,
  signal: AbortSignal,
): Promise<EncryptionChoice | undefined> {
  if (encryption === null) return undefined
  const { keyId } = encryption
  if (encryption.method === '7z') {
    const { value } = await findSevenzipKey(encryption, keys)
    if (keyId === INSTANCE_KEY && keys.instanceKeys.includes(value)) return { method: '7z' }
    return { method: '7z', key: { id: idOf('password', value, keyId, keys), password: value } }
  }
  if (encryption.recipients.length > 0) return { method: 'age', recipients: encryption.recipients, keyId }
  const { ageIdentityFits } = await loadAge()
  const header = await ageHeader(object, signal)
  for (const passphrase of passphrasesFor(encryption, keys)) {
    if (await ageIdentityFits(header, { identities: [], passphrases: [passphrase] })) {
      return { method: 'age', passphrase, keyId: idOf('passphrase', passphrase, keyId, keys) }
    }
  }
  throw ageKeyWrong(encryption)
}

function ageHeader(object: RandomAccess, signal: AbortSignal): Promise<Buffer> {
  return buffer(object.read(0, Math.min(AGE_HEADER_BYTES, object.bytes) - 1, signal))
}

function passphrasesFor({ keyId }: ManifestEncryption, keys: KeyRing): string[] {
  return [...namedSecrets('passphrase', keyId, keys), ...keys.agePassphrases]
}

/** Of a key that is kept in the app; of another, the one that the snapshot names. */
function idOf(kind: NamedKey['kind'], secret: string, keyId: string, { namedKeys = [] }: KeyRing): string {
  const same = namedKeys.filter((key) => key.kind === kind && key.secret === secret)
  return same.some(({ id }) => id === keyId) ? keyId : (same[0]?.id ?? keyId)
}

function ageKeyWrong({ recipients }: ManifestEncryption & { method: 'age' }): AppError {
  return new AppError('key_wrong', `The age key at hand does not open this snapshot${forWhom(recipients)}.`, {
    hint: 'Use the identity of one of these recipients, or the passphrase that it was made with.',
  })
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {}

/** An object without bytes has no first byte to ask for. */
async function* readWhole(object: RandomAccess, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  if (object.bytes > 0) yield* object.read(0, object.bytes - 1, signal)
}

async function findSevenzipKey(
  { keyId, fingerprint: wanted }: ManifestEncryption & { method: '7z' },
  keys: KeyRing,
): Promise<{ value: string; key: SevenzipKey }> {
  const named = namedSecrets('password', keyId, keys)
  const values = keyId === INSTANCE_KEY ? [...keys.instanceKeys, ...named] : [...named, ...keys.instanceKeys]
  if (values.length === 0) {
    throw new AppError(
      'key_missing',
      `The snapshot is encrypted with the key ${wanted}, and no key is set.`,
      {
        hint: 'Set BACKUP_ENCRYPTION_KEY to the key that was in use when it was made.',
      },
    )
  }
  const present: string[] = []
  for (const value of values) {
    const key = await deriveSevenzipKey(sevenzipPassword(value))
    if (fingerprint(key) === wanted) return { value, key }
    present.push(fingerprint(key))
  }
  throw new AppError(
    'key_wrong',
    `The snapshot is encrypted with the key ${wanted}; at hand: ${present.join(', ')}.`,
    {
      hint: 'Set BACKUP_ENCRYPTION_KEY, or add the former key to BACKUP_PREVIOUS_ENCRYPTION_KEYS.',
    },
  )
}

/** The one with the id first: each that is tried takes a tenth of a second, of age a whole one. */
function namedSecrets(kind: NamedKey['kind'], id: string, { namedKeys = [] }: KeyRing): string[] {
  const fitting = namedKeys.filter((key) => key.kind === kind)
  return [...fitting.filter((key) => key.id === id), ...fitting.filter((key) => key.id !== id)].map(
    ({ secret }) => secret,
  )
}

/** Of public keys, so a plain hash will do: the first 8 bytes of the SHA-256 of the sorted recipients. */
export function fingerprintOfRecipients(recipients: readonly string[]): string {
  return createHash('sha256')
    .update([...recipients].sort().join('\n'))
    .digest('hex')
    .slice(0, 16)
}

function forWhom(recipients: readonly string[]): string {
  return recipients.length > 0 ? ` for ${recipients.join(', ')}` : ' and a passphrase'
}
