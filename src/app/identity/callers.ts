import { createHash } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { type Ability, abilityNames } from '../../shared/abilities.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import { isWithin, type ServerLimit } from '../../shared/roles.ts'
import { type Scope, scoped } from '../../store/scope.ts'
import type { Store } from '../../store/database.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import type { Session } from './sessions.ts'
import {
  findMembership,
  findSession,
  findTokenSigner,
  findUserSigner,
  hasOrganization,
  hasPassword,
  noteTokenUse,
  longestMembership,
  oldestOrganization,
  setOrganization,
  serversOf,
  type TokenSigner,
} from './store.ts'

export { findSession, organizationsOf, setOrganization } from './store.ts'

export interface Credential {
  kind: 'token' | 'session'
  id: string
  name: string
  /** How far a token reaches; null is everything that its owner may, and for ever. A session has none of it. */
  limits?: {
    scopes: readonly Ability[] | null
    networks: readonly string[] | null
    /** Milliseconds since 1970. */
    expiresAt: number | null
  }
}

/** Who sends a request: everything that it sees and changes belongs to this organization. */
export interface Caller {
  organizationId: string
  /** What the request is signed with. */
  credential: Credential
  /** Null for a token that belongs to nobody, as that of the command line. */
  user: { id: string; name: string; email: string } | null
  abilities: ReadonlySet<Ability>
  /** Administers the instance: organizations, scripts, sign-in, app backups. */
  isInstanceAdministrator: boolean
  /** Null: all servers of the organization. */
  servers: ServerLimit | null
  /** The session was about another organization, which its user does not belong to any more. */
  isElsewhere?: boolean
  /** The instance demands a second factor, and the session began without one: it may only add one. */
  lacksSecondFactor?: boolean
}

/**
 * What a route asks of its caller: an ability in the organization, that it administers the instance, or only that
 * somebody has signed in; with `session`, not by a token: how people sign in is theirs to say. With `session` and `self`,
 * which is about who asks, it may be without the second factor that the instance demands.
 */
export type Requirement = Ability | 'administer-instance' | 'sign-in' | 'session' | 'self'

/** What a request works with: the store has only what its caller may see. */
export interface OwnContext extends AppContext {
  organizationId: string
  caller: Caller
}

/** `hf_` stands before each token, so that whoever searches for leaked secrets finds it. */
const FORM = /^hf_[A-Za-z0-9_-]{43}$/

/**
 * The caller whose token an `Authorization` header carries. Throws `not_signed_in`. The token is looked for by its
 * hash, so that nothing can be learned from how long that takes.
 */
export async function callerOfToken(store: Store, authorization: string, address: string): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  if (token === undefined) throw notSignedIn('The request has no token.')
  const found = FORM.test(token) ? await findTokenSigner(store, { hash: hashOf(token) }) : undefined
  if (!found) throw notSignedIn('The token is not valid.')
  const caller = await callerOfFoundToken(store, found, address)
  await noteTokenUse(store, found.id)
  return caller
}

async function callerOfFoundToken(
  store: Store,
  found: TokenSigner,
  address: string | undefined,
): Promise<Caller> {
  const networks = found.networks === null ? null : (JSON.parse(found.networks) as string[])
  if (found.expiresAt !== null && found.expiresAt <= (await nowOf(store))) {
    throw notSignedIn('The token has expired.')
  }
  if (networks !== null && address !== undefined && !isFrom(address, networks)) {
    throw notSignedIn('The token may not be used from this address.')
  }
  const limits = {
    scopes: found.scopes === null ? null : (JSON.parse(found.scopes) as Ability[]),
    networks,
    expiresAt: found.expiresAt,
  }
  const scopes = limits.scopes ?? abilityNames
  const credential: Credential = { kind: 'token', id: found.id, name: found.name, limits }
  const { organizationId } = found
  const isAdministrator = found.isInstanceAdministrator === 1
  if (found.ownerId !== null) {
    const owner = await callerOfUser(store, found.ownerId, organizationId, credential)
    return restricted(owner, scopes, isAdministrator)
  }
  return {
    organizationId,
    credential,
    user: null,
    abilities: new Set(scopes),
    isInstanceAdministrator: isAdministrator,
    servers: null,
  }
}

/**
 * The caller as it is now, for what goes on for longer than a request; undefined once its token or its session is gone,
 * or it may not see its organization any more.
 */
export async function renewCaller(store: Store, caller: Caller): Promise<Caller | undefined> {
  const { kind, id } = caller.credential
  try {
    const renewed = kind === 'token' ? await renewToken(store, id) : await renewSession(store, id)
    const isSame = renewed?.organizationId === caller.organizationId && may(renewed, 'view')
    return isSame ? renewed : undefined
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_signed_in') return undefined
    throw error
  }
}

