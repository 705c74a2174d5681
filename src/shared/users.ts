import { z } from 'zod'
import { name } from './fields.ts'
import { createdInvitation } from './invitations.ts'
import { emailAddress, givenPassword } from './sign-in.ts'

const roleId = z.string().min(1).max(200).meta({ description: 'An id of GET /api/v1/roles' })

/** A member of the organization. */
export const user = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role: z.object({ id: z.string(), name: z.string() }),
    identityProvider: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .meta({ description: 'It gave the role, and may take it away; null: a person did' }),
    isInstanceAdministrator: z.boolean().nullable().meta({
      description:
        'May do everything in every organization, whatever the role says; null: told only to instance administrators',
    }),
    isDisabled: z
      .boolean()
      .nullable()
      .meta({ description: 'Cannot sign in; null: told only to instance administrators' }),
    hasSecondFactor: z.boolean().meta({ description: 'Gives a code of an authenticator, or has a passkey' }),
    lastSignInAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Of the sessions that have not ended; null: there is none' }),
    joinedAt: z.iso.datetime(),
  })
  .meta({ id: 'User' })
export type User = z.output<typeof user>

export const newUser = z
  .strictObject({
    email: emailAddress.meta({ description: 'Of somebody who has an account; others are invited' }),
    roleId,
  })
  .meta({ id: 'NewUser' })
export type NewUser = z.output<typeof newUser>

export const userChanges = z.strictObject({ roleId: roleId.optional() }).meta({ id: 'UserChanges' })
export type UserChanges = z.output<typeof userChanges>

/** Somebody who can sign in to this installation, whatever organizations they are in. */
export const account = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    isInstanceAdministrator: z.boolean(),
    isDisabled: z.boolean(),
    hasPassword: z.boolean(),
    hasSecondFactor: z.boolean().meta({ description: 'Gives a code of an authenticator' }),
    passkeys: z.int(),
    sessions: z.int().meta({ description: 'How often it is signed in now' }),
    organizations: z.array(
      z.object({ id: z.string(), name: z.string(), role: z.object({ id: z.string(), name: z.string() }) }),
    ),
    lastSignInAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Account' })
export type Account = z.output<typeof account>

export const newAccount = z
  .strictObject({
    email: emailAddress,
    name: name.optional().meta({ description: 'Needed with a password' }),
    password: givenPassword.optional().meta({ description: 'Without one, an invitation is made' }),
    isInstanceAdministrator: z.boolean().default(false).meta({ description: 'Only with a password' }),
    organizationId: z
      .string()
      .max(200)
      .optional()
      .meta({ description: 'Where it becomes a member; needed for an invitation' }),
    roleId: roleId.optional().meta({ description: 'A role of that organization' }),
  })
  .meta({ id: 'NewAccount' })
export type NewAccount = z.output<typeof newAccount>

export const createdAccount = z
  .object({
    account: account.nullable().meta({ description: 'Null: it is made when the invitation is accepted' }),
    invitation: createdInvitation.nullable(),
  })
  .meta({ id: 'CreatedAccount' })

export const accountChanges = z
  .strictObject({
    name,
    email: emailAddress,
    isDisabled: z.boolean().meta({ description: 'It cannot sign in, and what it has signed in with ends' }),
    isInstanceAdministrator: z.boolean(),
  })
  .partial()
  .meta({ id: 'AccountChanges' })
export type AccountChanges = z.output<typeof accountChanges>

/** What goes with an account. */
export const accountLosses = z
  .object({
    organizations: z.array(z.string()).meta({ description: 'The names of those that it is a member of' }),
    tokens: z.array(z.object({ name: z.string(), organization: z.string() })),
    invitations: z.array(z.string()).meta({ description: 'To whom it has sent one that is still open' }),
    sessions: z.int(),
    passkeys: z.int(),
  })
  .meta({ id: 'AccountLosses' })
export type AccountLosses = z.output<typeof accountLosses>

export const endedSessions = z.object({ sessions: z.int() }).meta({ id: 'EndedSessions' })
