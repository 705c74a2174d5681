import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import { AppError, asAppError, throwNow } from '../../shared/errors.ts'
import type { ProviderRules } from '../../shared/identity-providers.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { actorOfUser, recordAuditNow } from '../audit/record.ts'
import { recordRefusal } from '../audit/refusals.ts'
import type { AppContext } from '../context.ts'
import type { Person } from '../identity/callers.ts'
import { forgetSessionCookie } from '../identity/sessions.ts'
import { startSession } from '../sign-in/auth.ts'
import { disabled, holdSession, proofBy, proofOf } from '../sign-in/credentials.ts'
import { expired, keepPending, takePending } from '../sign-in/pending.ts'
import { kindNamed, parsedSettingsOf, providerOf, type ProviderRow, rulesOf } from './identity-providers.ts'
import { membershipChanges } from './memberships.ts'
import { newAttempt, type OpenedProvider, openProvider, type ProvenIdentity } from './protocol.ts'
import {
  applyMembershipChanges,
  insertAccount,
  insertUser,
  membershipsOf,
  noteAccountUse,
  rolesAmong,
  type SigningUser,
  userOfAccount,
  userOfEmail,
  userOfId,
} from './store.ts'

/** How long somebody may take at the provider. */
const MINUTES = 10
/** How long what a provider says of itself is taken for true. */
const FRESH = 5 * 60_000
/** How long one that could not be asked is not asked again. */
const PAUSE = 3_000
const KIND = 'provider'

const pending = z.object({
  providerId: z.string(),
  state: z.string(),
  codeVerifier: z.string(),
  nonce: z.string(),
  to: z.string(),
  /** Whoever adds the provider to the own ways to sign in, and in which session; null: somebody signs in. */
  link: z.object({ userId: z.string(), credentialsVersion: z.int(), sessionId: z.string() }).nullable(),
})

export const callbackQuery = z.object({
  code: z.string().max(5000).optional(),
  state: z.string().max(500).optional(),
  iss: z.string().max(2000).optional(),
  error: z.string().max(200).optional(),
  error_description: z.string().max(2000).optional(),
})
type Answer = z.output<typeof callbackQuery>

/**
 * Begins a sign-in by a provider: returns where the browser is to go. Throws `not_found`, and what opening a provider
 * throws.
 */
export async function beginSignIn(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, to, person }: { id: string; to: string; person?: Person },
): Promise<string> {
  const proof = person && ((await proofOf(context.store.db, person.id)) ?? throwNow(expired()))
  const row = await enabledProvider(context, id)
  const provider = await opened(context, row)
  const attempt = newAttempt()
  const link = person && proof ? { ...proof, sessionId: person.sessionId } : null
  const content = { ...attempt, providerId: id, to, link } satisfies z.output<typeof pending>
  const url = await provider.authorizationUrl(attempt, redirectUrl(context, request, id))
  await keepPending(context, reply, { kind: KIND, content, minutes: MINUTES })
  return url.href
}

/** What a browser brings back, if it is what this browser was sent for. Throws `sign_in_expired`. */
export async function pendingSignIn(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, state = '' }: { id: string; state: string | undefined },
): Promise<z.output<typeof pending>> {
  const found = await takePending(context, request, reply, { kind: KIND, schema: pending })
  const isSame = timingSafeEqual(digest(found.state), digest(state))
  return found.providerId === id && isSame ? found : throwNow(expired())
}

/**
 * Ends it: the user is signed in, or the provider is one of the user's ways to sign in from now on; the audit log says
 * so. Returns the path of the app that follows. Throws `provider_refused`, `provider_unreachable`, `account_unknown`,
 * `email_not_verified`, `no_role`, `identity_taken`, and `forbidden` for a disabled account.
 */
export async function finishSignIn(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { begun, answer }: { begun: z.output<typeof pending>; answer: Answer },
): Promise<string> {
  const { store } = context
  const { providerId, link: own, to } = begun
  const row = await enabledProvider(context, providerId)
  const entry = {
    organizationId: null,
    action: own === null ? 'sign-in.provider' : 'identity.add',
    address: request.ip,
    target: { kind: 'identity-provider', id: row.id, name: row.name },
  }
  let proven: ProvenIdentity | undefined
  let isSignedIn = false
  try {
    proven = await identityOf(context, request, row, { begun, answer })
    const user = own === null ? await userOf(store, row, proven) : await link(store, row, proven, own)
    if (own === null) {
      await startSession(context, request, reply, { proof: proofBy(user), method: `oidc:${row.id}` })
      isSignedIn = true
    }
    const actor = actorOfUser(user)
    await recordAuditNow(store, { ...entry, outcome: 'succeeded', actor, details: detailsOf(proven) })
    return to
  } catch (error) {
    // Nobody is let in of whom the audit log says nothing.
    if (isSignedIn) forgetSessionCookie(context, reply)
    const linking = own === null ? undefined : await userOfId(store.db, own.userId)
    const name = proven?.email ?? proven?.subject ?? 'somebody who had not signed in'
    const actor = linking ? actorOfUser(linking) : { kind: 'user' as const, id: null, name }
    const { code: outcome } = asAppError(error)
    await recordRefusal(store, { ...entry, outcome, actor, details: detailsOf(proven) })
    throw error
  }
}

