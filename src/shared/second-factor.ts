import { z } from 'zod'
import { givenPassword } from './sign-in.ts'

/** As people type it: with a space in the middle, too. */
const code = z
  .string()
  .max(20)
  .transform((text) => text.replaceAll(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'must be six digits'))

const recoveryCode = z.string().trim().min(1, 'must not be empty').max(50)

export const passwordConfirmation = z
  .strictObject({ password: givenPassword })
  .meta({ id: 'PasswordConfirmation' })

export const secondFactorState = z
  .object({
    isEnabled: z.boolean(),
    recoveryCodesLeft: z.int().meta({ description: 'How many have not been used' }),
  })
  .meta({ id: 'SecondFactorState' })
export type SecondFactorState = z.output<typeof secondFactorState>

const recoveryCodes = z
  .array(z.string())
  .meta({ description: 'Each signs in once in the place of a code; shown this once' })

/** What an authenticator app needs; from then on it is asked for a code, once one was right. */
export const totpEnrolment = z
  .object({
    uri: z.string().meta({ description: 'For a QR code: otpauth://totp/…' }),
    secret: z.string().meta({ description: 'The same to be typed, in base32' }),
    recoveryCodes,
  })
  .meta({ id: 'TotpEnrolment' })
export type TotpEnrolment = z.output<typeof totpEnrolment>

export const totpCode = z.strictObject({ code }).meta({ id: 'TotpCode' })

export const totpRemoval = z
  .union([z.strictObject({ password: givenPassword }), z.strictObject({ code })])
  .meta({ id: 'TotpRemoval' })
export type TotpRemoval = z.output<typeof totpRemoval>

export const newRecoveryCodes = z.object({ recoveryCodes }).meta({ id: 'RecoveryCodes' })

export const secondFactor = z
  .union([z.strictObject({ code }), z.strictObject({ recoveryCode })])
  .meta({ id: 'SecondFactor' })
export type SecondFactor = z.output<typeof secondFactor>
