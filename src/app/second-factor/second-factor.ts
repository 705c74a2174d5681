import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, throwNow } from '../../shared/errors.ts'
import type {
  SecondFactor,
  SecondFactorState,
  TotpEnrolment,
  TotpRemoval,
} from '../../shared/second-factor.ts'
import { actorOfUser } from '../audit/record.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { cookieRules } from '../identity/cookies.ts'
import { authErrorCode, authHeaders, authOf, passCookies } from '../sign-in/auth.ts'
import { type Proof, proofBy, proofOf, voidProofs, withProof } from '../sign-in/credentials.ts'
import { forgetTries, startSecondFactor, startTry } from '../sign-in/limits.ts'
import { isPassword } from '../sign-in/passwords.ts'
import { isFirstUse } from '../sign-in/pending-store.ts'
import { expired } from '../sign-in/pending.ts'
import { deleteTotp, findPassword, findTotp, findUser } from './store.ts'

/*
 * Secrets and codes are better-auth’s. What is added here: a code is used once, although it is right for a minute and a half;
 * and tries are counted before they are made, while better-auth counts those that failed.
 */

/** How long a code is right, with those before and behind it, in milliseconds. */
const RIGHT_FOR = 3 * 30_000
/** As long as better-auth locks an account, in seconds. */
const LOCKED_FOR = 15 * 60

interface User {
  id: string
  email: string
}

export async function secondFactorOf(context: AppContext, userId: string): Promise<SecondFactorState> {
  const found = await findTotp(context.store.db, userId)
  if (found?.isEnabled !== 1) return { isEnabled: false, recoveryCodesLeft: 0 }
  const auth = await authOf(context)
  const { backupCodes } = await auth.api.viewBackupCodes({ body: { userId } })
  return { isEnabled: true, recoveryCodesLeft: backupCodes.length }
}

/**
 * Makes a secret for an authenticator app. It is asked for only once a code of it was right. Throws `sign_in_failed` for a
 * wrong password, and `in_use` where one is asked for already.
 */
export async function enrolTotp(
  context: AppContext,
  request: FastifyRequest,
  user: User,
  password: string,
): Promise<TotpEnrolment> {
  const made = await withPassword(context, request, user, password, async () => {
    if ((await findTotp(context.store.db, user.id))?.isEnabled === 1) {
      throw new AppError('in_use', 'An authenticator app is set up already.', {
        hint: 'Remove it first, to set up another one.',
      })
    }
    const auth = await authOf(context)
    return await auth.api.enableTwoFactor({
      body: { password, method: 'totp' },
      headers: authHeaders(request),
    })
  })
  if (made.method !== 'totp') throw new Error('No secret was made.')
  const { totpURI: uri, backupCodes: recoveryCodes } = made
  return { uri, secret: new URL(uri).searchParams.get('secret') ?? '', recoveryCodes }
}

/** From now on a code is asked for behind the password. Throws `sign_in_failed` for a wrong one. */
export async function confirmTotp(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
  code: string,
): Promise<void> {
  const aTry = await startTry(context.store, { email: user.email, address: request.ip })
  await checkCode(context, request, reply, await proofOf(context.store.db, user.id), code)
  await forgetTries(context.store, aTry)
}

/** Throws `not_found`, and `sign_in_failed` for a wrong password or code. */
export async function removeTotp(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
  proof: TotpRemoval,
): Promise<void> {
  const { store } = context
  if (!(await findTotp(store.db, user.id))) throw notSetUp()
  if ('password' in proof) await withPassword(context, request, user, proof.password, async () => {})
  else await confirmTotp(context, request, reply, user, proof.code)
  await store.db.transaction().execute(async (trx) => {
    await voidProofs(trx, user.id)
    await deleteTotp(store, trx, user.id)
  })
}

/** New ones in the place of all that there are. Throws `not_found`, and `sign_in_failed` for a wrong password. */
export async function renewRecoveryCodes(
  context: AppContext,
  request: FastifyRequest,
  user: User,
  password: string,
): Promise<string[]> {
  return await withPassword(context, request, user, password, async () => {
    if ((await findTotp(context.store.db, user.id))?.isEnabled !== 1) throw notSetUp()
    const auth = await authOf(context)
    const { backupCodes } = await auth.api.generateBackupCodes({
      body: { password },
      headers: authHeaders(request),
    })
    return backupCodes
  })
}

/**
 * The second half of a sign-in with a password. Throws `sign_in_failed`, `sign_in_expired` where there was no first half,
 * and `too_many_requests`.
 */