function detailsOf(proven: ProvenIdentity | undefined): Record<string, unknown> {
  return proven ? { subject: proven.subject, email: proven.email } : {}
}

async function identityOf(
  context: AppContext,
  request: FastifyRequest,
  row: ProviderRow,
  { begun, answer }: { begun: z.output<typeof pending>; answer: Answer },
): Promise<ProvenIdentity> {
  if (answer.error !== undefined || answer.code === undefined) throw refusedByProvider(row, answer.error)
  const provider = await opened(context, row)
  return await provider.identity(
    { code: answer.code, issuer: answer.iss },
    begun,
    redirectUrl(context, request, row.id),
  )
}

/** What must be registered with the provider. */
export function redirectUrl(
  { appUrl, basePath = '' }: Pick<AppContext, 'appUrl' | 'basePath'>,
  request: Pick<FastifyRequest, 'protocol' | 'host'>,
  id: string,
): string {
  const base = appUrl ?? `${request.protocol}://${request.host}${basePath}`
  return `${base}/api/v1/sign-in/providers/${encodeURIComponent(id)}/callback`
}

const cache = new WeakMap<Store, Map<string, { at: number; provider: Promise<OpenedProvider> }>>()

/** One that was opened a moment ago is opened still: not everyone who asks has us ask somebody else. */
async function opened(context: AppContext, row: ProviderRow): Promise<OpenedProvider> {
  const known =
    cache.get(context.store) ?? new Map<string, { at: number; provider: Promise<OpenedProvider> }>()
  cache.set(context.store, known)
  const key = `${row.id} ${row.revision}`
  const found = known.get(key)
  if (found && performance.now() - found.at < FRESH) return await found.provider
  for (const other of known.keys()) if (other.startsWith(`${row.id} `)) known.delete(other)
  const settings = parsedSettingsOf(context, row)
  // Others wait for it, too: it does not end with the request that began it.
  const { signal } = new AbortController()
  const provider = openProvider({ id: row.id, kind: kindNamed(row.kind), settings }, signal)
  const entry = { at: performance.now(), provider }
  known.set(key, entry)
  provider.catch(() => (entry.at = performance.now() - FRESH + PAUSE))
  return await provider
}

/** The user whose identity a provider has proven, with the roles that it gives. */
async function userOf(store: Store, row: ProviderRow, proven: ProvenIdentity): Promise<SigningUser> {
  const rules = rulesOf(row)
  const found = await retried(store, () =>
    store.db.transaction().execute(async (trx): Promise<SigningUser | AppError> => {
      refuseDomain(rules, proven)
      const account = { providerId: row.id, subject: proven.subject }
      const known = await userOfAccount(trx, account)
      const user = known ?? (await userToLink(trx, row, rules, proven))
      if (user?.isDisabled === 1) throw disabled()
      const changes = await changesOf(trx, row, rules, proven, user)
      if (user?.isInstanceAdministrator === 1) {
        // May do everything anyway; no provider takes that away.
        if (!known) await insertAccount(store, trx, { ...account, userId: user.id })
        else await noteAccountUse(store, trx, account)
        return user
      }
      if (user) {
        await applyMembershipChanges(store, trx, { userId: user.id, providerId: row.id }, changes)
        // Nothing is thrown here: what was taken away stays so.
        if (changes.isRefused) return noRole(row, rules)
        if ((await membershipsOf(trx, user.id)).length === 0) return noRole(row, rules)
        if (known) await noteAccountUse(store, trx, account)
        else await insertAccount(store, trx, { ...account, userId: user.id })
        return user
      }
      if (changes.isRefused || changes.added.length === 0) throw noRole(row, rules)
      const created = await create(store, trx, row, proven)
      await insertAccount(store, trx, { ...account, userId: created.id })
      await applyMembershipChanges(store, trx, { userId: created.id, providerId: row.id }, changes)
      return created
    }),
  )
  if (found instanceof AppError) throw found
  return found
}

/**
 * Adds a provider to the ways in which somebody who has signed in already may do so. Throws `sign_in_expired` if the session
 * in which it was begun is over.
 */
async function link(
  store: Store,
  row: ProviderRow,
  { subject }: ProvenIdentity,
  own: NonNullable<z.output<typeof pending>['link']>,
): Promise<SigningUser> {
  return await retried(store, () =>
    store.db.transaction().execute(async (trx) => {
      await holdSession(store, trx, own)
      const { userId } = own
      const user = (await userOfId(trx, userId)) ?? throwNow(disabled())
      const owner = await userOfAccount(trx, { providerId: row.id, subject })
      if (owner && owner.id !== userId) throw taken(row)
      if (!owner) await insertAccount(store, trx, { userId, providerId: row.id, subject })
      return user
    }),
  )
}

