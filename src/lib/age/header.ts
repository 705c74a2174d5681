import { Decrypter, Encrypter } from 'age-encryption'
import { AppError, messageOf } from '../../shared/errors.ts'
import { damaged } from './failures.ts'
import { type AgeKeys, checkIdentity } from './keys.ts'
import { passphraseIdentity, passphraseRecipient } from './passphrase.ts'

/** To whom a file is encrypted. */
export type AgeRecipients =
  /** `age1…`, at least one. */
  { recipients: readonly string[] } | { passphrase: string }

/** A header of one recipient has some 200 bytes, of a post-quantum one 1 700. */
const HEADER_LIMIT = 65_536
const VERSION_LINE = 'age-encryption.org/v1\n'

/** A new file key, and the header that hands it to the recipients. Throws `invalid_input` for one that is none. */
export async function createHeader(to: AgeRecipients): Promise<{ header: Buffer; fileKey: Buffer }> {
  const encrypter = new Encrypter()
  if ('passphrase' in to) {
    if (to.passphrase === '') throw new AppError('invalid_input', 'An age passphrase may not be empty.')
    encrypter.addRecipient(passphraseRecipient(to.passphrase))
  } else {
    if (to.recipients.length === 0)
      throw new AppError('invalid_input', 'An age file needs at least one recipient.')
    for (const recipient of to.recipients) addRecipient(encrypter, recipient)
  }
  // The package makes the file key. This recipient, who gets no stanza, is how we come to know it.
  let fileKey: Buffer | undefined
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Buffer.from(key)
      return []
    },
  })
  const emptyFile = Buffer.from(await encrypter.encrypt(new Uint8Array()))
  const end = headerEnd(emptyFile)
  if (!fileKey || end === undefined)
    throw new AppError('internal', 'The age-encryption package made no header.')
  return { header: emptyFile.subarray(0, end), fileKey }
}

/**
 * The file key, or undefined if none of the keys fits. Throws `decryption_failed` for a damaged header, and
 * `invalid_input` for an identity that is none.
 */
export async function openHeader(header: Uint8Array, keys: AgeKeys): Promise<Uint8Array | undefined> {
  const decrypter = new Decrypter()
  for (const identity of keys.identities ?? []) {
    checkIdentity(identity, 'What was given as an identity')
    decrypter.addIdentity(identity)
  }
  for (const passphrase of keys.passphrases ?? []) decrypter.addIdentity(passphraseIdentity(passphrase))
  // Identities are asked in turn until one fits: the last is asked only if none does.
  let noneFits = false
  decrypter.addIdentity({
    unwrapFileKey() {
      noneFits = true
      return null
    },
  })
  try {
    return await decrypter.decryptHeader(header)
  } catch (error) {
    if (noneFits) return undefined
    if (error instanceof AppError) throw error
    throw damaged(messageOf(error), error)
  }
}

/**
 * Where the header ends in the first bytes of a file; undefined if that takes more of them. Throws
 * `decryption_failed` if this is no age file, or has a header of more than 64 KiB.
 */
export function headerEnd(bytes: Buffer): number | undefined {
  const beginning = bytes.subarray(0, VERSION_LINE.length).toString('latin1')
  if (!VERSION_LINE.startsWith(beginning)) throw notAge(bytes)
  const mac = bytes.indexOf('\n--- ')
  const end = mac === -1 ? -1 : bytes.indexOf('\n', mac + 1)
  if (end !== -1 && end < HEADER_LIMIT) return end + 1
  if (bytes.length < HEADER_LIMIT) return undefined
  throw damaged(`its header has more than ${HEADER_LIMIT} bytes`)
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient)
  } catch (error) {
    throw new AppError('invalid_input', `“${recipient}” is not an age recipient.`, {
      hint: 'A recipient begins with age1; age-keygen -y shows that of an identity.',
      cause: error,
    })
  }
}

function notAge(bytes: Buffer): AppError {
  if (bytes.subarray(0, 10).toString('latin1') === '-----BEGIN') {
    return new AppError('unsupported', 'The age file is armored (text instead of bytes).', {
      hint: 'Decrypt it with age itself: age -d',
    })
  }
  return new AppError('decryption_failed', 'This is not an age file: it does not begin as one does.')
}
