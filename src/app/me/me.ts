import { abilityNames } from '../../shared/abilities.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { Me, MyChanges, MySession, PasswordChange } from '../../shared/me.ts'
import type { AppContext } from '../context.ts'
import { DEMO_EMAIL } from '../demo/account.ts'
import {
  type Caller,
  callerOfSession,
  findSession,
  organizationsOf,
  type Person,
  setOrganization,
} from '../identity/callers.ts'
import { listOrganizations } from '../organizations/organizations.ts'
import { forgetTries, startTry } from '../sign-in/limits.ts'
import { refuseBadPassword } from '../sign-in/password-policy.ts'
import { hashPassword, isPassword } from '../sign-in/passwords.ts'
import { deleteSession, findUser, setPassword, signOutEverywhere, updateUser } from '../sign-in/users.ts'
import { listSessions, roleOf } from './store.ts'

export async function presentMe({ store }: AppContext, caller: Caller): Promise<Me> {
  const { user, organizationId, abilities, servers, isInstanceAdministrator } = caller
  const all = await listOrganizations(store)
  const found = user && (await findUser(store.db, { id: user.id }))
  const own = user && !isInstanceAdministrator ? await organizationsOf(store, user.id) : all
  const current = all.filter(({ id }) => id === organizationId)
  return {
    user: user && {
      ...user,
      hasPassword: typeof found?.password === 'string',
      hasSecondFactor: found?.twoFactorEnabled === 1,
    },
    organization: current[0] ?? throwNow(noOrganization()),
    // A token stays where it was made.
    organizations: caller.credential.kind === 'session' ? own : current,
    role: (user && (await roleOf(store, user.id, organizationId))) ?? null,
    abilities: abilityNames.filter((name) => abilities.has(name)),
    servers,
    isInstanceAdministrator,
    lacksSecondFactor: caller.lacksSecondFactor ?? false,
  }
}

export async function changeMe(
  { store }: AppContext,
  { id: userId }: Person,
  { name }: MyChanges,
): Promise<void> {
  if (name !== undefined) await updateUser(store, store.db, userId, { name })
}

/**
 * Ends all other sessions. Throws `sign_in_failed` for a wrong password, `too_many_requests` for who guesses it,
 * `not_found` where there is none, and `invalid_input` for a new one that others would guess.
 */
export async function changePassword(
  { store }: AppContext,
  { id: userId, sessionId }: Person,
  change: PasswordChange,
  address: string,
): Promise<void> {
  const user = await findUser(store.db, { id: userId })
  if (!user || user.password === null) throw noPassword()
  const aTry = await startTry(store, { email: user.email, address })
  if (!(await isPassword(change.current, user.password))) throw wrongPassword()
  try {
    if (change.new === change.current) throw samePassword()
    await refuseBadPassword(change.new, user, 'new')
    const hash = await hashPassword(change.new)
    await store.db
      .transaction()
      .execute((trx) => setPassword(store, trx, userId, hash, { keptSession: sessionId }))
  } finally {
    // Not before: all that is done at once counts.
    await forgetTries(store, aTry)
  }
}

/** Of an account that everybody uses only the one session: where others come from is theirs. */
export async function presentSessions(
  { store }: AppContext,
  { id: userId, email, sessionId }: Person,
): Promise<MySession[]> {
  const all = await listSessions(store, userId)
  const rows = email === DEMO_EMAIL ? all.filter(({ id }) => id === sessionId) : all
  const time = (milliseconds: number) => new Date(milliseconds).toISOString()
  return rows.map(({ id, method, ipAddress, userAgent, createdAt, updatedAt, expiresAt }) => ({
    id,
    isCurrent: id === sessionId,
    method,
    address: ipAddress,
    userAgent,
    createdAt: time(createdAt),
    lastUsedAt: time(updatedAt),
    expiresAt: time(expiresAt),
  }))
}

/** Throws `not_found` for what is none of the person’s. */
export async function endSession({ store }: AppContext, { id: userId }: Person, id: string): Promise<void> {
  if (!(await deleteSession(store.db, userId, id))) {
    throw new AppError('not_found', 'There is no such session.')
  }
}

/** Returns how many. */
export async function endOtherSessions(
  { store }: AppContext,
  { id: userId, sessionId }: Person,
): Promise<number> {
  return await signOutEverywhere(store, userId, { except: sessionId })
}

/** From now on the session is about another organization; returns who sends its requests then. Throws `not_found`. */
export async function switchOrganization(
  { store }: AppContext,
  { id: userId, sessionId }: Person,
  caller: Caller,
  organizationId: string,
): Promise<Caller> {
  const own = caller.isInstanceAdministrator
    ? await listOrganizations(store)
    : await organizationsOf(store, userId)
  if (!own.some(({ id }) => id === organizationId)) throw noOrganization()
  await setOrganization(store.db, sessionId, organizationId)
  const session = (await findSession(store, sessionId)) ?? throwNow(noOrganization())
  return await callerOfSession(store, session)
}

function noOrganization(): AppError {
  return new AppError('not_found', 'There is no such organization.')
}

function noPassword(): AppError {
  return new AppError('not_found', 'The account has no password.', {
    hint: 'It signs in with a passkey or an identity provider.',
  })
}

function wrongPassword(): AppError {
  const message = 'is not the one of the account'
  return new AppError('sign_in_failed', 'The current password is wrong.', {
    fields: [{ field: 'current', message }],
  })
}

function samePassword(): AppError {
  const message = 'must be another one'
  return new AppError('invalid_input', `new: ${message}`, { fields: [{ field: 'new', message }] })
}
