import { type SqlBool, sql, type Transaction } from 'kysely'
import type { CopyState } from '../../shared/snapshots-api.ts'
import type { Store } from '../../store/database.ts'
import type { JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'

type Db = Store['db'] | Transaction<Tables>

// Written out in the SQL: with a parameter in its place, no partial index is used.
const STORED = sql.lit('stored' as const)

/** A copy that is looked for on its volume. */
export interface SoughtCopy {
  snapshotId: string
  key: string
  bytes: number
  state: CopyState
}

const soughtColumns = ['snapshotId', 'key', 'bytes', 'state'] as const
/** What was found damaged stays so, whatever its size is. */
const sought = ['stored', 'missing'] as const

/** Whether there are more than so many. */
export async function areMoreThan({ db }: Store, volumeId: string, count: number): Promise<boolean> {
  const rows = await db
    .selectFrom('copies')
    .select('key')
    .where('volumeId', '=', volumeId)
    .limit(count + 1)
    .execute()
  return rows.length > count
}

/**
 * A piece of the copies behind the given key, and those of them that were not seen since then. All are read: an index
 * on when they were seen would be written anew with every look.
 */
export async function unseenCopies(
  { db }: Store,
  volumeId: string,
  since: number,
  after: string,
  limit: number,
): Promise<{ unseen: SoughtCopy[]; next: string | undefined }> {
  const rows = await db
    .selectFrom('copies')
    .select([...soughtColumns, 'checkedAt'])
    .where('volumeId', '=', volumeId)
    .where('key', '>', after)
    .orderBy('key')
    .limit(limit)
    .execute()
  const unseen = rows.filter(
    ({ state, checkedAt }) => (state === 'stored' || state === 'missing') && (checkedAt ?? 0) < since,
  )
  return { unseen, next: rows.at(-1)?.key }
}

export async function copiesUnder(
  { db }: Store,
  volumeId: string,
  keys: readonly string[],
): Promise<SoughtCopy[]> {
  return await db
    .selectFrom('copies')
    .select(soughtColumns)
    .where('volumeId', '=', volumeId)
    .where('key', 'in', keys)
    .where('state', 'in', sought)
    .execute()
}

/** Notes that these copies are there, and as large as they should be. */
export async function markSeen(
  store: Store,
  trx: Transaction<Tables>,
  volumeId: string,
  copies: readonly SoughtCopy[],
): Promise<void> {
  for (const state of sought) {
    const ids = copies.filter((copy) => copy.state === state).map(({ snapshotId }) => snapshotId)
    if (ids.length === 0) continue
    const isBack = state === 'missing' && { state: 'stored' as const, error: null, updatedAt: store.now }
    await trx
      .updateTable('copies')
      .set({ checkedAt: store.now, ...isBack })
      .where('volumeId', '=', volumeId)
      .where('snapshotId', 'in', ids)
      .where('state', '=', state)
      .execute()
  }
}

/** Notes what is wrong with a copy. One that is to be deleted stays so. */
export async function markFaulty(
  store: Store,
  trx: Transaction<Tables>,
  volumeId: string,
  snapshotId: string,
  state: 'missing' | 'corrupt',
  error: JobError,
): Promise<boolean> {
  const marked = await trx
    .updateTable('copies')
    .set({ state, error: JSON.stringify(error), checkedAt: store.now, updatedAt: store.now })
    .where('volumeId', '=', volumeId)
    .where('snapshotId', '=', snapshotId)
    .where('state', 'in', sought)
    .returning('snapshotId')
    .executeTakeFirst()
  return marked !== undefined
}

/** Copies in this state of which another one is good, behind the given snapshot. */
export async function repairableCopies(
  db: Db,
  volumeId: string,
  state: 'missing' | 'corrupt' | 'failed',
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('copies')
    .select('snapshotId')
    .where('volumeId', '=', volumeId)
    .where('state', '=', state)
    .where('state', '<>', STORED)
    .where('snapshotId', '>', after)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('copies as other')
          .select('other.key')
          .whereRef('other.snapshotId', '=', 'copies.snapshotId')
          .whereRef('other.volumeId', '<>', 'copies.volumeId')
          .where('other.state', '=', STORED),
      ),
    )
    .orderBy('snapshotId')
    .limit(limit)
    .execute()
  return rows.map(({ snapshotId }) => snapshotId)
}

export async function storedBytes({ db }: Store, volumeId: string): Promise<number> {
  const { bytes } = await db
    .selectFrom('copies')
    .select(sql<number>`cast(coalesce(sum(bytes), 0) as bigint)`.as('bytes'))
    .where('volumeId', '=', volumeId)
    .where('state', '=', STORED)
    .executeTakeFirstOrThrow()
  return bytes
}

