import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../shared/errors.ts'
import { secondFactors, type SignInMethods, type SignInResult } from '../../shared/sign-in.ts'
import { actorOfUser } from '../audit/record.ts'
import type { AuditNote } from '../audit/routes-hook.ts'
import type { AppContext } from '../context.ts'
import { DEMO_EMAIL, DEMO_PASSWORD } from '../demo/account.ts'
import type { Caller } from '../identity/callers.ts'
import { forgetSessionCookie } from '../identity/sessions.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import { authErrorCode, authHeaders, authOf, passCookies } from './auth.ts'
import { proofBy, withProof } from './credentials.ts'
import { forgetTries, startTry } from './limits.ts'
import { canMailResets } from './reset.ts'
import { deleteSession, findUser, listEnabledProviders } from './store.ts'

export async function waysToSignIn(context: AppContext): Promise<SignInMethods> {
  const { passwordSignIn } = await signInSettingsOf(context)
  const providers = await listEnabledProviders(context.store)
  return {
    password: passwordSignIn,
    passwordReset: passwordSignIn && (await canMailResets(context)),
    passkeys: true,
    providers: providers.map(({ id, name }) => ({ id, name })),
    demo: context.isDemo ? { email: DEMO_EMAIL, password: DEMO_PASSWORD } : null,
  }
}

/**
 * Signs in, or says which second factor is asked for. Throws `sign_in_failed`, of an account that does not exist, of one
 * that is disabled and of a wrong password alike, `too_many_requests`, and `forbidden` where passwords are switched off.
 */
export async function signInWithPassword(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { email, password }: { email: string; password: string },
): Promise<SignInResult> {
  request.auditNote = await noteOf(context, email)
  await refuseIfSwitchedOff(context)
  const aTry = await startTry(context.store, { email, address: request.ip })
  const auth = await authOf(context)
  const user = await findUser(context.store.db, { email })
  try {
    const { headers, response } = await withProof(user && proofBy(user), () =>
      auth.api.signInEmail({
        body: { email, password },
        headers: authHeaders(request),
        returnHeaders: true,
      }),
    )
    await forgetTries(context.store, aTry)
    passCookies(reply, headers)
    if (!('twoFactorRedirect' in response)) return {}
    request.auditNote.isUnfinished = true
    return { secondFactor: [...secondFactors] }
  } catch (error) {
    if (authErrorCode(error) === 'INVALID_EMAIL_OR_PASSWORD') throw wrongCredentials()
    // Whoever guesses is not told that a password of a disabled account is right.
    if (error instanceof AppError && error.code === 'forbidden') throw wrongCredentials()
    throw error
  }
}

/** Who somebody says to be, for the audit log. */
export async function noteOf({ store }: AppContext, email: string): Promise<AuditNote> {
  const user = await findUser(store.db, { email })
  return { organizationId: null, ...(user ? { actor: actorOfUser(user) } : { details: { email } }) }
}

/** Ends the session that the request is signed with; of a token it ends nothing. */
export async function signOut(
  context: AppContext,
  { credential, user }: Caller,
  reply: FastifyReply,
): Promise<void> {
  if (credential.kind === 'session' && user) await deleteSession(context.store.db, user.id, credential.id)
  forgetSessionCookie(context, reply)
}

/** Throws `forbidden` where nobody signs in with a password, with the ways that are left. */
export async function refuseIfSwitchedOff(context: AppContext): Promise<void> {
  const { password, providers } = await waysToSignIn(context)
  if (password) return
  const ways = ['a passkey', ...providers.map(({ name }) => `“${name}”`)]
  throw new AppError('forbidden', 'Nobody signs in with a password here: passwords are switched off.', {
    hint: `Sign in with ${ways.join(' or ')}. If none of them works, on the machine of the app: holdfast users reset-password <e-mail> --link`,
  })
}

function wrongCredentials(): AppError {
  return new AppError('sign_in_failed', 'There is no account with this e-mail and password.', {
    hint: 'Check both. A new password can be had by mail, or from whoever runs the app: holdfast users reset-password <e-mail>',
  })
}
