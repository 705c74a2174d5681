import { z } from 'zod'
import { name } from './fields.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from './password-length.ts'

/** Compared in lower case. */
export const emailAddress = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an e-mail address'))

/** One that exists: what it must be was asked when it was set. */
export const givenPassword = z.string().min(1, 'must not be empty').max(PASSWORD_MAX)

/** What a link carries. */
export const linkToken = z.string().min(1).max(200)

/** Which ways to sign in there are. */
export const signInMethods = z
  .object({
    password: z.boolean(),
    passwordReset: z.boolean().meta({ description: 'Whether a forgotten password can be set anew by mail' }),
    passkeys: z.boolean(),
    providers: z.array(z.object({ id: z.string(), name: z.string() })),
    demo: z
      .object({ email: z.string(), password: z.string() })
      .nullable()
      .meta({ description: 'What anybody may sign in with; null: this is no demonstration' }),
  })
  .meta({ id: 'SignInMethods' })
export type SignInMethods = z.output<typeof signInMethods>

export const credentials = z
  .strictObject({ email: emailAddress, password: givenPassword })
  .meta({ id: 'Credentials' })

export const secondFactors = ['totp', 'recovery-code'] as const

export const signInResult = z
  .object({
    secondFactor: z
      .array(z.enum(secondFactors))
      .optional()
      .meta({ description: 'Not signed in yet: one of these is asked for' }),
  })
  .meta({ id: 'SignInResult' })
export type SignInResult = z.output<typeof signInResult>

/** One that is to be set. Its length and all else is judged in app/sign-in/password-policy.ts, in sentences. */
export const newPassword = z
  .string()
  .max(1000)
  .meta({ description: `At least ${PASSWORD_MIN} characters, and none that others would guess` })

export const setupState = z
  .object({ isOpen: z.boolean().meta({ description: 'Nobody has an account yet' }) })
  .meta({ id: 'SetupState' })

export const setup = z
  .strictObject({
    token: linkToken.meta({ description: 'What the app prints when it starts' }),
    name,
    email: emailAddress,
    password: newPassword,
    organization: name.optional().meta({ description: 'What the first organization is called from now on' }),
  })
  .meta({ id: 'Setup' })
export type Setup = z.output<typeof setup>

export const passwordReset = z.strictObject({ email: emailAddress }).meta({ id: 'PasswordReset' })

export const passwordResetConfirmation = z
  .strictObject({ token: linkToken, password: newPassword })
  .meta({ id: 'PasswordResetConfirmation' })

export const signInLink = z.strictObject({ token: linkToken }).meta({ id: 'SignInLink' })