async function renewToken(store: Store, id: string): Promise<Caller | undefined> {
  const found = await findTokenSigner(store, { id })
  return found && (await callerOfFoundToken(store, found, undefined))
}

async function renewSession(store: Store, id: string): Promise<Caller | undefined> {
  const session = await findSession(store, id)
  return session && (await callerOfSession(store, session))
}

/** The caller who has signed in, and whether the instance demands more of it than its session began with. */
export async function callerOfSession(store: Store, session: Session): Promise<Caller> {
  const caller = await ownCaller(store, session)
  return (await lacksSecondFactor(store, session)) ? { ...caller, lacksSecondFactor: true } : caller
}

/** Where there is no password, or passwords are switched off, none opens anything that something should stand behind. */
async function lacksSecondFactor(store: Store, { userId, method }: Session): Promise<boolean> {
  if (method === 'passkey' || method?.startsWith('oidc:')) return false
  const user = await findUserSigner(store, userId)
  if (user?.twoFactorEnabled !== 0) return false
  const { requireSecondFactor, passwordSignIn } = await signInSettingsOf({ store })
  return requireSecondFactor && passwordSignIn && (await hasPassword(store, userId))
}

/**
 * The caller who has signed in. A session that is about no organization yet is about the one that its user has belonged
 * to for the longest, from then on. If its organization is none of the user's any more, `isElsewhere` says so. Throws
 * `not_signed_in`.
 */
async function ownCaller(store: Store, session: Session): Promise<Caller> {
  const { id, userId, organizationId } = session
  const credential = { kind: 'session' as const, id, name: session.userAgent ?? 'browser' }
  if (organizationId !== null) {
    const caller = await callerIfMember(store, userId, organizationId, credential)
    if (caller) return caller
  }
  // Who administers the instance need not be a member of anything: then it is about the oldest organization.
  const first = (await longestMembership(store, userId)) ?? (await oldestOrganization(store))
  if (!first) throw notAMember()
  const caller = await callerOfUser(store, userId, first.id, credential)
  if (organizationId !== null) return { ...caller, isElsewhere: true }
  await setOrganization(store.db, id, first.id)
  return caller
}

/**
 * Throws `organization_changed` for a request that would change something elsewhere than where its sender believes to be:
 * the page still shows the organization that the session was about.
 */
export function refuseElsewhere({ isElsewhere = false }: Caller): void {
  if (!isElsewhere) return
  throw new AppError(
    'organization_changed',
    'You do not belong to the organization any more that you have worked in.',
    {
      hint: 'Load the page again, and choose one of your organizations. Nothing was changed.',
    },
  )
}

/** On public routes there is none: `not_signed_in`. */
export function signedIn(caller: Caller | null): Caller {
  return caller ?? throwNow(notSignedIn('Nobody has signed in.'))
}

/** Somebody at a browser. */
export interface Person {
  id: string
  name: string
  email: string
  sessionId: string
}

/** Who asks, on routes that require a session. */
export function personOf(caller: Caller | null): Person {
  const { credential, user } = signedIn(caller)
  if (credential.kind !== 'session' || !user) throw forbidden(signedIn(caller), 'session')
  return { ...user, sessionId: credential.id }
}

/** Throws `forbidden` if the caller may not, and `second_factor_required` if it may not yet. */
export function refuseUnless(caller: Caller, requirement: Requirement): void {
  if (may(caller, requirement)) return
  throw may({ ...caller, lacksSecondFactor: false }, requirement)
    ? withoutSecondFactor()
    : forbidden(caller, requirement)
}

export function may(caller: Caller, requirement: Requirement): boolean {
  if (requirement === 'self') return true
  if (requirement === 'session') return caller.credential.kind === 'session'
  if (caller.lacksSecondFactor) return false
  if (requirement === 'sign-in') return true
  // A token of an administrator that is there to read must not be able to become anybody.
  if (requirement === 'administer-instance') {
    return caller.isInstanceAdministrator && abilityNames.every((ability) => caller.abilities.has(ability))
  }
  return caller.abilities.has(requirement)
}

/** What the caller's queries may see, as the servers are now. */
export async function scopeOf(store: Store, { organizationId, servers }: Caller): Promise<Scope> {
  if (servers === null) return { organizationId, servers: null }
  const all = await serversOf(store, organizationId)
  const within = all.filter(({ name, labels }) =>
    isWithin(servers, { name, labels: JSON.parse(labels) as Record<string, string> }),
  )
  return { organizationId, servers: within.map(({ id }) => id) }
}

