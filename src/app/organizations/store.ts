import { type Expression, sql, type Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { ProviderRules } from '../../shared/identity-providers.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

type Db = Store['db'] | Transaction<Tables>

export interface OrganizationRow {
  id: string
  name: string
  createdAt: number
}

export type CountedOrganization = OrganizationRow & { members: number; servers: number }

export async function countOrganizations(trx: Transaction<Tables>): Promise<number> {
  const { count } = await trx
    .selectFrom('organizations')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** The oldest first. */
export async function listOrganizations({ db }: Store): Promise<{ id: string; name: string }[]> {
  return await db.selectFrom('organizations').select(['id', 'name']).orderBy('id').execute()
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function pageOrganizations(
  { db }: Store,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<CountedOrganization[]> {
  let query = db.selectFrom('organizations').select(['id', 'name', 'createdAt']).select(counts)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

export async function findOrganization(db: Db, id: string): Promise<CountedOrganization | undefined> {
  return await db
    .selectFrom('organizations')
    .select(['id', 'name', 'createdAt'])
    .select(counts)
    .where('id', '=', id)
    .executeTakeFirst()
}

const counts = [
  sql<number>`(select count(*) from memberships where memberships.organization_id = organizations.id)`.as(
    'members',
  ),
  sql<number>`(select count(*) from servers where servers.organization_id = organizations.id)`.as('servers'),
]

export async function insertOrganization(
  store: Store,
  trx: Transaction<Tables>,
  name: string,
): Promise<string> {
  const id = uuidv7()
  await trx.insertInto('organizations').values({ id, name, createdAt: store.now }).execute()
  return id
}

/** False if there is none. */
export async function renameOrganization(db: Db, id: string, name: string): Promise<boolean> {
  const renamed = await db
    .updateTable('organizations')
    .set({ name })
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return renamed !== undefined
}

/**
 * Keeps everybody from adding anything to these organizations until the transaction ends, and waits for those who are
 * about to: what refers to a row that is locked like this waits. Of those who ask for the same, whatever the
 * organizations, one goes on at a time.
 */
export async function lockOrganizations(
  store: Store,
  trx: Transaction<Tables>,
  ids: readonly string[],
): Promise<void> {
  if (store.engine === 'sqlite') return // there, a transaction is the only one that writes
  await sql`lock table organizations in share update exclusive mode`.execute(trx)
  await trx
    .selectFrom('organizations')
    .select('id')
    .where('id', 'in', ids)
    .orderBy('id')
    .forUpdate()
    .execute()
}

/**
 * Keeps workers from claiming jobs of the organization until the transaction ends. Returns how many of them run, or are
 * being claimed at this moment.
 */
export async function lockJobs(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<number> {
  const unfinished = trx
    .selectFrom('jobs')
    .select(['id', 'state'])
    .where('organizationId', '=', organizationId)
    .where('state', 'in', ['queued', 'running'])
  if (store.engine === 'sqlite') {
    return (await unfinished.execute()).filter(({ state }) => state === 'running').length
  }
  const locked = await unfinished.forUpdate().skipLocked().execute()
  const all = await unfinished.execute()
  return all.length - locked.filter(({ state }) => state === 'queued').length
}

/** Every table whose rows say which organization they are of. */
export type OwnedTable = {
  [T in keyof Tables]: 'organizationId' extends keyof Tables[T] ? T : never
}[keyof Tables]

/** Those whose rows have a name that no other one of the same organization has. */
export const namedTables = {
  servers: 'server',
  volumes: 'volume',
  encryptionKeys: 'key',
  schedules: 'schedule',
  scheduledRestores: 'scheduled restore',
  hooks: 'hook',
  channels: 'channel',
  notificationRules: 'notification rule',
  roles: 'role',
  tokens: 'token',
} as const satisfies Partial<Record<OwnedTable, string>>
export type NamedTable = keyof typeof namedTables

/**
 * What becomes of the rows of an organization that is deleted, in the order in which they go: each behind those that
 * refer to it. A new table must be added here. What refers to a plan, a snapshot or a job goes with it.
 */
const fates: Record<OwnedTable, 'goes' | 'stays'> = {
  invitations: 'goes',
  memberships: 'goes',
  roles: 'goes',
  tokens: 'goes',
  notificationRules: 'goes',
  notificationThreads: 'goes',
  channels: 'goes',
  hooks: 'goes',
  scheduledRestores: 'goes',
  jobs: 'goes',
  snapshots: 'goes',
  plans: 'goes',
  schedules: 'goes',
  servers: 'goes',
  volumes: 'goes',
  encryptionKeys: 'goes',
  settings: 'goes',
  sessions: 'stays', // of people, who have others, or will
  auditEntries: 'stays', // only ever added to
}

/** Jobs of the instance, which the oldest organization sees. */
const instanceKinds = ['app-backup', 'tidy-app-backups']

/** Deletes the organization with everything that is its own. Nothing else is touched, and nothing on any volume. */
export async function deleteOrganization(trx: Transaction<Tables>, id: string): Promise<void> {
  const oldest = await trx
    .selectFrom('organizations')
    .select('id')
    .where('id', '<>', id)
    .orderBy('id')
    .limit(1)
    .executeTakeFirstOrThrow()
  await trx
    .updateTable('jobs')
    .set({ organizationId: oldest.id })
    .where('organizationId', '=', id)
    .where('kind', 'in', instanceKinds)
    .execute()
  await deleteTraces(trx, id)
  for (const [table, fate] of Object.entries(fates) as [OwnedTable, string][]) {
    if (fate === 'goes') await trx.deleteFrom(table).where('organizationId', '=', id).execute()
  }
  await trx.deleteFrom('organizations').where('id', '=', id).execute()
}

/** What is found only by the ids of its things: answers to its tokens, times of its schedules, what its jobs share. */
async function deleteTraces(trx: Transaction<Tables>, id: string): Promise<void> {
  const own = (table: NamedTable) => trx.selectFrom(table).select('id').where('organizationId', '=', id)
  await trx.deleteFrom('idempotencyKeys').where('tokenId', 'in', own('tokens')).execute()
  await trx.deleteFrom('firings').where('schedule', 'in', own('schedules')).execute()
  await deleteOwnFirings(trx, id)
  for (const [table, prefix] of [
    ['servers', 'server:'],
    ['volumes', 'volume:'],
    ['channels', 'channel:'],
  ] as const) {
    const names = trx
      .selectFrom(table)
      .select(sql<string>`${prefix} || id`.as('name'))
      .where('organizationId', '=', id)
    await trx.deleteFrom('resources').where('name', 'in', names).execute()
  }
}

/** When what the app does each day for the organization was done. */
async function deleteOwnFirings(trx: Transaction<Tables>, id: string): Promise<void> {
  const own = ['clean-up', 'file-check', 'digest'].map((what) => `${what}:${id}`)
  await trx.deleteFrom('firings').where('schedule', 'in', own).execute()
}

/** The names of those of the organization, in order. */
export async function namesIn(
  trx: Transaction<Tables>,
  table: NamedTable | 'plans',
  organizationId: string,
): Promise<{ id: string; name: string }[]> {
  return await trx
    .selectFrom(table)
    .select(['id', 'name'])
    .where('organizationId', '=', organizationId)
    .orderBy('name')
    .orderBy('id')
    .execute()
}

export async function countIn(
  trx: Transaction<Tables>,
  table: OwnedTable,
  organizationId: string,
): Promise<number> {
  const { count } = await trx
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('organizationId', '=', organizationId)
    .executeTakeFirstOrThrow()
  return count
}

export interface VolumeUse {
  id: string
  copies: number
  bytes: number
  plans: number
  /** The names of the app backup registrations that use it. */
  registrations: string[]
}

/** What is kept on the volumes of the organization, and who uses them. */
export async function volumeUses(trx: Transaction<Tables>, organizationId: string): Promise<VolumeUse[]> {
  const volumes = await trx
    .selectFrom('volumes')
    .select((eb) => [
      'volumes.id',
      eb
        .selectFrom('copies')
        .select((copy) => copy.fn.countAll<number>().as('count'))
        .whereRef('copies.volumeId', '=', 'volumes.id')
        .where('copies.state', '<>', 'failed')
        .as('copies'),
      eb
        .selectFrom('copies')
        .select((copy) => sumOf(copy.ref('copies.bytes')).as('sum'))
        .whereRef('copies.volumeId', '=', 'volumes.id')
        .where('copies.state', '<>', 'failed')
        .as('bytes'),
      eb
        .selectFrom('planVolumes')
        .select((use) => use.fn.countAll<number>().as('count'))
        .whereRef('planVolumes.volumeId', '=', 'volumes.id')
        .as('plans'),
    ])
    .where('organizationId', '=', organizationId)
    .execute()
  const registrations = await trx
    .selectFrom('appBackupRegistrations')
    .innerJoin('volumes', 'volumes.id', 'appBackupRegistrations.volumeId')
    .select(['appBackupRegistrations.name', 'volumes.id'])
    .where('volumes.organizationId', '=', organizationId)
    .orderBy('appBackupRegistrations.name')
    .execute()
  return volumes.map(({ id, copies, bytes, plans }) => ({
    id,
    copies: copies ?? 0,
    bytes: bytes ?? 0,
    plans: plans ?? 0,
    registrations: registrations.filter((one) => one.id === id).map(({ name }) => name),
  }))
}

/** Those who are a member of this organization alone. */
export async function membersOfNoOther(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<{ name: string; email: string }[]> {
  return await trx
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.userId')
    .select(['users.name', 'users.email'])
    .where('memberships.organizationId', '=', organizationId)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('memberships as others')
            .select('others.userId')
            .whereRef('others.userId', '=', 'users.id')
            .where('others.organizationId', '<>', organizationId),
        ),
      ),
    )
    .orderBy('users.name')
    .orderBy('users.id')
    .execute()
}

/** Snapshots of which there are copies that are encrypted with keys of the organization. */
export async function countEncrypted(trx: Transaction<Tables>, organizationId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('snapshots')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('organizationId', '=', organizationId)
    .where('keyId', 'is not', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('copies')
          .select('copies.volumeId')
          .whereRef('copies.snapshotId', '=', 'snapshots.id')
          .where('copies.state', '<>', 'failed'),
      ),
    )
    .executeTakeFirstOrThrow()
  return count
}

/** To whom invitations were sent that are open. */
export async function openInvitationsOf(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<string[]> {
  const rows = await trx
    .selectFrom('invitations')
    .select('email')
    .where('organizationId', '=', organizationId)
    .where('acceptedAt', 'is', null)
    .where('expiresAt', '>', store.now)
    .orderBy('email')
    .execute()
  return rows.map(({ email }) => email)
}

/** The names of its channels that rules of other organizations name. */
export async function channelsUsedElsewhere(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<string[]> {
  const rules = await trx
    .selectFrom('notificationRules')
    .select('channels')
    .where('organizationId', '<>', organizationId)
    .where('channels', 'is not', null)
    .execute()
  const used = new Set(rules.flatMap(({ channels }) => JSON.parse(channels ?? '[]') as string[]))
  return (await namesIn(trx, 'channels', organizationId))
    .filter(({ id }) => used.has(id))
    .map(({ name }) => name)
}

/** The identity providers that make people members of the organization, by name. */
export async function providersInto(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<{ id: string; name: string; rules: StoredRules }[]> {
  const providers = await trx
    .selectFrom('identityProviders')
    .select(['id', 'name', 'rules'])
    .orderBy('name')
    .execute()
  return providers
    .map(({ rules, ...provider }) => ({ ...provider, rules: JSON.parse(rules) as StoredRules }))
    .filter(({ rules: { mappings = [], defaultMembership } }) =>
      [...mappings, defaultMembership].some((one) => one?.organizationId === organizationId),
    )
}

type StoredRules = Partial<Pick<ProviderRules, 'mappings' | 'defaultMembership'>>

/** Of each kind that has a name, what it is called now and will be called. */
export async function moveNamed(
  trx: Transaction<Tables>,
  table: NamedTable,
  { from, into }: Move,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [id, name] of names) {
    await trx.updateTable(table).set({ name, organizationId: into }).where('id', '=', id).execute()
  }
  await trx.updateTable(table).set({ organizationId: into }).where('organizationId', '=', from).execute()
}

/** From one organization to another. */
export interface Move {
  from: string
  into: string
}

/** Everything that has no name of its own, and clashes with nothing. */
export async function moveUnnamed(trx: Transaction<Tables>, { from, into }: Move): Promise<void> {
  const own = [`clean-up:${from}`, `weekly-digest:${from}`]
  await trx.deleteFrom('jobs').where('key', 'in', own).where('state', '=', 'queued').execute()
  await deleteOwnFirings(trx, from)
  await trx.deleteFrom('settings').where('organizationId', '=', from).execute()
  const known = trx.selectFrom('notificationThreads').select('key').where('organizationId', '=', into)
  await trx
    .deleteFrom('notificationThreads')
    .where('organizationId', '=', from)
    .where('key', 'in', known)
    .execute()
  for (const table of ['plans', 'snapshots', 'jobs', 'notificationThreads', 'sessions'] as const) {
    await trx.updateTable(table).set({ organizationId: into }).where('organizationId', '=', from).execute()
  }
}

/** Those who are a member of both, by name. */
export async function membersOfBoth(
  trx: Transaction<Tables>,
  { from, into }: Move,
): Promise<{ id: string; name: string; email: string }[]> {
  return await trx
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.userId')
    .innerJoin('memberships as others', 'others.userId', 'memberships.userId')
    .select(['users.id', 'users.name', 'users.email'])
    .where('memberships.organizationId', '=', from)
    .where('others.organizationId', '=', into)
    .orderBy('users.name')
    .orderBy('users.id')
    .execute()
}

/** With the invitations. `roles` are those that are replaced by others. */
export async function moveMembers(
  trx: Transaction<Tables>,
  { from, into }: Move,
  roles: ReadonlyMap<string, string>,
): Promise<void> {
  const already = trx.selectFrom('memberships').select('userId').where('organizationId', '=', into)
  await trx
    .deleteFrom('memberships')
    .where('organizationId', '=', from)
    .where('userId', 'in', already)
    .execute()
  for (const [role, other] of roles) {
    await trx.updateTable('memberships').set({ roleId: other }).where('roleId', '=', role).execute()
    await trx.updateTable('invitations').set({ roleId: other }).where('roleId', '=', role).execute()
    await trx.deleteFrom('roles').where('id', '=', role).execute()
  }
  for (const table of ['memberships', 'invitations'] as const) {
    await trx.updateTable(table).set({ organizationId: into }).where('organizationId', '=', from).execute()
  }
  // The organization has its own that came with it.
  await trx.updateTable('roles').set({ isBuiltIn: 0 }).where('organizationId', '=', from).execute()
}

/** Invitations to those who are invited to the other one, too: their addresses. */
export async function invitedToBoth(
  store: Store,
  trx: Transaction<Tables>,
  { from, into }: Move,
): Promise<string[]> {
  const others = new Set(await openInvitationsOf(store, trx, into))
  return (await openInvitationsOf(store, trx, from)).filter((email) => others.has(email))
}

export async function deleteOpenInvitations(
  trx: Transaction<Tables>,
  organizationId: string,
  emails: readonly string[],
): Promise<void> {
  if (emails.length === 0) return
  await trx
    .deleteFrom('invitations')
    .where('organizationId', '=', organizationId)
    .where('email', 'in', emails)
    .where('acceptedAt', 'is', null)
    .execute()
}

/** Of a provider, what it gives instead. */
export async function moveMappings(
  trx: Transaction<Tables>,
  { from, into }: Move,
  roles: ReadonlyMap<string, string>,
): Promise<void> {
  const moved = <T extends { organizationId: string; roleId: string }>(given: T): T =>
    given.organizationId === from
      ? { ...given, organizationId: into, roleId: roles.get(given.roleId) ?? given.roleId }
      : given
  for (const { id, rules } of await providersInto(trx, from)) {
    const { mappings = [], defaultMembership = null, ...others } = rules
    const changed = {
      ...others,
      mappings: mappings.map(moved),
      defaultMembership: defaultMembership && moved(defaultMembership),
    }
    await trx
      .updateTable('identityProviders')
      .set({ rules: JSON.stringify(changed) })
      .where('id', '=', id)
      .execute()
  }
}

/** What the roles of the organization allow. */
export async function rolesIn(
  db: Db,
  organizationId: string,
): Promise<{ id: string; name: string; abilities: string; servers: string | null }[]> {
  return await db
    .selectFrom('roles')
    .select(['id', 'name', 'abilities', 'servers'])
    .where('organizationId', '=', organizationId)
    .orderBy('name')
    .execute()
}

/** What roles may be limited to. */
export async function serversIn(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<{ id: string; name: string; labels: string }[]> {
  return await trx
    .selectFrom('servers')
    .select(['id', 'name', 'labels'])
    .where('organizationId', '=', organizationId)
    .orderBy('name')
    .execute()
}

export async function limitRole(trx: Transaction<Tables>, id: string, servers: string): Promise<void> {
  await trx
    .updateTable('roles')
    .set(({ eb }) => ({ servers, revision: eb('revision', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

/** The ids of the organizations that have been merged into this one, and into those. */
export async function mergedInto(db: Db, id: string): Promise<string[]> {
  const row = await db.selectFrom('organizations').select('mergedIds').where('id', '=', id).executeTakeFirst()
  return row ? (JSON.parse(row.mergedIds) as string[]) : []
}

/** So that what was recorded of the one that goes is still found. */
export async function noteMerged(trx: Transaction<Tables>, { from, into }: Move): Promise<void> {
  const ids = [...(await mergedInto(trx, into)), from, ...(await mergedInto(trx, from))]
  await trx
    .updateTable('organizations')
    .set({ mergedIds: JSON.stringify(ids) })
    .where('id', '=', into)
    .execute()
}

/** Volumes on which nothing is kept, with what waits to be done there. */
export async function deleteVolumes(trx: Transaction<Tables>, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await trx.deleteFrom('jobs').where('volumeId', '=', id).where('state', '=', 'queued').execute()
    await trx.deleteFrom('copies').where('volumeId', '=', id).execute()
    await trx.deleteFrom('resources').where('name', '=', `volume:${id}`).execute()
    await trx.deleteFrom('volumes').where('id', '=', id).execute()
  }
}

/** Of an organization of which everything has moved. */
export async function deleteEmptyOrganization(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('organizations').where('id', '=', id).execute()
}

/** PostgreSQL’s sum of big integers is a decimal. */
function sumOf(column: Expression<number>) {
  return sql<number>`cast(coalesce(sum(${column}), 0) as bigint)`
}
