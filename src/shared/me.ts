import { z } from 'zod'
import { ability } from './abilities.ts'
import { name } from './fields.ts'
import { serverLimit } from './roles.ts'
import { givenPassword, newPassword } from './sign-in.ts'

const organization = z.object({ id: z.string(), name: z.string() })

/** Who sends the request, and what it may do. */
export const me = z
  .object({
    user: z
      .object({
        id: z.string(),
        name: z.string(),
        email: z.string(),
        hasPassword: z.boolean(),
        hasSecondFactor: z.boolean().meta({ description: 'Signing in with a password asks for a code, too' }),
      })
      .nullable()
      .meta({ description: 'Null: a token that belongs to nobody' }),
    organization: organization.meta({ description: 'What the request sees belongs to it' }),
    organizations: z.array(organization).meta({ description: 'Those that one may switch to' }),
    role: z.object({ id: z.string(), name: z.string() }).nullable().meta({
      description: 'The user’s in the organization; null: no member, as who only administers the instance',
    }),
    abilities: z.array(ability),
    servers: serverLimit
      .nullable()
      .meta({ description: 'The servers that all is limited to; null: no limit' }),
    isInstanceAdministrator: z.boolean(),
    lacksSecondFactor: z.boolean().meta({
      description: 'The instance demands a second factor, and until there is one nothing else can be done',
    }),
  })
  .meta({ id: 'Me' })
export type Me = z.output<typeof me>

export const myChanges = z.strictObject({ name }).partial().meta({ id: 'MyChanges' })
export type MyChanges = z.output<typeof myChanges>

export const passwordChange = z
  .strictObject({ current: givenPassword, new: newPassword })
  .meta({ id: 'PasswordChange' })
export type PasswordChange = z.output<typeof passwordChange>

export const organizationChoice = z
  .strictObject({ id: z.string().min(1).max(100) })
  .meta({ id: 'OrganizationChoice' })

export const session = z
  .object({
    id: z.string(),
    isCurrent: z.boolean().meta({ description: 'This request is signed with it' }),
    method: z.string().nullable().meta({ description: 'password, passkey, link, or oidc:<provider>' }),
    address: z.string().nullable().meta({ description: 'Where somebody has signed in from' }),
    userAgent: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().meta({ description: 'To the hour' }),
    expiresAt: z.iso.datetime().meta({ description: 'If it is not used before' }),
  })
  .meta({ id: 'Session' })
export type MySession = z.output<typeof session>

export const endedSessions = z.object({ ended: z.int() }).meta({ id: 'EndedOtherSessions' })
