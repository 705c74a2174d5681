import { AppError } from '../../shared/errors.ts'
import type { AcceptedInvitation, InvitationAnswer, ShownInvitation } from '../../shared/invitations.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { hashOf } from '../identity/callers.ts'
import { forgetTries, startGuess, startTry } from '../sign-in/limits.ts'
import { refuseBadPassword } from '../sign-in/password-policy.ts'
import { hashPassword, isPassword } from '../sign-in/passwords.ts'
import { waysToSignIn } from '../sign-in/sign-in.ts'
import { addUser } from '../sign-in/users.ts'
import { joinOrganization, userWith } from '../users/users.ts'
import { claimInvitation, findOpenInvitation, findProof, type InvitationRow } from './store.ts'
import { isCovered } from './withdraw.ts'

/** Who asks. */
interface Asker {
  /** The address that the request comes from. */
  address: string
  /** The account that is signed in, if one is. */
  userId: string | undefined
}

/** What somebody is invited to. Throws `not_found`, and `too_many_requests` for whoever guesses. */
export async function lookAtInvitation(
  context: AppContext,
  token: string,
  address: string,
): Promise<ShownInvitation> {
  const { organizationName, email, roleName, expiresAt } = await openInvitation(context, token, address)
  return {
    organization: organizationName,
    email,
    role: roleName,
    expiresAt: new Date(expiresAt).toISOString(),
    hasAccount: (await userWith(context.store, email)) !== undefined,
  }
}

/**
 * Makes whoever was invited a member: with a new account, or with the one that has the address, which must be signed in,
 * or give its password. Of several at once one succeeds: the others are told `not_found`. Throws `not_signed_in`,
 * `sign_in_failed`, `too_many_requests`, `forbidden` for a disabled account, or where whoever has invited could not do so
 * any more, and `invalid_input`.
 */
export async function acceptInvitation(
  context: AppContext,
  invitation: InvitationRow,
  { token, name, password }: InvitationAnswer,
  asker: Asker,
): Promise<AcceptedInvitation & { userId: string }> {
  const known = await userWith(context.store, invitation.email)
  if (known?.isDisabled === 1) {
    throw new AppError('forbidden', `The account of ${invitation.email} is disabled.`, {
      hint: 'Ask an administrator of the instance.',
    })
  }
  if (known && known.id !== asker.userId) await proveAccount(context, known, password, asker)
  const passwordHash = known ? null : await newPassword(context, invitation, name, password)
  const { store } = context
  const { organizationId, organizationName, email, roleId } = invitation
  const userId = await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    await refuseUncovered(trx, invitation)
    if (!(await claimInvitation(store, trx, hashOf(token)))) throw notOpen()
    const isEmailVerified = false // the link was shown to whoever invited, too
    const user = { name: name ?? email, email, passwordHash, isInstanceAdministrator: false, isEmailVerified }
    const id = known?.id ?? (await addUser(store, trx, user))
    await joinOrganization(store, trx, { organizationId, userId: id, roleId })
    return id
  })
  return {
    organization: { id: organizationId, name: organizationName },
    email,
    isNewAccount: known === undefined,
    userId,
  }
}

/**
 * One that can be accepted. Throws `not_found`, `too_many_requests` for whoever guesses, and `forbidden` where whoever has
 * invited could not do so any more.
 */
export async function openInvitation(
  { store }: AppContext,
  token: string,
  address: string,
): Promise<InvitationRow> {
  const guess = await startGuess(store, address)
  const found = await findOpenInvitation(store, store.db, hashOf(token))
  if (!found) throw notOpen()
  await forgetTries(store, guess)
  await refuseUncovered(store.db, found)
  return found
}

async function refuseUncovered(
  db: Parameters<typeof isCovered>[0],
  { id, roleName, inviterName }: InvitationRow,
): Promise<void> {
  if (await isCovered(db, id)) return
  throw new AppError(
    'forbidden',
    `${inviterName ?? 'Whoever sent it'} may not give the role “${roleName}” any more.`,
    {
      hint: 'Ask another administrator of the organization for an invitation.',
    },
  )
}

async function proveAccount(
  context: AppContext,
  { id, email }: { id: string; email: string },
  password: string | undefined,
  { address, userId }: Asker,
): Promise<void> {
  if (userId !== undefined && password === undefined) {
    throw new AppError('forbidden', `The invitation is for ${email}; another account is signed in.`, {
      hint: 'Sign out, and sign in to that account.',
    })
  }
  const { store } = context
  const proof = await findProof(store, id)
  const isEnough = proof?.twoFactorEnabled === 0 && (await waysToSignIn(context)).password
  if (password === undefined || !isEnough || !proof.password) {
    throw new AppError('not_signed_in', `There is an account with the e-mail ${email}.`, {
      hint: 'Sign in to it first, and follow the link again.',
    })
  }
  const aTry = await startTry(store, { email, address })
  if (!(await isPassword(password, proof.password))) {
    throw new AppError('sign_in_failed', `This is not the password of ${email}.`, {
      fields: [{ field: 'password', message: 'Is not that of the account.' }],
    })
  }
  await forgetTries(store, aTry)
}

/** As it is kept; null where nobody signs in with a password. */
async function newPassword(
  context: AppContext,
  { email }: InvitationRow,
  name: string | undefined,
  password: string | undefined,
): Promise<string | null> {
  if (name === undefined) throw missing('name')
  if (!(await waysToSignIn(context)).password) return null
  if (password === undefined) throw missing('password')
  await refuseBadPassword(password, { email, name })
  return await hashPassword(password)
}

function missing(field: string): AppError {
  const message = 'A new account needs one.'
  return new AppError('invalid_input', `${field}: ${message}`, { fields: [{ field, message }] })
}

function notOpen(): AppError {
  return new AppError(
    'not_found',
    'The invitation is not valid: it was used, its time is over, or it was taken back.',
    {
      hint: 'Ask whoever has invited you for another link.',
    },
  )
}