/** A copy whose bytes are to be compared. */
export interface UnreadCopy {
  snapshotId: string
  key: string
  bytes: number
  isForeign: number
  /** JSON. */
  manifest: string
}

/** The good copy of the volume that was never read since it was stored, else the one that was read longest ago; none of `except`. */
export async function longestUnread(
  { db }: Store,
  volumeId: string,
  before: number,
  except: readonly string[],
): Promise<UnreadCopy | undefined> {
  let copies = db
    .selectFrom('copies')
    .innerJoin('snapshots', 'snapshots.id', 'copies.snapshotId')
    .select(['copies.snapshotId', 'copies.key', 'copies.bytes', 'isForeign', 'manifest'])
    .where('copies.volumeId', '=', volumeId)
    .where('copies.state', '=', STORED)
    .orderBy('contentCheckedAt')
    .orderBy('copies.snapshotId')
    .limit(1)
  if (except.length > 0) copies = copies.where('copies.snapshotId', 'not in', except)
  const neverRead = await copies.where('contentCheckedAt', 'is', null).executeTakeFirst()
  return neverRead ?? (await copies.where('contentCheckedAt', '<', before).executeTakeFirst())
}

/** Jobs that are over, with what is asked before they are forgotten. */
export interface OldJob {
  id: string
  createdAt: number
  /** 0: it is the last success, or the last failure, of its database in its plan, or the last of a scheduled restore. */
  isForgettable: number
}

/** The oldest jobs that ended before these times, behind the given one; those of the brief kind are forgotten sooner. */
export async function oldJobs(
  { db }: Store,
  organizationId: string,
  cutoff: { failed: number; others: number; brief: { kind: string; before: number } },
  after: { createdAt: number; id: string },
  limit: number,
): Promise<OldJob[]> {
  return await db
    .selectFrom('jobs')
    .select(['id', 'createdAt'])
    .select(sql<number>`case when ${isForgettable} then 1 else 0 end`.as('isForgettable'))
    .where('organizationId', '=', organizationId)
    .where('createdAt', '<', Math.max(cutoff.failed, cutoff.others, cutoff.brief.before))
    .where(sql<SqlBool>`(created_at, id) > (${after.createdAt}, ${after.id})`)
    .where((eb) =>
      eb.or([
        eb.and([eb('state', '=', 'failed'), eb('finishedAt', '<', cutoff.failed)]),
        eb.and([
          eb('state', 'in', ['succeeded', 'partial', 'cancelled']),
          eb('finishedAt', '<', cutoff.others),
        ]),
        eb.and([
          eb('kind', '=', cutoff.brief.kind),
          eb('state', 'in', ['succeeded', 'failed', 'cancelled']),
          eb('finishedAt', '<', cutoff.brief.before),
        ]),
      ]),
    )
    .orderBy('createdAt')
    .orderBy('id')
    .limit(limit)
    .execute()
}

const isForgettable = sql<SqlBool>`(
  (kind <> 'restore' or not exists (
    select 1 from scheduled_restores
     where scheduled_restores.organization_id = jobs.organization_id and last_job_id = jobs.id))
  and (plan_id is null or database is null or state = 'cancelled' or exists (
    select 1 from jobs as newer
     where newer.plan_id = jobs.plan_id and newer.database = jobs.database and newer.kind = jobs.kind
       and newer.state in ('succeeded', 'partial', 'failed')
       and (newer.state = 'failed') = (jobs.state = 'failed')
       and (newer.created_at, newer.id) > (jobs.created_at, jobs.id))))`

export async function deleteJobs({ db }: Store, ids: readonly string[]): Promise<void> {
  await db.deleteFrom('jobs').where('id', 'in', ids).execute()
}

/** Snapshots of what restores have replaced, whose time is over, the oldest first. */
export async function endedSafetySnapshots(
  { db }: Store,
  organizationId: string,
  now: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('planId', 'is', null)
    .where('cause', '=', 'safety')
    .where('isLocked', '=', 0)
    .where('lockedUntil', '<', now)
    .where('id', '>', after)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('copies')
            .select('copies.key')
            .whereRef('copies.snapshotId', '=', 'snapshots.id')
            .where('copies.state', '=', 'delete_pending'),
        ),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** The last firing of each schedule stays: what was due before it is not caught up. */
export async function deleteFirings({ db }: Store, before: number): Promise<void> {
  await db
    .deleteFrom('firings')
    .where('fireAt', '<', before)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('firings as newer')
          .select('newer.fireAt')
          .whereRef('newer.schedule', '=', 'firings.schedule')
          .whereRef('newer.fireAt', '>', 'firings.fireAt'),
      ),
    )
    .execute()
}
