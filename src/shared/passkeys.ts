import { z } from 'zod'
import { name } from './fields.ts'

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/, 'must be base64url')
const id = base64url.min(1).max(1400)
const extensionResults = z.record(z.string(), z.unknown()).default({})

/** PublicKeyCredentialCreationOptionsJSON: for PublicKeyCredential.parseCreationOptionsFromJSON. */
export const passkeyCreationOptions = z
  .record(z.string(), z.unknown())
  .meta({ id: 'PasskeyCreationOptions', description: 'For parseCreationOptionsFromJSON of WebAuthn' })

/** PublicKeyCredentialRequestOptionsJSON. */
export const passkeyRequestOptions = z
  .record(z.string(), z.unknown())
  .meta({ id: 'PasskeyRequestOptions', description: 'For parseRequestOptionsFromJSON of WebAuthn' })

export const newPasskey = z
  .strictObject({
    name,
    response: z
      .object({
        id,
        rawId: id,
        type: z.literal('public-key'),
        response: z.object({
          clientDataJSON: base64url.max(10_000),
          attestationObject: base64url.max(100_000),
          transports: z.array(z.string().max(50)).max(20).optional(),
        }),
        clientExtensionResults: extensionResults,
        authenticatorAttachment: z.string().max(50).nullish(),
      })
      .meta({ description: 'toJSON() of what navigator.credentials.create gives' }),
  })
  .meta({ id: 'NewPasskey' })
export type NewPasskey = z.output<typeof newPasskey>

export const passkeySignIn = z
  .strictObject({
    response: z
      .object({
        id,
        rawId: id,
        type: z.literal('public-key'),
        response: z.object({
          clientDataJSON: base64url.max(10_000),
          authenticatorData: base64url.max(10_000),
          signature: base64url.max(10_000),
          userHandle: base64url.max(200).nullish(),
        }),
        clientExtensionResults: extensionResults,
        authenticatorAttachment: z.string().max(50).nullish(),
      })
      .meta({ description: 'toJSON() of what navigator.credentials.get gives' }),
  })
  .meta({ id: 'PasskeySignIn' })
export type PasskeySignIn = z.output<typeof passkeySignIn>

export const passkeyChanges = z.strictObject({ name }).meta({ id: 'PasskeyChanges' })

export const passkey = z
  .object({
    id: z.uuid(),
    name,
    transports: z
      .array(z.string())
      .meta({ description: 'How it is reached: internal, hybrid, usb, nfc, ble' }),
    mayBeBackedUp: z
      .boolean()
      .meta({ description: 'It may be on several devices, as those that an account synchronises' }),
    isBackedUp: z.boolean().meta({ description: 'It is not lost with the device' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Passkey' })
export type Passkey = z.output<typeof passkey>
