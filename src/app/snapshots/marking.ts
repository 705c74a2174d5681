import { type Expression, sql, type SqlBool, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import { locking } from '../../store/locks.ts'
import type { Tables } from '../../store/tables.ts'

/*
 * Who decides that copies go takes `lockDeletions` first, then `lockSnapshots`, looks again, and marks them. Who begins
 * to read a snapshot takes `lockSnapshots` alone, and looks whether it is marked; its job is known before. So either
 * the one sees the job, or the other the mark.
 */

/** Nobody else deletes anything of this organization, or decides what is to be deleted, until the transaction ends. */
export async function lockDeletions(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<void> {
  const row = trx.selectFrom('organizations').select('id').where('id', '=', organizationId)
  await locking(store, row).execute()
}

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
    .where('organizationId', '=', organizationId)
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

/** Marks copies as to be deleted: all of these snapshots, or those on one volume. */
export async function markPending(
  store: Store,
  trx: Transaction<Tables>,
  ids: readonly string[],
  volumeId?: string,
): Promise<void> {
  let update = trx
    .updateTable('copies')
    .set({ state: 'delete_pending', error: null, updatedAt: store.now })
    .where('snapshotId', 'in', ids)
    .where('state', '<>', 'delete_pending')
  if (volumeId !== undefined) update = update.where('volumeId', '=', volumeId)
  await update.execute()
}
