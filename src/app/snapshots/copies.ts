import type { Selectable, Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'

export type CopyRow = Selectable<Tables['copies']>
type CopyState = CopyRow['state']

/** Which copy: of a snapshot, on a volume. */
export interface CopyPlace {
  snapshotId: string
  volumeId: string
}

export async function findCopy(
  { db }: Store,
  organizationId: string,
  { snapshotId, volumeId }: CopyPlace,
): Promise<CopyRow | undefined> {
  return await db
    .selectFrom('copies')
    .innerJoin('snapshots', 'snapshots.id', 'copies.snapshotId')
    .selectAll('copies')
    .where('snapshots.organizationId', '=', organizationId)
    .where('copies.snapshotId', '=', snapshotId)
    .where('copies.volumeId', '=', volumeId)
    .executeTakeFirst()
}

export interface CopyFinding {
  state: Exclude<CopyState, 'delete_pending'>
  key?: string
  /** All its bytes were read and compared. */
  isWhole?: boolean
  error?: JobError
}

/** Notes what was found of a copy now; false if there is none any more. One that is to be deleted stays so. */
export async function markCopy(
  store: Store,
  trx: Transaction<Tables>,
  { snapshotId, volumeId }: CopyPlace,
  { state, key, isWhole, error }: CopyFinding,
): Promise<boolean> {
  const marked = await trx
    .updateTable('copies')
    .set({
      state,
      error: error ? JSON.stringify(error) : null,
      checkedAt: store.now,
      updatedAt: store.now,
      ...(key !== undefined && { key }),
      ...(isWhole && { contentCheckedAt: store.now }),
    })
    .where('snapshotId', '=', snapshotId)
    .where('volumeId', '=', volumeId)
    .where('state', '<>', 'delete_pending')
    .returning('snapshotId')
    .executeTakeFirst()
  return marked !== undefined
}

/** Notes why a copy is still not what it should be. */
export async function noteCopyError(
  store: Store,
  trx: Transaction<Tables>,
  { snapshotId, volumeId }: CopyPlace,
  error: JobError,
): Promise<void> {
  await trx
    .updateTable('copies')
    .set({ error: JSON.stringify(error), updatedAt: store.now })
    .where('snapshotId', '=', snapshotId)
    .where('volumeId', '=', volumeId)
    .where('state', '<>', 'stored')
    .execute()
}

/** The volumes of a plan on which the snapshot has no copy yet get one that is wanted. Returns their ids. */
export async function wantCopies(
  store: Store,
  trx: Transaction<Tables>,
  { snapshotId, volumeId }: CopyPlace,
): Promise<string[]> {
  const wanted = await trx
    .selectFrom('snapshots')
    .innerJoin('planVolumes', 'planVolumes.planId', 'snapshots.planId')
    .innerJoin('copies', (join) =>
      join.onRef('copies.snapshotId', '=', 'snapshots.id').on('copies.volumeId', '=', volumeId),
    )
    .select(['planVolumes.volumeId', 'copies.key', 'copies.bytes'])
    .where('snapshots.id', '=', snapshotId)
    .where('planVolumes.volumeId', '<>', volumeId)
    .execute()
  if (wanted.length === 0) return []
  const added = await trx
    .insertInto('copies')
    .values(
      wanted.map((copy) => ({
        ...copy,
        snapshotId,
        state: 'failed' as const,
        createdAt: store.now,
        updatedAt: store.now,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('volumeId')
    .execute()
  return added.map((copy) => copy.volumeId)
}
