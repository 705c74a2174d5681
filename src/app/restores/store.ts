import { sql, type Transaction } from 'kysely'
import { cancelJob } from '../../store/queue.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

type Db = Store['db'] | Transaction<Tables>

// Written out in the SQL: with a parameter in its place, no partial index is used.
const QUEUED = sql.lit('queued' as const)

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

/** The result of the last restore of a snapshot of this database that has succeeded: found by its snapshots. */
export async function lastResult(
  db: Db,
  organizationId: string,
  { serverName, database }: { serverName: string; database: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('jobs')
    .innerJoin('snapshots', 'snapshots.id', 'jobs.snapshotId')
    .select('jobs.result')
    .where('snapshots.organizationId', '=', organizationId)
    .where('snapshots.database', '=', database)
    .where('snapshots.serverName', '=', serverName)
    .where('jobs.kind', '=', 'restore')
    .where('jobs.state', '=', 'succeeded')
    .orderBy('jobs.createdAt', 'desc')
    .orderBy('jobs.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.result ?? undefined
}

/**
 * A restore tidies up by itself: a job that waits to do so would only be in its way. True if there was one: then the
 * restore owes the tidying, if it does not come so far.
 */
export async function cancelTidying(store: Store, trx: Transaction<Tables>, key: string): Promise<boolean> {
  const waiting = await waitingJob(trx, key)
  if (waiting?.kind !== 'tidy-restore') return false
  await cancelJob(store, trx, waiting.id)
  return true
}

/** Leaves the tidying to the job that waits with this key, if there is one. */
export async function oweTidying(store: Store, trx: Transaction<Tables>, key: string): Promise<void> {
  const waiting = await waitingJob(trx, key)
  if (waiting?.kind !== 'restore') return
  const payload = JSON.parse(waiting.payload) as object
  await setPayload(store, trx, waiting.id, { ...payload, owesTidying: true })
}

async function waitingJob(trx: Transaction<Tables>, key: string) {
  return await trx
    .selectFrom('jobs')
    .select(['id', 'kind', 'payload'])
    .where('key', '=', key)
    .where('state', '=', QUEUED)
    .executeTakeFirst()
}

/** What is restored and where to, as it is called; null: it is gone. */
export interface RestoreNames {
  server: string | null
  snapshot: { serverName: string; database: string; takenAt: number } | null
}

export async function restoreNames(
  trx: Transaction<Tables>,
  { snapshotId, serverId }: { snapshotId: string; serverId: string },
): Promise<RestoreNames> {
  const server = await trx.selectFrom('servers').select('name').where('id', '=', serverId).executeTakeFirst()
  const snapshot = await trx
    .selectFrom('snapshots')
    .select(['serverName', 'database', 'takenAt'])
    .where('id', '=', snapshotId)
    .executeTakeFirst()
  return { server: server?.name ?? null, snapshot: snapshot ?? null }
}
