import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { AppError, messageOf, throwNow } from '../../shared/errors.ts'
import type { NewPasskey, PasskeySignIn } from '../../shared/passkeys.ts'
import { actorOfUser } from '../audit/record.ts'
import type { AppContext } from '../context.ts'
import { startSession } from '../sign-in/auth.ts'
import { holdSession, proofOf } from '../sign-in/credentials.ts'
import { expired, keepPending, openPending, takePending } from '../sign-in/pending.ts'
import { refuseLastWay } from '../sign-in/last-way.ts'
import { holdUser } from '../sign-in/ways-store.ts'
import {
  deletePasskey,
  findByCredential,
  insertPasskey,
  listPasskeys,
  noteUse,
  type PasskeyRow,
  renamePasskey,
} from './store.ts'

/** How long somebody may take. */
const MINUTES = 5
/** Nobody has more; the browser is told of each. */
const MOST = 50
const ADDING = 'passkey_new'
const SIGNING_IN = 'passkey'

const adding = z.object({
  challenge: z.string(),
  userId: z.string(),
  credentialsVersion: z.int(),
  sessionId: z.string(),
})
const signingIn = z.object({ challenge: z.string() })

interface User {
  id: string
  name: string
  email: string
  sessionId: string
}

/** What the browser needs to make a passkey, and a cookie that belongs to it. Throws `quota_reached`. */
export async function beginAdding(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
): Promise<Record<string, unknown>> {
  const existing = await listPasskeys(context.store.db, user.id)
  if (existing.length >= MOST) throw tooMany()
  const proof = (await proofOf(context.store.db, user.id)) ?? throwNow(expired())
  const options = await generateRegistrationOptions({
    rpName: 'Holdfast',
    rpID: placeOf(context, request).hostname,
    userID: new TextEncoder().encode(user.id),
    userName: user.email,
    userDisplayName: user.name,
    timeout: MINUTES * 60_000,
    attestationType: 'none',
    excludeCredentials: existing.map(({ credentialId, transports }) => ({
      id: credentialId,
      transports: JSON.parse(transports) as string[],
    })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  const { sessionId } = user
  const content = { ...proof, challenge: options.challenge, sessionId } satisfies z.output<typeof adding>
  await keepPending(context, reply, { kind: ADDING, content, minutes: MINUTES })
  return { ...options }
}

/**
 * Throws `passkey_refused`, `quota_reached`, and `sign_in_expired` where the challenge is over, or of another browser, or what
 * it was begun in.
 */
export async function addPasskey(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
  { name, response }: NewPasskey,
): Promise<PasskeyRow> {
  const { store } = context
  const begun = await takePending(context, request, reply, { kind: ADDING, schema: adding })
  const { challenge, userId } = begun
  if (userId !== user.id) throw refused('It was begun by somebody else.')
  const { hostname, origin } = placeOf(context, request)
  const found = await verified(() =>
    verifyRegistrationResponse({
      response: withoutNull(response),
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: hostname,
      requireUserVerification: true,
    }),
  )
  const { credential, credentialDeviceType, credentialBackedUp } =
    found.registrationInfo ?? throwNow(refused())
  try {
    return await store.db.transaction().execute(async (trx) => {
      await holdSession(store, trx, begun)
      if ((await listPasskeys(trx, userId)).length >= MOST) throw tooMany()
      return await insertPasskey(store, trx, {
        userId,
        name,
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey).toString('base64url'),
        counter: credential.counter,
        transports: JSON.stringify(credential.transports ?? []),
        mayBeBackedUp: Number(credentialDeviceType === 'multiDevice'),
        isBackedUp: Number(credentialBackedUp),
      })
    })
  } catch (error) {
    if (store.isUniqueViolation(error)) throw refused('It is registered already.')
    throw error
  }
}

/** Throws `not_found`. */
export async function changePasskey(
  { store }: AppContext,
  userId: string,
  id: string,
  { name }: { name: string },
): Promise<PasskeyRow> {
  return (await renamePasskey(store.db, userId, id, name)) ?? throwNow(notThere())
}

/** Throws `not_found`, and `last_way_to_sign_in`. */
export async function removePasskey({ store }: AppContext, userId: string, id: string): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdUser(trx, userId)
    if (!(await deletePasskey(trx, userId, id))) throw notThere()
    await refuseLastWay(store, trx, userId)
  })
}