/** Undefined: an account may be made. Whoever only says that an address is theirs gets no account that has it. */
async function userToLink(
  trx: Transaction<Tables>,
  { name }: ProviderRow,
  { autoCreate }: ProviderRules,
  { email, isEmailVerified }: ProvenIdentity,
): Promise<SigningUser | undefined> {
  const user = email === null ? undefined : await userOfEmail(trx, email)
  if (!user) {
    if (autoCreate && email !== null) return undefined
    throw unknown(name, email)
  }
  if (!isEmailVerified) throw notVerified(name, `does not say that ${email} is verified`)
  // Whoever once entered an address that is not theirs must not get its owner into their account.
  if (user.emailVerified === 0) {
    throw notVerified(name, `says that ${email} is verified, but the account here never proved it`)
  }
  return user
}

async function changesOf(
  trx: Transaction<Tables>,
  { id }: ProviderRow,
  rules: ProviderRules,
  { claims }: ProvenIdentity,
  user: SigningUser | undefined,
) {
  const named = [...rules.mappings, ...(rules.defaultMembership ? [rules.defaultMembership] : [])]
  const roles = await rolesAmong(trx, [...new Set(named.map(({ roleId }) => roleId))])
  // A role may have been deleted since.
  const isThere = ({ organizationId, roleId }: { organizationId: string; roleId: string }) =>
    roles.some((role) => role.id === roleId && role.organizationId === organizationId)
  const { defaultMembership } = rules
  return membershipChanges({
    rules: {
      ...rules,
      mappings: rules.mappings.filter(isThere),
      defaultMembership: defaultMembership && isThere(defaultMembership) ? defaultMembership : null,
    },
    providerId: id,
    claims,
    current: user ? await membershipsOf(trx, user.id) : [],
  })
}

async function create(
  store: Store,
  trx: Transaction<Tables>,
  row: ProviderRow,
  { email, isEmailVerified, name }: ProvenIdentity,
): Promise<SigningUser> {
  if (email === null) throw unknown(row.name, email)
  const called = Array.from(name ?? email)
    .slice(0, 100)
    .join('')
  const id = await insertUser(store, trx, { name: called, email, isEmailVerified })
  return (await userOfId(trx, id)) ?? throwNow(new Error('A user was not there who was just made.'))
}

/** Two who sign in for the first time at once, with one account: the second finds what the first has made. */
async function retried<T>(store: Store, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!store.isUniqueViolation(error)) throw error
    return await work()
  }
}

async function enabledProvider(context: AppContext, id: string): Promise<ProviderRow> {
  const row = await providerOf(context, id)
  if (row.isEnabled === 1) return row
  throw new AppError('not_found', 'There is no such identity provider.')
}

function refuseDomain({ emailDomains }: ProviderRules, { email, isEmailVerified }: ProvenIdentity): void {
  if (emailDomains.length === 0) return
  const domain = email?.split('@').at(-1) ?? ''
  if (isEmailVerified && emailDomains.includes(domain)) return
  throw new AppError(
    'account_unknown',
    `Only who has an address at ${emailDomains.join(', ')} may sign in.`,
    {
      hint: 'Sign in with another account.',
    },
  )
}

function refusedByProvider({ name }: ProviderRow, code: string | undefined): AppError {
  const why = code !== undefined && /^[a-z_]{1,60}$/.test(code) ? code : 'without a reason'
  return new AppError('provider_refused', `“${name}” has refused the sign-in: ${why}.`)
}

function unknown(provider: string, email: string | null): AppError {
  const who = email === null ? 'It says no e-mail address' : `Nobody here has the address ${email}`
  return new AppError('account_unknown', `${who}, and “${provider}” makes no accounts.`, {
    hint: 'Ask an administrator for an invitation. Whoever has an account adds the provider to it in the profile.',
  })
}

function notVerified(provider: string, why: string): AppError {
  return new AppError('email_not_verified', `There is an account with this address; “${provider}” ${why}.`, {
    hint: 'Sign in to that account in another way, and add the provider in the profile.',
  })
}

function noRole({ name }: ProviderRow, { isStrict }: ProviderRules): AppError {
  const why = isStrict ? 'none of its groups may sign in here' : 'no role here follows from it'
  return new AppError('no_role', `“${name}” says who you are, but ${why}.`, {
    hint: 'An administrator can add you to a group there, or give you a role here.',
  })
}

function taken({ name }: ProviderRow): AppError {
  return new AppError('identity_taken', `This account at “${name}” belongs to another user here.`, {
    hint: 'Sign in with it, and take it away in that user’s profile first.',
  })
}

/** Of one length, to be compared in one time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