export async function signInWithSecondFactor(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  factor: SecondFactor,
): Promise<void> {
  const user = (await userOfFirstHalf(context, request)) ?? throwNow(expired())
  request.auditNote = {
    actor: actorOfUser(user),
    details: { by: 'code' in factor ? 'totp' : 'recovery-code' },
  }
  const aTry = await startSecondFactor(context.store, { userId: user.id, address: request.ip })
  const proof = proofBy(user)
  if ('code' in factor) await checkCode(context, request, reply, proof, factor.code)
  else await checkRecoveryCode(context, request, reply, proof, factor.recoveryCode)
  await forgetTries(context.store, aTry)
}

async function checkRecoveryCode(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  proof: Proof,
  code: string,
): Promise<void> {
  const auth = await authOf(context)
  await explained(async () => {
    const { headers } = await withProof(proof, () =>
      auth.api.verifyBackupCode({
        body: { code },
        headers: withoutSession(context, request),
        returnHeaders: true,
      }),
    )
    passCookies(reply, headers)
  })
}

async function checkCode(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  proof: Proof | undefined,
  code: string,
): Promise<void> {
  const { store } = context
  const auth = await authOf(context)
  const isSigningIn = request.caller === null
  // Noted before it is looked at: of two who use it at once, one gets in. A wrong one that comes again is as wrong.
  const id = createHash('sha256').update(`${proof?.userId} ${code}`).digest('hex')
  const until = (await nowOf(store)) + RIGHT_FOR
  const isFirst = await isFirstUse(store, { id, kind: 'totp', until })
  await explained(async () => {
    const { headers } = await withProof(proof, () =>
      auth.api.verifyTOTP({
        // What was used counts as a wrong one.
        body: { code: isFirst ? code : 'used' },
        headers: isSigningIn ? withoutSession(context, request) : authHeaders(request),
        returnHeaders: true,
      }),
    )
    passCookies(reply, headers)
  })
}

/** Who has entered a password that is right, and is asked for a code. Of what has changed since, there is no first half any more. */
async function userOfFirstHalf(
  context: AppContext,
  request: FastifyRequest,
): Promise<(User & { credentialsVersion: number }) | undefined> {
  const cookie = request.cookies[`${cookieRules(context).prefix}.two_factor`]
  const identifier = cookie?.slice(0, cookie.lastIndexOf('.'))
  if (!identifier) return undefined
  const { internalAdapter } = await (await authOf(context)).$context
  const found = await internalAdapter.findVerificationValue(identifier)
  return found ? await findUser(context.store.db, found.value) : undefined
}

/** Whoever is still signed in here as somebody else: that is not the one who signs in. */
function withoutSession(context: AppContext, request: FastifyRequest): Headers {
  const headers = authHeaders(request)
  const { session } = cookieRules(context)
  const others = (headers.get('cookie') ?? '').split(/; */).filter((one) => !one.startsWith(`${session}=`))
  headers.set('cookie', others.join('; '))
  return headers
}

/**
 * Does what only whoever knows the password may; it counts as a try until it is done, so that not too much is done at once.
 * Throws `sign_in_failed`, `too_many_requests`, and `unsupported` for an account that has no password.
 */
async function withPassword<T>(
  { store }: AppContext,
  request: FastifyRequest,
  { id, email }: User,
  password: string,
  work: () => Promise<T>,
): Promise<T> {
  const kept = await findPassword(store.db, id)
  if (kept === undefined) {
    throw new AppError(
      'unsupported',
      'Your account has no password, and a code is asked for behind one only.',
      {
        hint: 'Passkeys need no second factor; identity providers ask for their own.',
      },
    )
  }
  const aTry = await startTry(store, { email, address: request.ip })
  if (!(await isPassword(password, kept))) {
    throw new AppError('sign_in_failed', 'The password is not right.')
  }
  try {
    return await work()
  } finally {
    await forgetTries(store, aTry)
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = authErrorCode(error)
    if (code === undefined) throw error
    if (/COOKIE/.test(code)) throw expired()
    if (code === 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE') {
      throw new AppError('too_many_requests', 'There were too many wrong codes.', {
        hint: 'Sign in with your password again.',
      })
    }
    if (code === 'ACCOUNT_TEMPORARILY_LOCKED') {
      throw new AppError('too_many_requests', 'There were too many wrong codes for this account.', {
        hint: 'Try again in a quarter of an hour, or sign in with a passkey.',
        retryAfter: LOCKED_FOR,
      })
    }
    if (code === 'TOTP_NOT_ENABLED' || code === 'BACKUP_CODES_NOT_ENABLED') throw notSetUp()
    throw new AppError('sign_in_failed', 'The code is not right.', {
      hint: 'Each works once. If codes of the app are never right, check the clock of that device.',
      cause: error,
    })
  }
}

function notSetUp(): AppError {
  return new AppError('not_found', 'No authenticator app is set up.')
}
