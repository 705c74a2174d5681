import type { FastifyReply, FastifyRequest } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { throwNow } from '../../shared/errors.ts'
import { actorOfUser } from '../audit/record.ts'
import { openWith } from '../channels/channels.ts'
import type { AppContext } from '../context.ts'
import { mailOf } from '../instance-settings/instance-settings.ts'
import { startSession } from './auth.ts'
import { disabled, proofOf, proveEmail } from './credentials.ts'
import { forgetTries, startGuess } from './limits.ts'
import { makeLink, useLink, userOfLink } from './links.ts'
import { refuseBadPassword } from './password-policy.ts'
import { hashPassword } from './passwords.ts'
import { findUser, type UserRow } from './store.ts'
import { setPassword } from './users.ts'
import { holdUser } from './ways-store.ts'

const TIMEOUT = 30_000

/** Whether a forgotten password can be set anew by mail. The link needs an address that nobody can make up. */
export async function canMailResets(context: AppContext): Promise<boolean> {
  if (context.appUrl === undefined) return false
  try {
    return (await mailOf(context)) !== undefined
  } catch {
    return false // its password cannot be opened
  }
}

/** Mails a link, to whoever signs in with a password; to others, and where no mail can be sent, nothing. */
export async function mailReset(context: AppContext, email: string): Promise<void> {
  const { store, appUrl } = context
  const user = await findUser(store.db, { email })
  if (!user || user.isDisabled === 1 || user.password === null) return
  if (appUrl === undefined || !(await canMailResets(context))) return
  const token = await makeLink(store, 'reset-password', user)
  const channel = await openWith(context, 'email', { to: [user.email] }, TIMEOUT)
  await channel.send(
    {
      id: uuidv7(),
      event: 'password-reset',
      severity: 'info',
      title: 'A new password for Holdfast',
      text: 'Somebody, probably you, has asked for a new password for your account.\nFollow the link to choose one. It can be used once, within an hour. If it was not you, do nothing: your password stays as it is.',
      facts: [],
      url: linkTo(appUrl, 'reset-password', token),
      at: new Date().toISOString(),
      data: {},
    },
    AbortSignal.timeout(2 * TIMEOUT),
  )
}

/**
 * Sets the password that a link was mailed for, and signs out everywhere; returns whose it is. Throws `not_found` for a link that is over,
 * `forbidden` for a disabled account, `too_many_requests` and `invalid_input`.
 */
export async function confirmReset(
  { store }: AppContext,
  { token, password }: { token: string; password: string },
  address: string,
): Promise<UserRow> {
  const guess = await startGuess(store, address)
  const userId = await userOfLink(store, 'reset-password', token)
  await forgetTries(store, guess)
  const user = await findUser(store.db, { id: userId })
  if (user?.isDisabled !== 0) throw disabled()
  await refuseBadPassword(password, user)
  const passwordHash = await hashPassword(password)
  await store.db.transaction().execute(async (trx) => {
    await holdUser(trx, userId)
    await useLink(store, trx, 'reset-password', token)
    await setPassword(store, trx, userId, passwordHash)
    // The link has come by mail, and only to the address that the account still has.
    await proveEmail(store, trx, userId)
  })
  return user
}

/**
 * Signs in whoever has a link that was made on the machine of the app, whatever ways to sign in there are. Throws
 * `not_found`, `forbidden` and `too_many_requests`.
 */
export async function signInWithLink(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
): Promise<void> {
  const { store } = context
  request.auditNote = { organizationId: null }
  const guess = await startGuess(store, request.ip)
  const proof = await store.db.transaction().execute(async (trx) => {
    const userId = await useLink(store, trx, 'sign-in-link', token)
    return (await proofOf(trx, userId)) ?? throwNow(disabled())
  })
  await forgetTries(store, guess)
  const user = await findUser(store.db, { id: proof.userId })
  if (user) request.auditNote.actor = actorOfUser(user)
  await startSession(context, request, reply, { proof, method: 'link' })
}

export function linkTo(
  appUrl: string,
  page: 'reset-password' | 'sign-in/link' | 'setup',
  token: string,
): string {
  return `${appUrl}/${page}#token=${token}`
}
