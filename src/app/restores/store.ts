import type { Transaction } from 'kysely'
import { cancelJob } from '../../store/queue.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

type Db = Store['db'] | Transaction<Tables>

/** What these jobs were to do, by their ids. */
export async function payloadsOf(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('jobs').select(['id', 'payload']).where('id', 'in', ids).execute()
  return new Map(rows.map(({ id, payload }) => [id, payload]))
}

export async function setPayload(
  store: Store,
  db: Db,
  id: string,
  payload: Record<string, unknown>,
): Promise<void> {
  await db
    .updateTable('jobs')
    .set({ payload: JSON.stringify(payload), updatedAt: store.now })
    .where('id', '=', id)
    .execute()
}

/** What the restores that were cancelled, most of them before anybody has begun them, were to do. */
export async function cancelledRestores(
  db: Db,
  organizationId: string,
): Promise<{ id: string; payload: string }[]> {
  return await db
    .selectFrom('jobs')
    .select(['id', 'payload'])
    .where('organizationId', '=', organizationId)
    .where('kind', '=', 'restore')
    .where('state', '=', 'cancelled')
    .execute()
}

/** The newest snapshot that each of these jobs has made of what it was about to replace. */
export async function safetySnapshotsOf(db: Db, jobIds: readonly string[]): Promise<Map<string, string>> {
  if (jobIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('snapshots')
    .select(['id', 'jobId'])
    .where('jobId', 'in', jobIds)
    .where('cause', '=', 'safety')
    .orderBy('takenAt')
    .execute()
  return new Map(rows.flatMap(({ id, jobId }) => (jobId === null ? [] : [[jobId, id] as const])))
}

/** The result of the last restore of a snapshot of this database that has succeeded. */
export async function lastResult(
  db: Db,
  organizationId: string,
  { serverName, database }: { serverName: string; database: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('jobs')
    .innerJoin('snapshots', 'snapshots.id', 'jobs.snapshotId')
    .select('jobs.result')
    .where('jobs.organizationId', '=', organizationId)
    .where('jobs.kind', '=', 'restore')
    .where('jobs.state', '=', 'succeeded')
    .where('snapshots.serverName', '=', serverName)
    .where('snapshots.database', '=', database)
    .orderBy('jobs.createdAt', 'desc')
    .orderBy('jobs.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.result ?? undefined
}

/** A restore tidies up by itself: a job that waits to do so would only be in its way. */
export async function cancelTidying(store: Store, trx: Transaction<Tables>, key: string): Promise<void> {
  const waiting = await trx
    .selectFrom('jobs')
    .select('id')
    .where('key', '=', key)
    .where('kind', '=', 'tidy-restore')
    .where('state', '=', 'queued')
    .executeTakeFirst()
  if (waiting) await cancelJob(store, trx, waiting.id)
}