/** What the browser needs to ask for any passkey that it has for this app, and a cookie that belongs to it. */
export async function beginSignIn(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Record<string, unknown>> {
  const options = await generateAuthenticationOptions({
    rpID: placeOf(context, request).hostname,
    userVerification: 'required',
    timeout: MINUTES * 60_000,
  })
  const content = { challenge: options.challenge } satisfies z.output<typeof signingIn>
  await keepPending(context, reply, { kind: SIGNING_IN, content, minutes: MINUTES })
  return { ...options }
}

/**
 * Signs in; no second factor is asked for, since the device has asked for its user. Throws `passkey_refused`,
 * `sign_in_expired`, and `forbidden` for a disabled account.
 */
export async function signInWithPasskey(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { response }: PasskeySignIn,
): Promise<void> {
  const { store } = context
  const begun = await openPending(context, request, reply, { kind: SIGNING_IN, schema: signingIn })
  const { challenge } = begun.content
  const row = await findByCredential(store.db, response.id)
  if (!row) throw refused('Nobody here has this passkey.')
  request.auditNote = {
    actor: actorOfUser({ id: row.userId, email: row.email }),
    target: { kind: 'passkey', id: row.id, name: row.name },
  }
  const { userHandle } = response.response
  if (userHandle && userHandle !== Buffer.from(row.userId).toString('base64url')) {
    throw refused('It is of another user.')
  }
  const { hostname, origin } = placeOf(context, request)
  const { authenticationInfo } = await verified(() =>
    verifyAuthenticationResponse({
      response: withoutNull(response),
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: hostname,
      requireUserVerification: true,
      credential: {
        id: row.credentialId,
        publicKey: new Uint8Array(Buffer.from(row.publicKey, 'base64url')),
        counter: row.counter,
        transports: JSON.parse(row.transports) as string[],
      },
    }),
  )
  await begun.use()
  const { newCounter: counter, credentialBackedUp: isBackedUp } = authenticationInfo
  if (!(await noteUse(store, row, { counter, isBackedUp }))) throw refused('It was used at the same time.')
  await startSession(context, request, reply, { proof: row, method: 'passkey' })
}

/** Passkeys belong to a host, and a page of it: as people type it, or as it is asked now. */
function placeOf(
  { appUrl }: Pick<AppContext, 'appUrl'>,
  { protocol, host }: FastifyRequest,
): { hostname: string; origin: string } {
  const { hostname, origin } = new URL(appUrl ?? `${protocol}://${host}`)
  return { hostname, origin }
}

/** Whatever the library has against it, in our words. */
async function verified<T extends { verified: boolean }>(verify: () => Promise<T>): Promise<T> {
  let found: T
  try {
    found = await verify()
  } catch (error) {
    // One that counts counts up, or there are two of it.
    const isCopy = /\bcounter\b/.test(messageOf(error))
    throw refused(isCopy ? 'It was used before: there may be a copy of it.' : undefined, error)
  }
  return found.verified ? found : throwNow(refused())
}

/** The library wants to be told nothing instead of null, and knows only some of the words that browsers use. */
function withoutNull(value: object) {
  return JSON.parse(JSON.stringify(value, (_key, part: unknown) => part ?? undefined)) as never
}

function refused(why = 'What the browser sent does not prove it.', cause?: unknown): AppError {
  return new AppError('passkey_refused', `The passkey is refused. ${why}`, {
    hint: 'Passkeys belong to one address: open the app at the one where it was made, and set APP_URL to it.',
    cause,
  })
}

function tooMany(): AppError {
  return new AppError('quota_reached', `You have ${MOST} passkeys, which is as many as there may be.`, {
    hint: 'Delete one first.',
  })
}

function notThere(): AppError {
  return new AppError('not_found', 'You have no such passkey.')
}
