import {
  type Expression,
  type ExpressionBuilder,
  type Selectable,
  sql,
  type SqlBool,
  type Transaction,
} from 'kysely'
import type { Store } from '../../store/database.ts'
import { unscoped } from '../../store/scope.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type VolumeRow = Omit<Selectable<Tables['volumes']>, 'organizationId'>
type Db = Store['db'] | Transaction<Tables>

const columns = [
  'id',
  'name',
  'kind',
  'settings',
  'maxRunning',
  'quota',
  'quotaAction',
  'bandwidth',
  'isReadOnly',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listVolumes(
  { db }: Store,
  organizationId: string,
  { after, limit, kind }: { after: Place | undefined; limit: number; kind?: string | undefined },
): Promise<VolumeRow[]> {
  let query = db.selectFrom('volumes').select(columns).where('organizationId', '=', organizationId)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

/** All of the organization: there are never many. */
export async function allVolumes(db: Db, organizationId: string): Promise<VolumeRow[]> {
  return await db
    .selectFrom('volumes')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .orderBy('id')
    .execute()
}

/** Those of all other organizations. */
export async function volumesOfOthers(db: Db, organizationId: string): Promise<VolumeRow[]> {
  return await unscoped(db)
    .selectFrom('volumes')
    .select(columns)
    .where('organizationId', '<>', organizationId)
    .execute()
}

export async function findVolume(db: Db, organizationId: string, id: string): Promise<VolumeRow | undefined> {
  return await db
    .selectFrom('volumes')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/**
 * Whosever it is. Also of a store that has not been migrated to this release: no column is named, and one that came later
 * than the others is absent from the row.
 */
export async function findAnyVolume(db: Db, id: string): Promise<VolumeRow | undefined> {
  return await db.selectFrom('volumes').selectAll().where('id', '=', id).executeTakeFirst()
}

type Values = Omit<VolumeRow, 'id' | 'kind' | 'revision' | 'createdAt' | 'updatedAt'>

export async function insertVolume(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  volume: Values & Pick<VolumeRow, 'id' | 'kind'>,
): Promise<VolumeRow> {
  return await trx
    .insertInto('volumes')
    .values({ ...volume, organizationId, revision: 1, createdAt: store.now, updatedAt: store.now })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function updateVolume(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
  values: Values,
): Promise<VolumeRow> {
  return await trx
    .updateTable('volumes')
    .set(({ eb }) => ({ ...values, revision: eb('revision', '+', 1), updatedAt: store.now }))
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function deleteVolume(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('volumes').where('id', '=', id).execute()
}

/** By name. */
export async function plansUsing(trx: Transaction<Tables>, volumeId: string): Promise<string[]> {
  const plans = await trx
    .selectFrom('planVolumes')
    .innerJoin('plans', 'plans.id', 'planVolumes.planId')
    .select('plans.name')
    .where('planVolumes.volumeId', '=', volumeId)
    .orderBy('plans.name')
    .execute()
  return plans.map(({ name }) => name)
}

/** By name. */
export async function registrationsUsing(trx: Transaction<Tables>, volumeId: string): Promise<string[]> {
  const registrations = await trx
    .selectFrom('appBackupRegistrations')
    .select('name')
    .where('volumeId', '=', volumeId)
    .orderBy('name')
    .execute()
  return registrations.map(({ name }) => name)
}

/** How many jobs are at work with it now. */
export async function jobsUsing(trx: Transaction<Tables>, resource: string): Promise<number> {
  const { count } = await trx
    .selectFrom('jobSlots')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('resource', '=', resource)
    .executeTakeFirstOrThrow()
  return count
}

export interface KeptCopies {
  copies: number
  bytes: number
  /** When the newest snapshot was taken, in milliseconds; null if there is none. */
  newest: number | null
}

/** The copies on a volume, but for those that were never stored. */
export async function keptCopies(trx: Transaction<Tables>, volumeId: string): Promise<KeptCopies> {
  return await trx
    .selectFrom('copies')
    .innerJoin('snapshots', 'snapshots.id', 'copies.snapshotId')
    .select((eb) => [
      eb.fn.countAll<number>().as('copies'),
      sumOf(eb.ref('copies.bytes')).as('bytes'),
      eb.fn.max('snapshots.takenAt').as('newest'),
    ])
    .where('copies.volumeId', '=', volumeId)
    .where('copies.state', '<>', 'failed')
    .executeTakeFirstOrThrow()
}

export interface StoredCopy {
  snapshotId: string
  key: string
  bytes: number
  /** 1: it is of another program, without a manifest. */
  isForeign: number
}

/** The good copies on a volume. */
export async function storedCopies(db: Db, volumeId: string): Promise<StoredCopy[]> {
  return await db
    .selectFrom('copies')
    .innerJoin('snapshots', 'snapshots.id', 'copies.snapshotId')
    .select(['snapshotId', 'key', 'bytes', 'isForeign'])
    .where('volumeId', '=', volumeId)
    .where('state', '=', 'stored')
    .execute()
}

/** Forgets all copies on the volume, and the snapshots that have no copy then. Returns how many snapshots went. */
export async function forgetCopies(trx: Transaction<Tables>, volumeId: string): Promise<number> {
  const onlyHere = await trx
    .deleteFrom('snapshots')
    .where((eb) => isOnlyOn(eb, volumeId))
    .returning('id')
    .execute()
  await trx.deleteFrom('copies').where('volumeId', '=', volumeId).execute()
  return onlyHere.length
}

/** How many snapshots `forgetCopies` would forget. */
export async function countOnlyOn(trx: Transaction<Tables>, volumeId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('snapshots')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where((eb) => isOnlyOn(eb, volumeId))
    .executeTakeFirstOrThrow()
  return count
}

/** A snapshot with a copy on the volume, and none elsewhere but those that were never stored. */
function isOnlyOn(eb: ExpressionBuilder<Tables, 'snapshots'>, volumeId: string): Expression<SqlBool> {
  const here = eb.selectFrom('copies').select('snapshotId').where('volumeId', '=', volumeId)
  const elsewhere = eb
    .selectFrom('copies')
    .select('copies.key')
    .whereRef('copies.snapshotId', '=', 'snapshots.id')
    .where('copies.volumeId', '<>', volumeId)
    .where('copies.state', '<>', 'failed')
  return eb.and([eb('id', 'in', here), eb.not(eb.exists(elsewhere))])
}

/** How many copies there are in each state, and how many bytes they have. */
export async function copiesByState(
  { db }: Store,
  volumeId: string,
): Promise<{ state: Tables['copies']['state']; copies: number; bytes: number }[]> {
  return await db
    .selectFrom('copies')
    .select((eb) => ['state', eb.fn.countAll<number>().as('copies'), sumOf(eb.ref('bytes')).as('bytes')])
    .where('volumeId', '=', volumeId)
    .groupBy('state')
    .execute()
}

/** When the oldest and the newest snapshot were taken that have a good copy on the volume. */
export async function spanOf(
  { db }: Store,
  volumeId: string,
): Promise<{ oldest: number | null; newest: number | null }> {
  return await db
    .selectFrom('copies')
    .innerJoin('snapshots', 'snapshots.id', 'copies.snapshotId')
    .select((eb) => [
      eb.fn.min('snapshots.takenAt').as('oldest'),
      eb.fn.max('snapshots.takenAt').as('newest'),
    ])
    .where('copies.volumeId', '=', volumeId)
    .where('copies.state', '=', 'stored')
    .executeTakeFirstOrThrow()
}

export interface KnownSnapshot {
  id: string
  organizationId: string
  /** Of its copy on the volume; null if it has none there. */
  state: Tables['copies']['state'] | null
}

/** What the catalogue knows of these snapshots, whosever they are. */
export async function knownSnapshots(
  { db }: Store,
  volumeId: string,
  ids: readonly string[],
): Promise<KnownSnapshot[]> {
  return await db
    .selectFrom('snapshots')
    .leftJoin('copies', (join) =>
      join.onRef('copies.snapshotId', '=', 'snapshots.id').on('copies.volumeId', '=', volumeId),
    )
    .select(['snapshots.id', 'snapshots.organizationId', 'copies.state'])
    .where('snapshots.id', 'in', ids)
    .execute()
}

/** PostgreSQL’s sum of big integers is a decimal. */
function sumOf(column: Expression<number>) {
  return sql<number>`cast(coalesce(sum(${column}), 0) as bigint)`
}
