import { type Selectable, type SqlBool, sql, type Transaction } from 'kysely'
import {
  type Skip,
  scheduledRestoreSettings,
  type ScheduledRestoreSettings,
  skip,
} from '../../shared/scheduled-restores.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'
import { unreadable } from '../unreadable.ts'

type Db = Store['db'] | Transaction<Tables>

type Stored = Selectable<Tables['scheduledRestores']>

export interface ScheduledRestoreRow extends Omit<Stored, 'settings' | 'lastSkipReason'> {
  settings: ScheduledRestoreSettings
  lastSkip: Skip | null
}

export interface ScheduledRestoreFilter {
  /** The source’s, or the target’s. */
  serverId?: string | undefined
  scheduleId?: string | undefined
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function listScheduledRestores(
  { db }: Store,
  organizationId: string,
  { serverId, scheduleId }: ScheduledRestoreFilter,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<ScheduledRestoreRow[]> {
  let query = db.selectFrom('scheduledRestores').selectAll().where('organizationId', '=', organizationId)
  if (serverId !== undefined) {
    query = query.where((eb) =>
      eb.or([eb('sourceServerId', '=', serverId), eb('targetServerId', '=', serverId)]),
    )
  }
  if (scheduleId !== undefined) query = query.where('scheduleId', '=', scheduleId)
  if (after) query = query.where(isBehind('name', after))
  const rows = await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return rows.map(parsed)
}

export async function findScheduledRestore(
  db: Db,
  organizationId: string,
  id: string,
): Promise<ScheduledRestoreRow | undefined> {
  const row = await db
    .selectFrom('scheduledRestores')
    .selectAll()
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && parsed(row)
}

/** Those of a schedule, also the disabled ones: they are skipped, and say so. */
export async function scheduledRestoresOf(db: Db, scheduleId: string): Promise<{ id: string }[]> {
  return await db
    .selectFrom('scheduledRestores')
    .select('id')
    .where('scheduleId', '=', scheduleId)
    .orderBy('id')
    .execute()
}

/** The names of those that take the snapshots of this plan alone. */
export async function scheduledRestoresNaming(
  db: Db,
  organizationId: string,
  planId: string,
): Promise<string[]> {
  const rows = await db
    .selectFrom('scheduledRestores')
    .select('name')
    .where('organizationId', '=', organizationId)
    .where(sql<SqlBool>`settings ->> 'planId' = ${planId}`)
    .orderBy('name')
    .execute()
  return rows.map(({ name }) => name)
}

export type Values = Pick<
  ScheduledRestoreRow,
  'name' | 'sourceServerId' | 'sourceDatabase' | 'targetServerId' | 'scheduleId' | 'isEnabled' | 'settings'
>

export async function insertScheduledRestore(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  { settings, ...values }: Values & { id: string },
): Promise<ScheduledRestoreRow> {
  const row = await trx
    .insertInto('scheduledRestores')
    .values({
      ...values,
      organizationId,
      settings: JSON.stringify(settings),
      revision: 1,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  return parsed(row)
}

/** Undefined if it has another revision by now, or is gone. `forgets`: what was restored last was something else. */
export async function updateScheduledRestore(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<ScheduledRestoreRow, 'id' | 'revision'>,
  { settings, ...values }: Values,
  { forgets }: { forgets: boolean },
): Promise<ScheduledRestoreRow | undefined> {
  const row = await trx
    .updateTable('scheduledRestores')
    .set({
      ...values,
      settings: JSON.stringify(settings),
      ...(forgets && { lastJobId: null, lastSnapshotId: null }),
      revision: revision + 1,
      updatedAt: store.now,
    })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returningAll()
    .executeTakeFirst()
  return row && parsed(row)
}

export async function deleteScheduledRestore(
  { db }: Store,
  organizationId: string,
  id: string,
): Promise<boolean> {
  const deleted = await db
    .deleteFrom('scheduledRestores')
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** Nobody else begins it until the transaction ends. Returns it as it is now. */
export async function holdScheduledRestore(
  trx: Transaction<Tables>,
  id: string,
): Promise<ScheduledRestoreRow | undefined> {
  // Writing the row as it is locks it in both kinds of store.
  const row = await trx
    .updateTable('scheduledRestores')
    .set((eb) => ({ createdAt: eb.ref('createdAt') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row && parsed(row)
}

/** What the app notes by itself is no change that a person would meet: the revision stays. */
export async function note(
  trx: Transaction<Tables>,
  id: string,
  values: Partial<Pick<Stored, 'lastJobId' | 'lastSnapshotId' | 'lastSkipReason'>>,
): Promise<void> {
  await trx.updateTable('scheduledRestores').set(values).where('id', '=', id).execute()
}

/**
 * Notes, in the transaction that says that the restore has succeeded, what was restored: unless another one was ordered
 * since, or the scheduled restore was changed to restore something else.
 */
export async function noteRestored(
  trx: Transaction<Tables>,
  id: string,
  { jobId, snapshotId }: { jobId: string; snapshotId: string },
): Promise<void> {
  await trx
    .updateTable('scheduledRestores')
    .set({ lastSnapshotId: snapshotId })
    .where('id', '=', id)
    .where('lastJobId', '=', jobId)
    .execute()
}

export async function noteSkipped(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
  skip: Skip,
): Promise<void> {
  await trx
    .updateTable('scheduledRestores')
    .set({ lastSkippedAt: store.now, lastSkipReason: JSON.stringify(skip) })
    .where('id', '=', id)
    .execute()
}

export interface Candidate {
  id: string
  takenAt: number
  /** Where its good copies are. */
  volumeIds: string[]
}

/** The newest snapshot of the database with a good copy; not one that a restore has made of what it replaced. */
export async function newestSnapshot(
  db: Db,
  organizationId: string,
  { sourceServerId, sourceDatabase, settings: { planId } }: ScheduledRestoreRow,
): Promise<Candidate | undefined> {
  let query = db
    .selectFrom('snapshots')
    .select(['id', 'takenAt'])
    .where('organizationId', '=', organizationId)
    .where('serverId', '=', sourceServerId)
    .where('database', '=', sourceDatabase)
    .where('cause', '<>', 'safety')
    .where(
      sql<SqlBool>`exists (select 1 from copies where copies.snapshot_id = snapshots.id and copies.state = 'stored')`,
    )
  if (planId !== null) query = query.where('planId', '=', planId)
  const found = await query.orderBy('takenAt', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst()
  if (!found) return undefined
  const copies = await db
    .selectFrom('copies')
    .select('volumeId')
    .where('snapshotId', '=', found.id)
    .where('state', '=', 'stored')
    .execute()
  return { ...found, volumeIds: copies.map(({ volumeId }) => volumeId) }
}

/** Whether a restore of this key waits or runs. Each has an index of its own, for which its state must be written out. */
export async function isUnderWay(db: Db, key: string): Promise<boolean> {
  const job = await db
    .selectFrom('jobs')
    .select('id')
    .where('kind', '=', 'restore')
    .where((eb) =>
      eb.or([
        eb.and([eb('key', '=', key), eb('state', '=', sql.lit('queued' as const))]),
        eb.and([eb('key', '=', key), eb('state', '=', sql.lit('running' as const))]),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  return job !== undefined
}

/** Throws `unsupported`. */
function parsed({ settings, lastSkipReason, ...row }: Stored): ScheduledRestoreRow {
  try {
    return {
      ...row,
      settings: scheduledRestoreSettings.parse(JSON.parse(settings)),
      lastSkip: lastSkipReason === null ? null : skipIn(lastSkipReason),
    }
  } catch (error) {
    throw unreadable('scheduled restore', row.name, error)
  }
}

/** What was noted before it was data is a sentence; what cannot be read is told as it is. */
function skipIn(noted: string): Skip {
  const asItIs: Skip = { why: 'refused', message: noted }
  if (!noted.startsWith('{')) return asItIs
  try {
    return skip.parse(JSON.parse(noted))
  } catch {
    return asItIs
  }
}
