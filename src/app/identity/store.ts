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
    .select(['id', 'name', 'email', 'isInstanceAdministrator', 'isDisabled'])
    .where('id', '=', id)
    .executeTakeFirst()
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
    .select(['id', 'userId', 'organizationId', 'userAgent'])
    .where('id', '=', id)
    .where('expiresAt', '>', store.now)
    .executeTakeFirst()
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
