import type { Selectable, Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { holdOrganization } from '../hold.ts'
import { withdrawInvitations } from '../invitations/withdraw.ts'
import { isBehind, type Place } from '../pages.ts'
import { isAdministrators, powersOf } from '../roles/powers.ts'
import { leaveOrganization } from '../users/users.ts'
import type { CurrentMembership, MembershipChanges } from './memberships.ts'

export type ProviderRow = Selectable<Tables['identityProviders']> & { users: number }
type Db = Store['db'] | Transaction<Tables>

function providers(db: Db) {
  return db
    .selectFrom('identityProviders')
    .selectAll('identityProviders')
    .select((eb) =>
      eb
        .selectFrom('accounts')
        .select((inner) => inner.fn.countAll<number>().as('users'))
        .whereRef('accounts.providerId', '=', 'identityProviders.id')
        .as('users'),
    )
    .$castTo<ProviderRow>()
}

export async function findProvider(db: Db, id: string): Promise<ProviderRow | undefined> {
  return await providers(db).where('identityProviders.id', '=', id).executeTakeFirst()
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function listProviders(
  db: Db,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<ProviderRow[]> {
  let query = providers(db)
  if (after) query = query.where(isBehind('identityProviders.name', after, 'identityProviders.id'))
  return await query
    .orderBy('identityProviders.name')
    .orderBy('identityProviders.id')
    .limit(limit + 1)
    .execute()
}

/** Those that one may sign in by. */
export async function enabledProviders(db: Db): Promise<{ id: string }[]> {
  return await db.selectFrom('identityProviders').select('id').where('isEnabled', '=', 1).execute()
}

type Values = Pick<ProviderRow, 'name' | 'settings' | 'rules' | 'isEnabled'>

export async function insertProvider(
  store: Store,
  trx: Transaction<Tables>,
  provider: Values & Pick<ProviderRow, 'id' | 'kind'>,
): Promise<void> {
  await trx
    .insertInto('identityProviders')
    .values({ ...provider, revision: 1, createdAt: store.now, updatedAt: store.now })
    .execute()
}

/** False if it has another revision by now. */
export async function updateProvider(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<ProviderRow, 'id' | 'revision'>,
  values: Values,
): Promise<boolean> {
  const updated = await trx
    .updateTable('identityProviders')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined
}

/** With the accounts that are linked with it; what it gave stays, as if a person had given it. */
export async function deleteProvider(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('accounts').where('providerId', '=', id).execute()
  await trx.deleteFrom('identityProviders').where('id', '=', id).execute()
}

/** Who would have no way to sign in without it; their e-mail addresses. */
export async function usersOnlyOf(
  db: Db,
  providerId: string,
  { password }: { password: boolean },
): Promise<string[]> {
  const users = await db
    .selectFrom('users')
    .select('users.email')
    .where('users.id', 'in', (eb) =>
      eb.selectFrom('accounts').select('userId').where('providerId', '=', providerId),
    )
    .where((eb) => {
      const others = eb
        .selectFrom('accounts as others')
        .leftJoin('identityProviders', 'identityProviders.id', 'others.providerId')
        .select('others.id')
        .whereRef('others.userId', '=', 'users.id')
        .where('others.providerId', '<>', providerId)
        .where((other) => {
          const isEnabled = other('identityProviders.isEnabled', '=', 1)
          return password ? other.or([isEnabled, other('others.password', 'is not', null)]) : isEnabled
        })
      return eb.not(eb.exists(others))
    })
    .where((eb) => {
      const passkeys = eb.selectFrom('passkeys').select('passkeys.id').whereRef('userId', '=', 'users.id')
      return eb.not(eb.exists(passkeys))
    })
    .orderBy('users.email')
    .execute()
  return users.map(({ email }) => email)
}

/** The ids of the roles of these that are there, each with its organization. */
export async function rolesAmong(
  db: Db,
  ids: readonly string[],
): Promise<{ id: string; organizationId: string }[]> {
  if (ids.length === 0) return []
  return await db.selectFrom('roles').select(['id', 'organizationId']).where('id', 'in', ids).execute()
}

/** By name: for what people write down. The oldest organization first. */
export async function namedRoles(
  db: Db,
): Promise<{ id: string; name: string; organizationId: string; organization: string }[]> {
  return await db
    .selectFrom('roles')
    .innerJoin('organizations', 'organizations.id', 'roles.organizationId')
    .select(['roles.id', 'roles.name', 'roles.organizationId', 'organizations.name as organization'])
    .orderBy('organizations.id')
    .execute()
}

export interface SigningUser {
  id: string
  name: string
  email: string
  emailVerified: number
  isInstanceAdministrator: number
  isDisabled: number
  credentialsVersion: number
}

const userColumns = [
  'users.id',
  'users.name',
  'users.email',
  'users.emailVerified',
  'users.isInstanceAdministrator',
  'users.isDisabled',
  'users.credentialsVersion',
] as const

/** Who is linked with an account at a provider. */
export async function userOfAccount(
  db: Db,
  { providerId, subject }: { providerId: string; subject: string },
): Promise<SigningUser | undefined> {
  return await db
    .selectFrom('accounts')
    .innerJoin('users', 'users.id', 'accounts.userId')
    .select(userColumns)
    .where('accounts.providerId', '=', providerId)
    .where('accounts.accountId', '=', subject)
    .executeTakeFirst()
}

export async function userOfEmail(db: Db, email: string): Promise<SigningUser | undefined> {
  return await db.selectFrom('users').select(userColumns).where('email', '=', email).executeTakeFirst()
}

export async function userOfId(db: Db, id: string): Promise<SigningUser | undefined> {
  return await db.selectFrom('users').select(userColumns).where('id', '=', id).executeTakeFirst()
}

/** Returns its id. */
export async function insertUser(
  store: Store,
  trx: Transaction<Tables>,
  { name, email, isEmailVerified }: { name: string; email: string; isEmailVerified: boolean },
): Promise<string> {
  const id = uuidv7()
  await trx
    .insertInto('users')
    .values({
      id,
      name,
      email,
      emailVerified: Number(isEmailVerified),
      createdAt: store.now,
      updatedAt: store.now,
    })
    .execute()
  return id
}

export async function insertAccount(
  store: Store,
  trx: Transaction<Tables>,
  { userId, providerId, subject }: { userId: string; providerId: string; subject: string },
): Promise<void> {
  await trx
    .insertInto('accounts')
    .values({
      id: uuidv7(),
      userId,
      providerId,
      accountId: subject,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .execute()
}

export async function noteAccountUse(
  store: Store,
  trx: Transaction<Tables>,
  { providerId, subject }: { providerId: string; subject: string },
): Promise<void> {
  await trx
    .updateTable('accounts')
    .set({ updatedAt: store.now })
    .where('providerId', '=', providerId)
    .where('accountId', '=', subject)
    .execute()
}

export interface AccountRow {
  id: string
  subject: string
  providerId: string
  providerName: string | null
  providerKind: string | null
  createdAt: number
  updatedAt: number
}

/** A user's accounts at providers. */
export async function accountsOf(db: Db, userId: string): Promise<AccountRow[]> {
  return await db
    .selectFrom('accounts')
    .leftJoin('identityProviders', 'identityProviders.id', 'accounts.providerId')
    .select([
      'accounts.id',
      'accounts.accountId as subject',
      'accounts.providerId',
      'identityProviders.name as providerName',
      'identityProviders.kind as providerKind',
      'accounts.createdAt',
      'accounts.updatedAt',
    ])
    .where('accounts.userId', '=', userId)
    .where('accounts.providerId', '<>', 'credential')
    .orderBy('accounts.id')
    .execute()
}

export async function deleteAccount(trx: Transaction<Tables>, userId: string, id: string): Promise<void> {
  await trx.deleteFrom('accounts').where('userId', '=', userId).where('id', '=', id).execute()
}

/** What a user is, and where nobody else may give out roles. Holds these organizations. */
export async function membershipsOf(trx: Transaction<Tables>, userId: string): Promise<CurrentMembership[]> {
  const organizations = await trx
    .selectFrom('memberships')
    .select('organizationId')
    .where('userId', '=', userId)
    .orderBy('organizationId')
    .execute()
  for (const { organizationId } of organizations) await holdOrganization(trx, organizationId)
  const memberships = await trx
    .selectFrom('memberships')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .select([
      'memberships.organizationId',
      'memberships.roleId',
      'memberships.providerId',
      'roles.abilities',
      'roles.servers',
    ])
    .where('memberships.userId', '=', userId)
    .orderBy('memberships.organizationId')
    .execute()
  const found: CurrentMembership[] = []
  for (const { abilities, servers, ...membership } of memberships) {
    const isLastAdministrator =
      isAdministrators(powersOf({ abilities, servers })) &&
      !(await hasOtherAdministrator(trx, membership.organizationId, userId))
    found.push({ ...membership, isLastAdministrator })
  }
  return found
}

async function hasOtherAdministrator(
  trx: Transaction<Tables>,
  organizationId: string,
  userId: string,
): Promise<boolean> {
  const others = await trx
    .selectFrom('memberships')
    .innerJoin('roles', 'roles.id', 'memberships.roleId')
    .innerJoin('users', 'users.id', 'memberships.userId')
    .select(['roles.abilities', 'roles.servers'])
    .where('memberships.organizationId', '=', organizationId)
    .where('memberships.userId', '<>', userId)
    .where('users.isDisabled', '=', 0)
    .execute()
  return others.map(powersOf).some(isAdministrators)
}

export async function applyMembershipChanges(
  store: Store,
  trx: Transaction<Tables>,
  { userId, providerId }: { userId: string; providerId: string },
  { added, changed, removed }: MembershipChanges,
): Promise<void> {
  for (const { organizationId, roleId } of added) {
    await trx
      .insertInto('memberships')
      .values({ organizationId, userId, roleId, providerId, createdAt: store.now })
      .execute()
  }
  const given = (organizationId: string) =>
    [
      ['userId', userId],
      ['providerId', providerId],
      ['organizationId', organizationId],
    ] as const
  for (const { organizationId, roleId } of changed) {
    let query = trx.updateTable('memberships').set({ roleId })
    for (const [column, value] of given(organizationId)) query = query.where(column, '=', value)
    await query.execute()
  }
  for (const organizationId of removed) await leaveOrganization(trx, { organizationId, userId })
  if (changed.length > 0) await withdrawInvitations(trx, { inviterId: userId })
}
