import { type Expression, type Selectable, sql, type SqlBool, type Transaction } from 'kysely'
import type { PlanLosses } from '../../shared/plans.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'
import { forgetWithoutCopies, isRead, lockSnapshots, type SnapshotIds } from './marking.ts'

type Db = Store['db'] | Transaction<Tables>

// Written out in the SQL: with a parameter in its place, no partial index is used.
const STORED = sql.lit('stored' as const)
const PENDING = sql.lit('delete_pending' as const)

/** What lists show of a snapshot: all but its manifest. */
export type SnapshotSummary = Omit<Selectable<Tables['snapshots']>, 'organizationId' | 'manifest'>

export const summaryColumns = [
  'id',
  'serverId',
  'serverName',
  'engine',
  'database',
  'planId',
  'planName',
  'jobId',
  'takenAt',
  'finishedAt',
  'format',
  'rawBytes',
  'storedBytes',
  'sha256',
  'keyId',
  'keyFingerprint',
  'cause',
  'releaseVersion',
  'comment',
  'isLocked',
  'lockedUntil',
  'provenAt',
  'isPartial',
  'isForeign',
  'revision',
] as const satisfies (keyof SnapshotSummary)[]

export type StoredSnapshotRow = SnapshotSummary & { manifest: string }

export async function findSnapshotRow(
  db: Db,
  organizationId: string,
  id: string,
): Promise<StoredSnapshotRow | undefined> {
  return await db
    .selectFrom('snapshots')
    .select([...summaryColumns, 'manifest'])
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** How many snapshots there are of each database of the server, by name. */
export async function countByDatabase(
  { db }: Store,
  serverId: string,
): Promise<{ database: string; snapshots: number; newestAt: number }[]> {
  return await db
    .selectFrom('snapshots')
    .select((eb) => [
      'database',
      eb.fn.countAll<number>().as('snapshots'),
      eb.fn.max('takenAt').as('newestAt'),
    ])
    .where('serverId', '=', serverId)
    .groupBy('database')
    .orderBy('database')
    .execute()
}

/** A copy, with the name of its volume. */
export type NamedCopyRow = Selectable<Tables['copies']> & { volumeName: string; isReadOnly: number }

/** The copies of these snapshots, by snapshot, then by the name of the volume. */
export async function copiesOf(db: Db, ids: readonly string[]): Promise<NamedCopyRow[]> {
  if (ids.length === 0) return []
  return await db
    .selectFrom('copies')
    .innerJoin('volumes', 'volumes.id', 'copies.volumeId')
    .selectAll('copies')
    .select(['volumes.name as volumeName', 'volumes.isReadOnly'])
    .where('copies.snapshotId', 'in', ids)
    .orderBy('copies.snapshotId')
    .orderBy('volumes.name')
    .execute()
}

/** What is not there stays as it is. Undefined if it has another revision by now, or is gone. */
export async function updateSnapshot(
  trx: Transaction<Tables>,
  { id, revision }: Pick<SnapshotSummary, 'id' | 'revision'>,
  values: Partial<Pick<SnapshotSummary, 'isLocked' | 'lockedUntil' | 'comment'>>,
): Promise<SnapshotSummary | undefined> {
  return await trx
    .updateTable('snapshots')
    .set({ ...values, revision: revision + 1 })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning(summaryColumns)
    .executeTakeFirst()
}

/** What is asked of a snapshot before it is deleted. */
export interface DeletionFacts {
  id: string
  serverName: string
  database: string
  takenAt: number
  storedBytes: number
  isLocked: number
  lockedUntil: number | null
  /** 1: a job reads it. */
  isRead: number
  /** 1: it has a good copy. */
  isGood: number
  /** 1: there is a newer one of the same database with a good copy. */
  hasNewer: number
}

export async function deletionFacts(
  db: Db,
  organizationId: string,
  ids: readonly string[],
): Promise<DeletionFacts[]> {
  return await db
    .selectFrom('snapshots')
    .select(['id', 'serverName', 'database', 'takenAt', 'storedBytes', 'isLocked', 'lockedUntil'])
    .select([
      asNumber(isRead('snapshots.id')).as('isRead'),
      asNumber(isGood('snapshots.id')).as('isGood'),
      asNumber(hasNewer).as('hasNewer'),
    ])
    .where(unindexed('organizationId'), '=', organizationId)
    .where('id', 'in', ids)
    .orderBy('takenAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** Of a server that was forgotten only the name is left to know it by. */
const hasNewer = sql<SqlBool>`(
  exists (select 1 from snapshots as newer
    where newer.server_id = snapshots.server_id and newer.database = snapshots.database
      and (newer.taken_at, newer.id) > (snapshots.taken_at, snapshots.id) and ${isGood('newer.id')})
  or (snapshots.server_id is null and exists (select 1 from snapshots as newer
    where newer.organization_id = snapshots.organization_id and newer.database = snapshots.database
      and newer.server_id is null and newer.server_name = snapshots.server_name
      and (newer.taken_at, newer.id) > (snapshots.taken_at, snapshots.id) and ${isGood('newer.id')})))`

function isGood(snapshotId: string): Expression<SqlBool> {
  return sql<SqlBool>`exists (
    select 1 from copies where copies.snapshot_id = ${sql.ref(snapshotId)} and copies.state = 'stored')`
}

function asNumber(condition: Expression<SqlBool>) {
  return sql<number>`case when ${condition} then 1 else 0 end`
}

/** How many snapshots of each database these are, with what of them lies on volumes. */
export async function summariseByDatabase(db: Db, ids: SnapshotIds): Promise<PlanLosses['databases']> {
  const rows = await db
    .selectFrom('snapshots')
    .leftJoin('copies', (join) =>
      join
        .onRef('copies.snapshotId', '=', 'snapshots.id')
        .on('copies.state', 'in', ['stored', 'corrupt', 'delete_pending']),
    )
    .select((eb) => [
      'database',
      eb.fn.count<number>('snapshots.id').distinct().as('snapshots'),
      eb.fn.count<number>('copies.key').as('copies'),
      eb.fn.sum<number | string | null>('copies.bytes').as('bytes'),
      eb.fn.max('takenAt').as('newestAt'),
    ])
    .where('snapshots.id', 'in', ids)
    .groupBy('database')
    .orderBy('database')
    .execute()
  return rows.map(({ bytes, newestAt, ...row }) => ({
    ...row,
    bytes: Number(bytes ?? 0),
    newest: new Date(newestAt).toISOString(),
  }))
}

/** A copy that is to go. */
export interface PendingCopy {
  snapshotId: string
  key: string
  bytes: number
}

/** The copies on the volume that are to go, behind the given snapshot. */
export async function pendingCopies(
  { db }: Store,
  volumeId: string,
  after: string,
  limit: number,
): Promise<PendingCopy[]> {
  return await db
    .selectFrom('copies')
    .select(['snapshotId', 'key', 'bytes'])
    .where('volumeId', '=', volumeId)
    .where('state', '=', PENDING)
    .where('state', '<>', STORED)
    .where('snapshotId', '>', after)
    .orderBy('snapshotId')
    .limit(limit)
    .execute()
}

/** The volumes of an organization on which there are copies that are to go. */
export async function pendingVolumes(db: Db, organizationId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('volumes')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('isReadOnly', '=', 0)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('copies')
          .select('copies.key')
          .whereRef('copies.volumeId', '=', 'volumes.id')
          .where('copies.state', '=', PENDING)
          .where('copies.state', '<>', STORED),
      ),
    )
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** Notes why a copy that is to go is still there. */
export async function notePendingError(
  store: Store,
  { snapshotId, volumeId }: { snapshotId: string; volumeId: string },
  error: object,
): Promise<void> {
  await store.db
    .updateTable('copies')
    .set({ error: JSON.stringify(error), updatedAt: store.now })
    .where('snapshotId', '=', snapshotId)
    .where('volumeId', '=', volumeId)
    .where('state', '=', 'delete_pending')
    .execute()
}

/** Forgets a copy that has gone from its volume, and with the last one its snapshot. */
export async function forgetCopy(
  store: Store,
  organizationId: string,
  { snapshotId, volumeId }: { snapshotId: string; volumeId: string },
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    // Else two that take the last two copies would each leave the snapshot to the other.
    await lockSnapshots(store, trx, organizationId, [snapshotId])
    await trx
      .deleteFrom('copies')
      .where('snapshotId', '=', snapshotId)
      .where('volumeId', '=', volumeId)
      .where('state', '=', 'delete_pending')
      .execute()
    await forgetWithoutCopies(trx, [snapshotId])
  })
}
