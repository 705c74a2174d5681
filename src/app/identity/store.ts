import type { Store } from '../../store/database.ts'
import type { Session } from './sessions.ts'

const MINUTE = 60_000

/** What a token says of whoever sends it; its owner is null where it belongs to nobody. */
export interface TokenSigner {
  id: string
  name: string
  organizationId: string
  ownerId: string | null
  scopes: string | null
  isInstanceAdministrator: number
  networks: string | null
  expiresAt: number | null
}

export interface UserSigner {
  id: string
  name: string
  email: string
  isInstanceAdministrator: number
  isDisabled: number
  twoFactorEnabled: number
}

export async function findTokenSigner(
  { db }: Store,
  by: { hash: string } | { id: string },
): Promise<TokenSigner | undefined> {
  const [column, value] = 'hash' in by ? (['hash', by.hash] as const) : (['id', by.id] as const)
  return await db
    .selectFrom('tokens')
    .select([
      'id',
      'name',
      'organizationId',
      'ownerId',
      'scopes',
      'isInstanceAdministrator',
      'networks',
      'expiresAt',
    ])
    .where(column, '=', value)
    .executeTakeFirst()
}

export async function findUserSigner({ db }: Store, id: string): Promise<UserSigner | undefined> {
  return await db
    .selectFrom('users')
    .select(['id', 'name', 'email', 'isInstanceAdministrator', 'isDisabled', 'twoFactorEnabled'])
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function hasPassword({ db }: Store, userId: string): Promise<boolean> {
  const found = await db
    .selectFrom('accounts')
    .select('id')
    .where('userId', '=', userId)
    .where('providerId', '=', 'credential')
    .where('password', 'is not', null)
    .executeTakeFirst()
  return found !== undefined
}

/** What a user may do in an organization; undefined for who is not a member. */
export async function findMembership(
  { db }: Store,
  userId: string,
  organizationId: string,
): Promise<{ abilities: string; servers: string | null } | undefined> {
  return await db
    .selectFrom('memberships')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .select(['roles.abilities', 'roles.servers'])
    .where('memberships.userId', '=', userId)
    .where('memberships.organizationId', '=', organizationId)
    .executeTakeFirst()
}

/** The organizations that a user is a member of, by name. */
export async function organizationsOf(
  { db }: Store,
  userId: string,
): Promise<{ id: string; name: string }[]> {
  return await db
    .selectFrom('memberships')
    .innerJoin('organizations', 'organizations.id', 'memberships.organizationId')
    .select(['organizations.id', 'organizations.name'])
    .where('memberships.userId', '=', userId)
    .orderBy('organizations.name')
    .execute()
}

/** The organization that a user has been a member of for the longest. */
export async function longestMembership({ db }: Store, userId: string): Promise<{ id: string } | undefined> {
  return await db
    .selectFrom('memberships')
    .select('organizationId as id')
    .where('userId', '=', userId)
    .orderBy('createdAt')
    .orderBy('organizationId')
    .limit(1)
    .executeTakeFirst()
}

export async function hasOrganization({ db }: Store, id: string): Promise<boolean> {
  return (
    (await db.selectFrom('organizations').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  )
}

/** What the requests of a session are about from now on. */
export async function setOrganization(
  db: Store['db'],
  sessionId: string,
  organizationId: string,
): Promise<void> {
  await db.updateTable('sessions').set({ organizationId }).where('id', '=', sessionId).execute()
}

export async function oldestOrganization({ db }: Store): Promise<{ id: string } | undefined> {
  return await db.selectFrom('organizations').select('id').orderBy('id').limit(1).executeTakeFirst()
}

/** What a limit on servers is compared with. */
export async function serversOf(
  { db }: Store,
  organizationId: string,
): Promise<{ id: string; name: string; labels: string }[]> {
  return await db
    .selectFrom('servers')
    .select(['id', 'name', 'labels'])
    .where('organizationId', '=', organizationId)
    .execute()
}

/** One that has not expired. */
export async function findSession(store: Store, id: string): Promise<Session | undefined> {
  return await store.db
    .selectFrom('sessions')
    .select(['id', 'userId', 'organizationId', 'userAgent', 'method'])
    .where('id', '=', id)
    .where('expiresAt', '>', store.now)
    .executeTakeFirst()
}

/** One that has not expired, by what its cookie carries; `sinceUsed` is how long ago its use was noted, in milliseconds. */
export async function findSessionByToken(
  store: Store,
  token: string,
): Promise<(Session & { sinceUsed: number }) | undefined> {
  return await store.db
    .selectFrom('sessions')
    .select(['id', 'userId', 'organizationId', 'userAgent', 'method'])
    .select((eb) => eb(store.now, '-', eb.ref('updatedAt')).as('sinceUsed'))
    .where('token', '=', token)
    .where('expiresAt', '>', store.now)
    .executeTakeFirst()
}

/**
 * It was used now, and ends `idle` milliseconds from now, but no later than `longest` after it began; undefined: never on
 * that account.
 */
export async function prolongSession(
  store: Store,
  id: string,
  { idle, longest }: { idle: number; longest: number | undefined },
): Promise<void> {
  await store.db
    .updateTable('sessions')
    .set((eb) => {
      const unused = eb(store.now, '+', idle)
      if (longest === undefined) return { updatedAt: store.now, expiresAt: unused }
      const end = eb(eb.ref('createdAt'), '+', longest)
      const sooner = eb.case().when(end, '<', unused).then(end).else(unused).end()
      return { updatedAt: store.now, expiresAt: sooner }
    })
    .where('id', '=', id)
    .execute()
}

/** Keeps the content, unless there is one already; returns the one that is kept. */
export async function keepSecret({ db }: Store, content: string): Promise<string> {
  await db
    .insertInto('identitySecret')
    .values({ id: 'identity', content })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const row = await db.selectFrom('identitySecret').select('content').executeTakeFirstOrThrow()
  return row.content
}

export async function findSecret({ db }: Store): Promise<string | undefined> {
  return (await db.selectFrom('identitySecret').select('content').executeTakeFirst())?.content
}

/** Deletes also what is worth nothing without it. */
export async function deleteSecret({ db, now }: Store): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('identitySecret').execute()
    await trx.deleteFrom('sessions').execute()
    await trx.deleteFrom('twoFactors').execute()
    await trx
      .updateTable('users')
      .set({ twoFactorEnabled: 0, updatedAt: now })
      .where('twoFactorEnabled', '=', 1)
      .execute()
  })
}

/** At most once a minute, so that reading writes little. */
export async function noteTokenUse(store: Store, id: string): Promise<void> {
  await store.db
    .updateTable('tokens')
    .set({ lastUsedAt: store.now })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('lastUsedAt', 'is', null), eb('lastUsedAt', '<', eb(store.now, '-', MINUTE))]))
    .execute()
}
