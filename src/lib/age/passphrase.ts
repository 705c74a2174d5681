import { type Identity, type Recipient, Stanza } from 'age-encryption'
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { AppError } from '../../shared/errors.ts'

// age's passphrase stanza (https://age-encryption.org/v1#the-scrypt-recipient-type), with scrypt from node:crypto: that of the
// package takes twice as long, and the event loop with it.

const LABEL = 'age-encryption.org/v1/scrypt'
/** As age itself: about a second. */
const WORK_FACTOR = 18
/** scrypt takes 2^(n + 10) bytes of memory, so a file could ask for any amount. 20 is what the age-encryption package allows. */
const HIGHEST_WORK_FACTOR = 20
const TAG = 16
/** Each key encrypts one file key and nothing else. */
const NONCE = Buffer.alloc(12)

export function passphraseRecipient(passphrase: string): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16)
      const key = await derive(passphrase, salt, WORK_FACTOR)
      const cipher = createCipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG })
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
      return [new Stanza(['scrypt', unpadded(salt), String(WORK_FACTOR)], body)]
    },
  }
}

/** Throws `unsupported` for a file that asks for too much work. */
export function passphraseIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas.find((candidate) => candidate.args[0] === 'scrypt')
      if (!stanza) return null
      const [, encodedSalt = '', workFactor = '', ...more] = stanza.args
      const salt = Buffer.from(encodedSalt, 'base64')
      const isWellFormed =
        stanzas.length === 1 &&
        more.length === 0 &&
        salt.length === 16 &&
        unpadded(salt) === encodedSalt &&
        /^[1-9][0-9]*$/.test(workFactor) &&
        stanza.body.length === 16 + TAG
      if (!isWellFormed) throw new Error('invalid scrypt stanza')
      if (Number(workFactor) > HIGHEST_WORK_FACTOR) {
        const message = `The age file asks for 2^${workFactor.slice(0, 9)} rounds of scrypt; at most 2^${HIGHEST_WORK_FACTOR} are done.`
        throw new AppError('unsupported', message, { hint: 'Decrypt it with age itself: age -d' })
      }
      return unwrap(stanza.body, await derive(passphrase, salt, Number(workFactor)))
    },
  }
}

/** The file key, or null if that is not the key which wrapped it. */
function unwrap(body: Uint8Array, key: Buffer): Uint8Array | null {
  const decipher = createDecipheriv('chacha20-poly1305', key, NONCE, { authTagLength: TAG })
  decipher.setAuthTag(body.subarray(16))
  const fileKey = decipher.update(body.subarray(0, 16))
  try {
    decipher.final()
    return fileKey
  } catch {
    return null // how a wrong passphrase shows
  }
}

function derive(passphrase: string, salt: Buffer, workFactor: number): Promise<Buffer> {
  const cost = { N: 2 ** workFactor, r: 8, p: 1, maxmem: 2 ** (workFactor + 10) + 2 ** 20 }
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([Buffer.from(LABEL), salt]), 32, cost, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
