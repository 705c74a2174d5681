import { z } from 'zod'
import { name } from './fields.ts'
import { jobError } from './jobs.ts'
import { emailAddress, givenPassword, linkToken } from './sign-in.ts'

export const INVITATION_DAYS = 7

export const newInvitation = z
  .strictObject({
    email: emailAddress,
    roleId: z.string().min(1).max(200).meta({ description: 'An id of GET /api/v1/roles' }),
  })
  .meta({ id: 'NewInvitation' })

export const invitation = z
  .object({
    id: z.string(),
    email: z.string(),
    role: z.object({ id: z.string(), name: z.string() }),
    invitedBy: z
      .object({ id: z.string(), name: z.string(), email: z.string() })
      .nullable()
      .meta({ description: 'Null: a token that is nobody’s, or somebody who has gone' }),
    state: z.enum(['open', 'expired', 'accepted']),
    expiresAt: z.iso.datetime(),
    acceptedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Invitation' })
export type Invitation = z.output<typeof invitation>

export const createdInvitation = invitation
  .extend({
    link: z.string().meta({ description: 'Where it is accepted, once; it is shown this once' }),
    mailed: z.boolean().meta({ description: 'The mail server has taken it; false: pass the link on' }),
    mailError: jobError.nullable().meta({ description: 'Why not, if a mail server is set' }),
  })
  .meta({ id: 'CreatedInvitation' })
export type CreatedInvitation = z.output<typeof createdInvitation>

const token = linkToken.meta({ description: 'What the link carries' })

export const invitationLook = z.strictObject({ token }).meta({ id: 'InvitationLook' })

/** What is told to whoever has the link. */
export const shownInvitation = z
  .object({
    organization: z.string(),
    email: z.string(),
    role: z.string(),
    expiresAt: z.iso.datetime(),
    hasAccount: z.boolean().meta({ description: 'There is an account with that e-mail, to be signed in to' }),
  })
  .meta({ id: 'ShownInvitation' })
export type ShownInvitation = z.output<typeof shownInvitation>

export const invitationAnswer = z
  .strictObject({
    token,
    name: name.optional().meta({ description: 'Of a new account' }),
    password: givenPassword
      .optional()
      .meta({ description: 'Of the new account, or of the one that there is, unless that is signed in' }),
  })
  .meta({ id: 'InvitationAnswer' })
export type InvitationAnswer = z.output<typeof invitationAnswer>

export const acceptedInvitation = z
  .object({
    organization: z.object({ id: z.string(), name: z.string() }),
    email: z.string(),
    isNewAccount: z.boolean(),
  })
  .meta({ id: 'AcceptedInvitation' })
export type AcceptedInvitation = z.output<typeof acceptedInvitation>
