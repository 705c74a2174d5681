import { type Expression, sql, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBefore, type Place } from '../pages.ts'

type Db = Store['db'] | Transaction<Tables>

export interface InvitationRow {
  id: string
  organizationId: string
  organizationName: string
  email: string
  roleId: string
  roleName: string
  roleAbilities: string
  roleServers: string | null
  inviterId: string | null
  inviterName: string | null
  inviterEmail: string | null
  expiresAt: number
  acceptedAt: number | null
  createdAt: number
  /** 1: its time is over. */
  isExpired: number
}

function invitations(store: Store, db: Db) {
  return db
    .selectFrom('invitations')
    .innerJoin('roles', 'roles.id', 'invitations.roleId')
    .innerJoin('organizations', 'organizations.id', 'invitations.organizationId')
    .leftJoin('users', 'users.id', 'invitations.invitedBy')
    .select([
      'invitations.id',
      'invitations.organizationId',
      'organizations.name as organizationName',
      'invitations.email',
      'roles.id as roleId',
      'roles.name as roleName',
      'roles.abilities as roleAbilities',
      'roles.servers as roleServers',
      'users.id as inviterId',
      'users.name as inviterName',
      'users.email as inviterEmail',
      'invitations.expiresAt',
      'invitations.acceptedAt',
      'invitations.createdAt',
    ])
    .select((eb) => [isOver(store, eb.ref('invitations.expiresAt')).as('isExpired')])
}

function isOver({ now }: Store, expiresAt: Expression<number>) {
  return sql<number>`case when ${expiresAt} <= ${now} then 1 else 0 end`
}

/** The newest first, behind the given place; one more than `limit`. */
export async function listInvitations(
  store: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<InvitationRow[]> {
  let query = invitations(store, store.db).where('invitations.organizationId', '=', organizationId)
  if (after) query = query.where(isBefore('invitations.createdAt', after, 'invitations.id'))
  return await query
    .orderBy('invitations.createdAt', 'desc')
    .orderBy('invitations.id', 'desc')
    .limit(limit + 1)
    .execute()
}

export async function findInvitation(
  store: Store,
  db: Db,
  organizationId: string,
  id: string,
): Promise<InvitationRow | undefined> {
  return await invitations(store, db)
    .where('invitations.organizationId', '=', organizationId)
    .where('invitations.id', '=', id)
    .executeTakeFirst()
}

/** One that can still be accepted, of whatever organization. */
export async function findOpenInvitation(
  store: Store,
  db: Db,
  hash: string,
): Promise<InvitationRow | undefined> {
  return await invitations(store, db)
    .where('invitations.hash', '=', hash)
    .where('invitations.acceptedAt', 'is', null)
    .where('invitations.expiresAt', '>', store.now)
    .executeTakeFirst()
}

/** What an open invitation gives, and what whoever sent it is now. */
export interface GivenRow {
  id: string
  given: { abilities: string; servers: string | null }
  isDisabled: number
  isInstanceAdministrator: number
  /** Null: they are no member any more. */
  inviters: { abilities: string; servers: string | null } | null
}

/** Those that people have sent, and nobody has accepted. */
export async function givenByPeople(
  db: Db,
  which: { id: string } | { organizationId: string } | { inviterId: string },
): Promise<GivenRow[]> {
  let query = db
    .selectFrom('invitations')
    .innerJoin('roles', 'roles.id', 'invitations.roleId')
    .innerJoin('users', 'users.id', 'invitations.invitedBy')
    .leftJoin('memberships', (join) =>
      join
        .onRef('memberships.userId', '=', 'users.id')
        .onRef('memberships.organizationId', '=', 'invitations.organizationId'),
    )
    .leftJoin('roles as own', 'own.id', 'memberships.roleId')
    .select([
      'invitations.id',
      'roles.abilities',
      'roles.servers',
      'users.isDisabled',
      'users.isInstanceAdministrator',
      'own.abilities as ownAbilities',
      'own.servers as ownServers',
    ])
    .where('invitations.acceptedAt', 'is', null)
  if ('id' in which) query = query.where('invitations.id', '=', which.id)
  else if ('inviterId' in which) query = query.where('invitations.invitedBy', '=', which.inviterId)
  else query = query.where('invitations.organizationId', '=', which.organizationId)
  return (await query.execute()).map(({ abilities, servers, ownAbilities, ownServers, ...row }) => ({
    ...row,
    given: { abilities, servers },
    inviters: ownAbilities === null ? null : { abilities: ownAbilities, servers: ownServers },
  }))
}

/** Whether an invitation to that address is open. */
export async function isInvited(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  email: string,
): Promise<boolean> {
  const found = await trx
    .selectFrom('invitations')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('email', '=', email)
    .where('acceptedAt', 'is', null)
    .where('expiresAt', '>', store.now)
    .executeTakeFirst()
  return found !== undefined
}

/** In the place of those to the same address that nobody can accept any more. */
export async function insertInvitation(
  store: Store,
  trx: Transaction<Tables>,
  invitation: {
    id: string
    organizationId: string
    email: string
    roleId: string
    hash: string
    invitedBy: string | null
  },
  lifetime: number,
): Promise<void> {
  const { organizationId, email } = invitation
  await trx
    .deleteFrom('invitations')
    .where('organizationId', '=', organizationId)
    .where('email', '=', email)
    .where('acceptedAt', 'is', null)
    .execute()
  await trx
    .insertInto('invitations')
    .values({ ...invitation, expiresAt: inSoMany(store, lifetime), acceptedAt: null, createdAt: store.now })
    .execute()
}

/** False if somebody has accepted it meanwhile. */
export async function renewInvitation(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
  values: { hash: string; invitedBy: string | null },
  lifetime: number,
): Promise<boolean> {
  const renewed = await trx
    .updateTable('invitations')
    .set({ ...values, expiresAt: inSoMany(store, lifetime) })
    .where('id', '=', id)
    .where('acceptedAt', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return renewed !== undefined
}

export async function deleteInvitation(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('invitations').where('id', '=', id).execute()
}

/** True for one caller alone: of several at once, the others see that it is accepted. */
export async function claimInvitation(
  store: Store,
  trx: Transaction<Tables>,
  hash: string,
): Promise<boolean> {
  const claimed = await trx
    .updateTable('invitations')
    .set({ acceptedAt: store.now })
    .where('hash', '=', hash)
    .where('acceptedAt', 'is', null)
    .where('expiresAt', '>', store.now)
    .returning('id')
    .executeTakeFirst()
  return claimed !== undefined
}

/** What tells who somebody is: the password as it is kept, and whether a second factor is asked for. */
export async function findProof(
  { db }: Store,
  userId: string,
): Promise<{ password: string | null; twoFactorEnabled: number } | undefined> {
  return await db
    .selectFrom('users')
    .leftJoin('accounts', (join) =>
      join.onRef('accounts.userId', '=', 'users.id').on('accounts.providerId', '=', 'credential'),
    )
    .select(['accounts.password', 'users.twoFactorEnabled'])
    .where('users.id', '=', userId)
    .executeTakeFirst()
}

function inSoMany({ now }: Store, milliseconds: number) {
  return sql<number>`${now} + ${sql.lit(milliseconds)}`
}
