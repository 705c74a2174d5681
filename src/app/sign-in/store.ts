import type { Kysely } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

/** By name. */
export async function listEnabledProviders({
  db,
}: Store): Promise<{ id: string; name: string; revision: number }[]> {
  return await db
    .selectFrom('identityProviders')
    .select(['id', 'name', 'revision'])
    .where('isEnabled', '=', 1)
    .orderBy('name')
    .execute()
}

/** Whether there is one. Until the transaction ends, nobody else changes them. */
export async function holdEnabledProviders(db: Kysely<Tables>): Promise<boolean> {
  const held = await db
    .updateTable('identityProviders')
    .set((eb) => ({ updatedAt: eb.ref('updatedAt') }))
    .where('isEnabled', '=', 1)
    .returning('id')
    .execute()
  return held.length > 0
}

export async function deleteSession(db: Kysely<Tables>, userId: string, id: string): Promise<boolean> {
  const deleted = await db
    .deleteFrom('sessions')
    .where('id', '=', id)
    .where('userId', '=', userId)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** All of a user's, but for one. Returns how many. */
export async function deleteSessionsOf(
  db: Kysely<Tables>,
  userId: string,
  { except = '' }: { except?: string | undefined } = {},
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('userId', '=', userId)
    .where('id', '<>', except)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** False if another one has the e-mail. */
export async function insertUser(
  { now }: Store,
  db: Kysely<Tables>,
  user: {
    id: string
    name: string
    email: string
    isInstanceAdministrator: boolean
    isEmailVerified: boolean
  },
): Promise<boolean> {
  const inserted = await db
    .insertInto('users')
    .values({
      id: user.id,
      name: user.name,
      email: user.email,
      emailVerified: Number(user.isEmailVerified),
      isInstanceAdministrator: Number(user.isInstanceAdministrator),
      createdAt: now,
      updatedAt: now,
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

/** Where better-auth looks for a password. */
const PASSWORD = 'credential'

export async function savePassword(
  { now }: Store,
  db: Kysely<Tables>,
  userId: string,
  password: string,
): Promise<void> {
  await db
    .insertInto('accounts')
    .values({
      id: uuidv7(),
      userId,
      accountId: userId,
      providerId: PASSWORD,
      password,
      createdAt: now,
      updatedAt: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['providerId', 'accountId']).doUpdateSet({ password, updatedAt: now }),
    )
    .execute()
}

export async function insertMembership(
  { now }: Store,
  db: Kysely<Tables>,
  membership: { organizationId: string; userId: string; roleId: string },
): Promise<void> {
  await db
    .insertInto('memberships')
    .values({ ...membership, providerId: null, createdAt: now })
    .execute()
}

export async function hasAdministrator(db: Kysely<Tables>): Promise<boolean> {
  const found = await db
    .selectFrom('users')
    .select('id')
    .where('isInstanceAdministrator', '=', 1)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** From now on the first account is made with this token, and with no other. */
export async function saveSetup({ now }: Store, db: Kysely<Tables>, hash: string): Promise<void> {
  await db
    .insertInto('setup')
    .values({ id: 1, hash, createdAt: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ hash, createdAt: now }))
    .execute()
}

/** The SHA-256 of the token; undefined where somebody has an account, or no app was started yet. */
export async function findSetup(db: Kysely<Tables>): Promise<string | undefined> {
  return (await db.selectFrom('setup').select('hash').executeTakeFirst())?.hash
}

/** False if somebody else was faster, or the token is another one by now. */
export async function takeSetup(db: Kysely<Tables>, hash: string): Promise<boolean> {
  const taken = await db.deleteFrom('setup').where('hash', '=', hash).returning('id').executeTakeFirst()
  return taken !== undefined
}

/** From now on nobody makes the first account any more. */
export async function closeSetup(db: Kysely<Tables>): Promise<void> {
  await db.deleteFrom('setup').execute()
}

export interface UserRow {
  id: string
  name: string
  email: string
  isInstanceAdministrator: number
  isDisabled: number
  twoFactorEnabled: number
  credentialsVersion: number
  /** As it is kept; null: none. */
  password: string | null
}

export async function findUser(
  db: Kysely<Tables>,
  by: { id: string } | { email: string },
): Promise<UserRow | undefined> {
  const [column, value] = 'id' in by ? (['users.id', by.id] as const) : (['users.email', by.email] as const)
  return await usersWithPasswords(db).where(column, '=', value).executeTakeFirst()
}

/** By e-mail. */
export async function listUsers(db: Kysely<Tables>): Promise<UserRow[]> {
  return await usersWithPasswords(db).orderBy('users.email').execute()
}

function usersWithPasswords(db: Kysely<Tables>) {
  return db
    .selectFrom('users')
    .leftJoin('accounts', (join) =>
      join.onRef('accounts.userId', '=', 'users.id').on('accounts.providerId', '=', PASSWORD),
    )
    .select([
      'users.id',
      'users.name',
      'users.email',
      'users.isInstanceAdministrator',
      'users.isDisabled',
      'users.twoFactorEnabled',
      'users.credentialsVersion',
      'accounts.password',
    ])
}

/** Who is what, where; by the name of the organization. */
export async function listMemberships(
  db: Kysely<Tables>,
): Promise<{ userId: string; organization: string; role: string }[]> {
  return await db
    .selectFrom('memberships')
    .innerJoin('organizations', 'organizations.id', 'memberships.organizationId')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .select(['memberships.userId', 'organizations.name as organization', 'roles.name as role'])
    .orderBy('organizations.name')
    .execute()
}

/** By the ids of users: how many passkeys they have, and the names of their identity providers. */
export async function listWays(
  db: Kysely<Tables>,
): Promise<{ passkeys: Map<string, number>; providers: Map<string, string[]> }> {
  const passkeys = await db
    .selectFrom('passkeys')
    .select((eb) => ['userId', eb.fn.countAll<number>().as('count')])
    .groupBy('userId')
    .execute()
  const providers = await db
    .selectFrom('accounts')
    .innerJoin('identityProviders', 'identityProviders.id', 'accounts.providerId')
    .select(['accounts.userId', 'identityProviders.name'])
    .orderBy('identityProviders.name')
    .execute()
  const named = Map.groupBy(providers, ({ userId }) => userId)
  return {
    passkeys: new Map(passkeys.map(({ userId, count }) => [userId, count])),
    providers: new Map([...named].map(([userId, rows]) => [userId, rows.map(({ name }) => name)])),
  }
}

export async function findRole(
  db: Kysely<Tables>,
  organizationId: string,
  name: string,
): Promise<{ id: string; name: string; organization: string } | undefined> {
  return await db
    .selectFrom('roles')
    .innerJoin('organizations', 'organizations.id', 'roles.organizationId')
    .select(['roles.id', 'roles.name', 'organizations.name as organization'])
    .where('roles.organizationId', '=', organizationId)
    .where('roles.name', '=', name)
    .executeTakeFirst()
}

/** Changes what is given. */
export async function updateUser(
  { now }: Store,
  db: Kysely<Tables>,
  id: string,
  changes: { name?: string; emailVerified?: number; isDisabled?: number },
): Promise<void> {
  await db
    .updateTable('users')
    .set({ ...changes, updatedAt: now })
    .where('id', '=', id)
    .execute()
}

/** From now on the password, or what else was first, is enough. */
export async function deleteSecondFactor({ now }: Store, db: Kysely<Tables>, userId: string): Promise<void> {
  await db.deleteFrom('twoFactors').where('userId', '=', userId).execute()
  await db
    .updateTable('users')
    .set({ twoFactorEnabled: 0, updatedAt: now })
    .where('id', '=', userId)
    .execute()
}

/** Keeps the SHA-256 of what a link carries. */
export async function saveLink(
  { now }: Store,
  db: Kysely<Tables>,
  { purpose, hash, userId, lasts }: { purpose: string; hash: string; userId: string; lasts: number },
): Promise<void> {
  await db
    .insertInto('verifications')
    .values((eb) => ({
      id: uuidv7(),
      identifier: identifierOf(purpose, hash),
      value: userId,
      expiresAt: eb(now, '+', lasts),
      createdAt: now,
      updatedAt: now,
    }))
    .execute()
}

/** Whose link it is; undefined if there is none, or its time is over. */
export async function findLink(
  { now }: Store,
  db: Kysely<Tables>,
  purpose: string,
  hash: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('verifications')
    .select('value')
    .where('identifier', '=', identifierOf(purpose, hash))
    .where('expiresAt', '>', now)
    .executeTakeFirst()
  return row?.value
}

/** The same, for one of all who ask. */
export async function takeLink(
  { now }: Store,
  db: Kysely<Tables>,
  purpose: string,
  hash: string,
): Promise<string | undefined> {
  const row = await db
    .deleteFrom('verifications')
    .where('identifier', '=', identifierOf(purpose, hash))
    .where('expiresAt', '>', now)
    .returning('value')
    .executeTakeFirst()
  return row?.value
}

function identifierOf(purpose: string, hash: string): string {
  return `${purpose} ${hash}`
}

/** What is over, whoever it was for. */
export async function deleteExpired({ db, now }: Store): Promise<void> {
  await db.deleteFrom('sessions').where('expiresAt', '<', now).execute()
  await db.deleteFrom('verifications').where('expiresAt', '<', now).execute()
}
