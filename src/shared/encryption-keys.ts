import { z } from 'zod'
import { name } from './fields.ts'
import { secret } from './secrets.ts'

const SECRET_LENGTH = 'must have at least 12 characters'

const given = (title: string, description?: string) =>
  secret(title, description)
    .min(12, SECRET_LENGTH)
    .max(1000, 'must have at most 1000 characters')
    .regex(/^[^\p{Cc}]*$/u, 'must not contain line breaks or other control characters')
    .optional()
const generate = z
  .boolean()
  .default(false)
  .meta({ description: 'Make one up; the answer shows it this once' })

const recipients = z
  .array(
    z
      .string()
      .trim()
      .max(5000)
      .regex(
        /^(?!AGE-SECRET-KEY)/i,
        'is an identity, which is secret: give its public key (age-keygen -y shows it)',
      )
      .regex(/^age1/, 'must be a public key, which begins with age1'),
  )
  .min(1, 'Give at least one recipient.')
  .max(20)
  .meta({ description: 'Public keys, age1…; any one of their identities opens the snapshots' })

/** A key that is given, or is to be made up: one of both. */
const exactlyOne = (field: 'password' | 'passphrase') => ({
  check: (key: { generate: boolean; password?: string; passphrase?: string }) =>
    (key[field] === undefined) === key.generate,
  fault: { path: [field], error: `give a ${field}, or generate: true, and not both` },
})
const password = exactlyOne('password')
const passphrase = exactlyOne('passphrase')

export const newEncryptionKey = z
  .discriminatedUnion('kind', [
    z
      .strictObject({
        kind: z.literal('password').meta({ description: '7z, AES-256' }),
        name,
        password: given('Password', 'As 7-Zip asks for it; base64:… means the hex of what it encodes'),
        generate,
      })
      .refine(password.check, password.fault),
    z.strictObject({
      kind: z.literal('recipients').meta({ description: 'age: this machine can write, but not read' }),
      name,
      recipients,
    }),
    z
      .strictObject({
        kind: z.literal('passphrase').meta({ description: 'age' }),
        name,
        passphrase: given('Passphrase'),
        generate,
      })
      .refine(passphrase.check, passphrase.fault),
  ])
  .meta({ id: 'NewEncryptionKey' })

const state = z.enum(['active', 'retired']).meta({
  description: 'retired: it opens what it has encrypted, and encrypts nothing more',
})

/** What is not there stays as it is. What a key is made of never changes: make a new one, and retire this one. */
export const encryptionKeyChanges = z
  .strictObject({ name, state })
  .partial()
  .meta({ id: 'EncryptionKeyChanges' })

const fields = {
  id: z.uuid(),
  name,
  kind: z.enum(['password', 'recipients', 'passphrase']),
  state,
  fingerprint: z.string().nullable().meta({ description: 'As in manifests; a passphrase has none' }),
  recipients: z.array(z.string()).optional(),
  snapshots: z.int().min(0).meta({ description: 'How many snapshots it protects' }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
}

/** A key as the API shows it: never what it is made of, unless that is public. */
export const encryptionKey = z.object(fields).meta({ id: 'EncryptionKey' })

/** A key that was just added. */
export const addedEncryptionKey = z
  .object({
    ...fields,
    secret: z
      .string()
      .optional()
      .meta({ description: 'Only if it was made up: it is shown this once, and never again. Save it now' }),
  })
  .meta({ id: 'AddedEncryptionKey' })

/** A key, and what would be lost without it. */
export const keyCheck = z
  .object({
    keyId: z.string().meta({ description: 'instance: the key of BACKUP_ENCRYPTION_KEY, or a former one' }),
    name: z.string().nullable().meta({ description: 'Null if only snapshots know of it' }),
    kind: z.enum(['instance', 'password', 'recipients', 'passphrase', 'unknown']),
    state: z.enum(['active', 'retired', 'missing']),
    fingerprint: z.string().nullable(),
    isAtHand: z.boolean().meta({
      description:
        'Whether the app can read with it; never so for recipients, whose identity it does not have',
    }),
    snapshots: z.int().min(0).meta({ description: 'How many it protects' }),
    oldest: z.iso.datetime().nullable(),
    newest: z.iso.datetime().nullable(),
  })
  .meta({ id: 'KeyCheck' })

export type NewEncryptionKey = z.output<typeof newEncryptionKey>
export type EncryptionKeyChanges = z.output<typeof encryptionKeyChanges>
export type EncryptionKey = z.output<typeof encryptionKey>
export type KeyCheck = z.output<typeof keyCheck>
