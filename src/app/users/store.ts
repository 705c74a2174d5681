import { sql, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

type Db = Store['db'] | Transaction<Tables>

export interface MemberRow {
  id: string
  name: string
  email: string
  isInstanceAdministrator: number
  isDisabled: number
  twoFactorEnabled: number
  passkeys: number
  lastSignInAt: number | null
  roleId: string
  roleName: string
  roleAbilities: string
  roleServers: string | null
  providerId: string | null
  providerName: string | null
  joinedAt: number
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function listMembers(
  { db }: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<MemberRow[]> {
  let query = members(db, organizationId)
  if (after) query = query.where(isBehind('users.name', after, 'users.id'))
  return await query
    .orderBy('users.name')
    .orderBy('users.id')
    .limit(limit + 1)
    .execute()
}

export async function findMember(db: Db, organizationId: string, id: string): Promise<MemberRow | undefined> {
  return await members(db, organizationId).where('users.id', '=', id).executeTakeFirst()
}

function members(db: Db, organizationId: string) {
  return db
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.userId')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .leftJoin('identityProviders', 'identityProviders.id', 'memberships.providerId')
    .select([
      'users.id',
      'users.name',
      'users.email',
      'users.isInstanceAdministrator',
      'users.isDisabled',
      'users.twoFactorEnabled',
      'roles.id as roleId',
      'roles.name as roleName',
      'roles.abilities as roleAbilities',
      'roles.servers as roleServers',
      'identityProviders.id as providerId',
      'identityProviders.name as providerName',
      'memberships.createdAt as joinedAt',
    ])
    .select([passkeys, lastSignIn])
    .where('memberships.organizationId', '=', organizationId)
}

const passkeys = sql<number>`(select count(*) from passkeys where passkeys.user_id = users.id)`.as('passkeys')
const lastSignIn = sql<number | null>`(select max(sessions.created_at) from sessions
  where sessions.user_id = users.id)`.as('lastSignInAt')

export interface UserRow {
  id: string
  name: string
  email: string
  isDisabled: number
}

/** Whoever has an account with this address, which is in lower case. */
export async function findUserByEmail(db: Db, email: string): Promise<UserRow | undefined> {
  return await db
    .selectFrom('users')
    .select(['id', 'name', 'email', 'isDisabled'])
    .where('email', '=', email)
    .executeTakeFirst()
}

/** False if they are a member already. */
export async function insertMembership(
  store: Store,
  trx: Transaction<Tables>,
  membership: { organizationId: string; userId: string; roleId: string },
): Promise<boolean> {
  const added = await trx
    .insertInto('memberships')
    .values({ ...membership, providerId: null, createdAt: store.now })
    .onConflict((conflict) => conflict.columns(['organizationId', 'userId']).doNothing())
    .returning('userId')
    .executeTakeFirst()
  return added !== undefined
}

/** Given by a person from now on: no identity provider takes it away. */
export async function updateMembership(
  trx: Transaction<Tables>,
  { organizationId, userId, roleId }: { organizationId: string; userId: string; roleId: string },
): Promise<void> {
  await trx
    .updateTable('memberships')
    .set({ roleId, providerId: null })
    .where('organizationId', '=', organizationId)
    .where('userId', '=', userId)
    .execute()
}

/**
 * Takes a user out of an organization, with what would still act for them there: their tokens, and invitations that nobody
 * has accepted. Sessions that are about it stay so: they change nothing elsewhere unnoticed. Returns the ids of the tokens.
 */
export async function deleteMembership(
  trx: Transaction<Tables>,
  { organizationId, userId }: { organizationId: string; userId: string },
): Promise<string[]> {
  const tokens = await trx
    .deleteFrom('tokens')
    .where('organizationId', '=', organizationId)
    .where('ownerId', '=', userId)
    .returning('id')
    .execute()
  await trx
    .deleteFrom('invitations')
    .where('organizationId', '=', organizationId)
    .where('invitedBy', '=', userId)
    .where('acceptedAt', 'is', null)
    .execute()
  await trx
    .deleteFrom('memberships')
    .where('organizationId', '=', organizationId)
    .where('userId', '=', userId)
    .execute()
  return tokens.map(({ id }) => id)
}

export interface AccountRow {
  id: string
  name: string
  email: string
  isInstanceAdministrator: number
  isDisabled: number
  twoFactorEnabled: number
  passwords: number
  passkeys: number
  sessions: number
  lastSignInAt: number | null
  createdAt: number
  updatedAt: number
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function listAccounts(
  store: Store,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<AccountRow[]> {
  let query = accounts(store, store.db)
  if (after) query = query.where(isBehind('users.name', after, 'users.id'))
  return await query
    .orderBy('users.name')
    .orderBy('users.id')
    .limit(limit + 1)
    .execute()
}

export async function findAccount(store: Store, db: Db, id: string): Promise<AccountRow | undefined> {
  return await accounts(store, db).where('users.id', '=', id).executeTakeFirst()
}

function accounts(store: Store, db: Db) {
  return db
    .selectFrom('users')
    .select([
      'users.id',
      'users.name',
      'users.email',
      'users.isInstanceAdministrator',
      'users.isDisabled',
      'users.twoFactorEnabled',
      'users.createdAt',
      'users.updatedAt',
    ])
    .select([
      passkeys,
      lastSignIn,
      sql<number>`(select count(*) from accounts where accounts.user_id = users.id
        and accounts.password is not null)`.as('passwords'),
      sql<number>`(select count(*) from sessions where sessions.user_id = users.id
        and sessions.expires_at > ${store.now})`.as('sessions'),
    ])
}

export interface MembershipRow {
  userId: string
  organizationId: string
  organizationName: string
  roleId: string
  roleName: string
}

/** What these users are a member of, by the name of the organization. */
export async function membershipsOf(db: Db, userIds: readonly string[]): Promise<MembershipRow[]> {
  if (userIds.length === 0) return []
  return await db
    .selectFrom('memberships')
    .innerJoin('organizations', 'organizations.id', 'memberships.organizationId')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .select([
      'memberships.userId',
      'organizations.id as organizationId',
      'organizations.name as organizationName',
      'roles.id as roleId',
      'roles.name as roleName',
    ])
    .where('memberships.userId', 'in', userIds)
    .orderBy('organizations.name')
    .execute()
}

/** Lets no other transaction that asks for the same go on before this one has ended. */
export async function holdAccounts(trx: Transaction<Tables>): Promise<void> {
  await sql`update users set updated_at = updated_at where is_instance_administrator = 1`.execute(trx)
}

/** Those who administer the instance, and can sign in. */
export async function countInstanceAdministrators(trx: Transaction<Tables>): Promise<number> {
  const { count } = await trx
    .selectFrom('users')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('isInstanceAdministrator', '=', 1)
    .where('isDisabled', '=', 0)
    .executeTakeFirstOrThrow()
  return count
}

export async function updateUser(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
  values: Pick<AccountRow, 'name' | 'email' | 'isInstanceAdministrator' | 'isDisabled'> & {
    emailVerified?: number
  },
): Promise<void> {
  await trx
    .updateTable('users')
    .set({ ...values, updatedAt: store.now })
    .where('id', '=', id)
    .execute()
}

/** How many there were. */
export async function deleteSessions(db: Db, userId: string): Promise<number> {
  const deleted = await db.deleteFrom('sessions').where('userId', '=', userId).returning('id').execute()
  return deleted.length
}

/** False if it had none. */
export async function deleteSecondFactor(
  store: Store,
  trx: Transaction<Tables>,
  userId: string,
): Promise<boolean> {
  const updated = await trx
    .updateTable('users')
    .set({ twoFactorEnabled: 0, updatedAt: store.now })
    .where('id', '=', userId)
    .where('twoFactorEnabled', '=', 1)
    .returning('id')
    .executeTakeFirst()
  const deleted = await trx
    .deleteFrom('twoFactors')
    .where('userId', '=', userId)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined || deleted !== undefined
}

/** The tokens of a user, in all organizations. */
export async function tokensOf(
  db: Db,
  userId: string,
): Promise<{ id: string; name: string; organization: string }[]> {
  return await db
    .selectFrom('tokens')
    .innerJoin('organizations', 'organizations.id', 'tokens.organizationId')
    .select(['tokens.id', 'tokens.name', 'organizations.name as organization'])
    .where('tokens.ownerId', '=', userId)
    .orderBy('organizations.name')
    .orderBy('tokens.name')
    .execute()
}

/** To whom a user has sent an invitation that is open, in all organizations. */
export async function invitedBy(store: Store, db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('invitations')
    .select('email')
    .where('invitedBy', '=', userId)
    .where('acceptedAt', 'is', null)
    .where('expiresAt', '>', store.now)
    .orderBy('email')
    .execute()
  return rows.map(({ email }) => email)
}

export async function deleteInvitationsBy(trx: Transaction<Tables>, userId: string): Promise<void> {
  await trx
    .deleteFrom('invitations')
    .where('invitedBy', '=', userId)
    .where('acceptedAt', 'is', null)
    .execute()
}

/** With its sessions, passwords, passkeys, tokens and memberships, which refer to it. */
export async function deleteUser(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('users').where('id', '=', id).execute()
}
