import { type Selectable, sql, type Transaction } from 'kysely'
import type { ProviderRules } from '../../shared/identity-providers.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type RoleRow = Omit<Selectable<Tables['roles']>, 'organizationId'>

/** With how many have it. */
export type CountedRole = RoleRow & { members: number; invitations: number }

type Db = Store['db'] | Transaction<Tables>

const columns = [
  'id',
  'name',
  'abilities',
  'servers',
  'isBuiltIn',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listRoles(
  store: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<CountedRole[]> {
  let query = store.db
    .selectFrom('roles')
    .select(columns)
    .select(counts(store))
    .where('organizationId', '=', organizationId)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

export async function findRole(db: Db, organizationId: string, id: string): Promise<RoleRow | undefined> {
  return await db
    .selectFrom('roles')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Of all roles of the organization. */
export async function roleNames(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<Pick<RoleRow, 'id' | 'name'>[]> {
  return await trx
    .selectFrom('roles')
    .select(['id', 'name'])
    .where('organizationId', '=', organizationId)
    .execute()
}

export async function findCountedRole(
  store: Store,
  organizationId: string,
  id: string,
): Promise<CountedRole | undefined> {
  return await store.db
    .selectFrom('roles')
    .select(columns)
    .select(counts(store))
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

type Values = Pick<RoleRow, 'name' | 'abilities' | 'servers'>

export async function insertRole(
  store: Store,
  trx: Transaction<Tables>,
  role: Values & { id: string; organizationId: string },
): Promise<void> {
  await trx
    .insertInto('roles')
    .values({ ...role, isBuiltIn: 0, revision: 1, createdAt: store.now, updatedAt: store.now })
    .execute()
}

/** For all servers. */
export async function insertBuiltInRoles(
  { now }: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  roles: readonly { id: string; name: string; abilities: string }[],
): Promise<void> {
  const rest = { organizationId, servers: null, isBuiltIn: 1, revision: 1, createdAt: now, updatedAt: now }
  await trx
    .insertInto('roles')
    .values(roles.map((role) => ({ ...role, ...rest })))
    .execute()
}

/** False if it has another revision by now. */
export async function updateRole(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<RoleRow, 'id' | 'revision'>,
  values: Values,
): Promise<boolean> {
  const updated = await trx
    .updateTable('roles')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined
}

/** With the invitations that nobody can accept any more. */
export async function deleteRole(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('invitations').where('roleId', '=', id).execute()
  await trx.deleteFrom('roles').where('id', '=', id).execute()
}

/** How many users have it, and how many open invitations give it. */
export async function holdersOf(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
): Promise<{ members: number; invitations: number }> {
  return await trx.selectFrom('roles').select(counts(store)).where('id', '=', id).executeTakeFirstOrThrow()
}

/** The names of the identity providers that give it. */
export async function providersGiving(trx: Transaction<Tables>, roleId: string): Promise<string[]> {
  const providers = await trx
    .selectFrom('identityProviders')
    .select(['name', 'rules'])
    .orderBy('name')
    .execute()
  return providers
    .filter(({ rules }) => {
      const { mappings = [], defaultMembership } = JSON.parse(rules) as Partial<ProviderRules>
      return [...mappings, ...(defaultMembership ? [defaultMembership] : [])].some(
        (given) => given.roleId === roleId,
      )
    })
    .map(({ name }) => name)
}

/** What those may do in the organization who can sign in. */
export async function rolesOfMembers(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<Pick<RoleRow, 'abilities' | 'servers'>[]> {
  return await trx
    .selectFrom('memberships')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .innerJoin('users', 'users.id', 'memberships.userId')
    .select(['roles.abilities', 'roles.servers'])
    .where('memberships.organizationId', '=', organizationId)
    .where('users.isDisabled', '=', 0)
    .execute()
}

/** The id of the role that a user has in the organization. */
export async function roleIdOf(db: Db, organizationId: string, userId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('memberships')
    .select('roleId')
    .where('organizationId', '=', organizationId)
    .where('userId', '=', userId)
    .executeTakeFirst()
  return row?.roleId
}

function counts(store: Store) {
  return [
    sql<number>`(select count(*) from memberships where memberships.role_id = roles.id)`.as('members'),
    sql<number>`(select count(*) from invitations where invitations.role_id = roles.id
      and invitations.accepted_at is null and invitations.expires_at > ${store.now})`.as('invitations'),
  ]
}