/** What a request of this caller works with. */
export async function ownContext(context: AppContext, caller: Caller): Promise<OwnContext> {
  const store = scoped(context.store, await scopeOf(context.store, caller))
  return { ...context, store, organizationId: caller.organizationId, caller }
}

/**
 * Throws `forbidden` if a server would be none of those that the caller is limited to, by what it is called and labelled:
 * nobody makes what they then do not see.
 */
export function refuseOutside(
  { servers }: Caller,
  server: { name: string; labels: Readonly<Record<string, string>> },
): void {
  if (servers === null || isWithin(servers, server)) return
  throw new AppError('forbidden', `Your role is limited to other servers than “${server.name}” would be.`, {
    hint: `It is limited to those ${inWords(servers)}.`,
  })
}

/** Throws `forbidden` for who is limited to some servers, where something is done to what all of them share. */
export function refuseLimited({ servers }: Caller): void {
  if (servers === null) return
  throw new AppError('forbidden', 'Your role is limited to some servers, and this is about all of them.', {
    hint: `It is limited to those ${inWords(servers)}.`,
  })
}

async function callerOfUser(
  store: Store,
  userId: string,
  organizationId: string,
  credential: Credential,
): Promise<Caller> {
  return (await callerIfMember(store, userId, organizationId, credential)) ?? throwNow(notAMember())
}

/** Who administers the instance may do everything everywhere. Throws `not_signed_in` for who is disabled. */
async function callerIfMember(
  store: Store,
  userId: string,
  organizationId: string,
  credential: Credential,
): Promise<Caller | undefined> {
  const found = await findUserSigner(store, userId)
  if (!found) throw notSignedIn('The user is gone.')
  if (found.isDisabled === 1) throw notSignedIn('The account is disabled.')
  const { id, name, email } = found
  const signer = { organizationId, credential, user: { id, name, email } }
  if (found.isInstanceAdministrator === 1) {
    if (!(await hasOrganization(store, organizationId))) return undefined
    return { ...signer, abilities: new Set(abilityNames), isInstanceAdministrator: true, servers: null }
  }
  const membership = await findMembership(store, userId, organizationId)
  if (!membership) return undefined
  return {
    ...signer,
    abilities: new Set(JSON.parse(membership.abilities) as Ability[]),
    isInstanceAdministrator: false,
    servers: membership.servers === null ? null : (JSON.parse(membership.servers) as ServerLimit),
  }
}

/** A token may do what it is for, and never more than its owner. */
function restricted(owner: Caller, scopes: readonly Ability[], isAdministrator: boolean): Caller {
  return {
    ...owner,
    abilities: new Set(scopes.filter((scope) => owner.abilities.has(scope))),
    isInstanceAdministrator: owner.isInstanceAdministrator && isAdministrator,
  }
}

/** An IPv4 address that comes in IPv6 is compared as what it is. */
function isFrom(address: string, networks: readonly string[]): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  for (const network of networks) {
    const [base = '', bits] = network.split('/')
    const kind = isIP(base) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(base, Number(bits ?? (kind === 'ipv6' ? 128 : 32)), kind)
  }
  return isIP(plain) !== 0 && list.check(plain, family)
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export function notSignedIn(sentence: string): AppError {
  return new AppError('not_signed_in', sentence, {
    hint: 'Sign in, or send a token as: Authorization: Bearer hf_… On the machine of the app, one is made with: holdfast token create',
  })
}

function notAMember(): AppError {
  return new AppError('not_signed_in', 'The account is a member of no organization any more.', {
    hint: 'Ask an administrator for an invitation.',
  })
}

function withoutSecondFactor(): AppError {
  return new AppError('second_factor_required', 'Here a password alone is not enough.', {
    hint: 'Set up an authenticator app, in the profile; or sign in with a passkey or by an identity provider.',
  })
}

function forbidden({ credential, abilities }: Caller, requirement: Requirement): AppError {
  if (requirement === 'session') {
    return new AppError('forbidden', 'A token may not change the account of its owner.', {
      hint: 'Sign in with a browser.',
    })
  }
  const who = credential.kind === 'token' ? 'This token' : 'Your role'
  const what =
    requirement === 'administer-instance' ? 'administer the instance' : `do this: it has not “${requirement}”`
  return new AppError('forbidden', `${who} may not ${what}.`, {
    hint: abilities.size === 0 ? 'Ask an administrator.' : `It has: ${[...abilities].join(', ')}.`,
  })
}

function inWords({ names, labels }: ServerLimit): string {
  const parts: string[] = []
  if (names) parts.push(`named ${names.join(' or ')}`)
  if (labels)
    parts.push(
      `labelled ${Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ')}`,
    )
  return parts.join(' and ')
}
