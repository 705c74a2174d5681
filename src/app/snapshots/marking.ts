import { type Expression, type ExpressionBuilder, sql, type SqlBool, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import { locking } from '../../store/locks.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'

/*
 * Who decides that copies go takes `holdOrganization` first, so that nobody else decides, then `lockSnapshots`, looks
 * again, and marks them. Who begins to read a snapshot takes `lockSnapshots` alone, and looks whether it is marked; its
 * job is known before. So either the one sees the job, or the other the mark.
 */

/** Nobody else changes these snapshots, or begins to read them, until the transaction ends. */
export async function lockSnapshots(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  ids: readonly string[],
): Promise<void> {
  const rows = trx
    .selectFrom('snapshots')
    .select('id')
    .where(unindexed('organizationId'), '=', organizationId)
    .where('id', 'in', ids)
    .orderBy('id')
  await locking(store, rows).execute()
}

/**
 * A job reads the snapshot, or is about to. A repair that waits is no reason: when its turn comes, it sees that the
 * snapshot is gone.
 */
export function isRead(snapshotId: string): Expression<SqlBool> {
  return sql<SqlBool>`exists (
    select 1 from jobs where jobs.snapshot_id = ${sql.ref(snapshotId)}
      and (jobs.state = 'running' or (jobs.state = 'queued' and jobs.kind <> 'repair-copy')))`
}

/**
 * Marks copies as to be deleted: all of these snapshots, or those on one volume. Of one that was never stored nothing is
 * there, so it is forgotten at once. Returns the volumes on which there is something to delete.
 */
export async function markPending(
  store: Store,
  trx: Transaction<Tables>,
  ids: readonly string[],
  volumeId?: string,
): Promise<string[]> {
  let failed = trx.deleteFrom('copies').where('snapshotId', 'in', ids).where('state', '=', 'failed')
  let others = trx.updateTable('copies').set(pending(store)).where('snapshotId', 'in', ids)
  if (volumeId !== undefined) {
    failed = failed.where('volumeId', '=', volumeId)
    others = others.where('volumeId', '=', volumeId)
  }
  await failed.execute()
  const marked = await others.returning('volumeId').execute()
  await forgetWithoutCopies(trx, ids)
  return [...new Set(marked.map((copy) => copy.volumeId))].sort()
}

/**
 * The ids of a plan's snapshots: all of them; those that go if they are deleted with it; and those that stay then, because
 * they are locked, a job reads them, or they have a copy on a volume which is only read.
 */
export function fateWithPlan(store: Store, trx: Transaction<Tables>, organizationId: string, planId: string) {
  const all = trx
    .selectFrom('snapshots')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('planId', '=', planId)
  const mayGo = (eb: ExpressionBuilder<Tables, 'snapshots'>) =>
    eb.and([
      eb('isLocked', '=', 0),
      eb(eb.fn.coalesce('lockedUntil', eb.val(0)), '<=', store.now),
      eb.not(isRead('snapshots.id')),
      eb.not(
        eb.exists(
          eb
            .selectFrom('copies')
            .innerJoin('volumes', 'volumes.id', 'copies.volumeId')
            .select('copies.key')
            .whereRef('copies.snapshotId', '=', 'snapshots.id')
            .where('volumes.isReadOnly', '=', 1),
        ),
      ),
    ])
  return { all, going: all.where(mayGo), kept: all.where((eb) => eb.not(mayGo(eb))).where(isUnmarked) }
}

/**
 * Marks all copies of those snapshots of the plan that may go. Returns the ids of those that stay, the newest first. In a
 * few statements, however many they are, for all of it is one transaction.
 */
export async function markPlanPending(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  planId: string,
): Promise<string[]> {
  const { all, going } = fateWithPlan(store, trx, organizationId, planId)
  await locking(store, all.orderBy('id')).execute()
  await trx.deleteFrom('copies').where('state', '=', 'failed').where('snapshotId', 'in', going).execute()
  await trx.updateTable('copies').set(pending(store)).where('snapshotId', 'in', going).execute()
  await trx.deleteFrom('snapshots').where('planId', '=', planId).where(hasNoCopies).execute()
  // Not what could not go a moment before: a job may have been ordered since, or be over.
  return await newestFirst(all.where(isUnmarked))
}

export type SnapshotIds = ReturnType<typeof fateWithPlan>['all']

export async function newestFirst(ids: SnapshotIds): Promise<string[]> {
  const rows = await ids.orderBy('takenAt', 'desc').orderBy('id', 'desc').execute()
  return rows.map(({ id }) => id)
}

/** Forgets those of the snapshots that have no copy any more. */
export async function forgetWithoutCopies(trx: Transaction<Tables>, ids: readonly string[]): Promise<void> {
  await trx.deleteFrom('snapshots').where('id', 'in', ids).where(hasNoCopies).execute()
}

function isUnmarked(eb: ExpressionBuilder<Tables, 'snapshots'>): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('copies')
      .select('copies.key')
      .whereRef('copies.snapshotId', '=', 'snapshots.id')
      .where('copies.state', '<>', 'delete_pending'),
  )
}

const hasNoCopies = sql<SqlBool>`not exists (select 1 from copies where copies.snapshot_id = snapshots.id)`

function pending(store: Store) {
  return { state: 'delete_pending' as const, error: null, updatedAt: store.now }
}
