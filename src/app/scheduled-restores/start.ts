import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Skip } from '../../shared/scheduled-restores.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { enqueueRestore, restoreKey } from '../restores/order.ts'
import {
  type Candidate,
  holdScheduledRestore,
  isUnderWay,
  newestSnapshot,
  note,
  noteSkipped,
  type ScheduledRestoreRow,
} from './store.ts'

/** The job that was ordered, or why there is none. */
export type Started = { id: string } | { skipped: Skip }

const HOUR = 3_600_000

/**
 * Orders the restore of the newest snapshot, or notes why there is nothing to restore. Reaches no server: what is wrong
 * with those, the job will say. By hand, also what is disabled, or was restored before.
 */
export async function startScheduledRestore(
  context: AppContext,
  trx: Transaction<Tables>,
  id: string,
  { byHand }: { byHand: boolean },
): Promise<Started> {
  const row = await holdScheduledRestore(trx, id)
  if (!row) return { skipped: { why: 'deleted' } }
  const started = await order(context, trx, row, byHand)
  if ('id' in started) await note(trx, id, { lastJobId: started.id, lastSkipReason: null })
  else await noteSkipped(context.store, trx, id, started.skipped)
  return started
}

async function order(
  context: AppContext,
  trx: Transaction<Tables>,
  row: ScheduledRestoreRow,
  byHand: boolean,
): Promise<Started> {
  const { organizationId, settings, targetServerId: serverId } = row
  const {
    targetDatabase: database,
    mode,
    options,
    endSessions,
    safetySnapshot,
    runAfter,
    isConfirmed,
  } = settings
  if (!byHand && row.isEnabled === 0) return { skipped: { why: 'disabled' } }
  if (await isUnderWay(trx, restoreKey(serverId, database))) {
    return { skipped: { why: 'underWay', database } }
  }
  const candidate = await newestSnapshot(trx, organizationId, row)
  if (!candidate) {
    const isOfPlan = settings.planId !== null
    return { skipped: { why: 'noSnapshot', database: row.sourceDatabase, isOfPlan } }
  }
  const skipped = await reasonToSkip(context, trx, row, candidate, byHand)
  if (skipped) return { skipped }
  try {
    const id = await enqueueRestore(context, trx, organizationId, {
      payload: {
        serverId,
        database,
        mode,
        options,
        endSessions,
        safetySnapshot,
        runAfter,
        isConfirmed,
        snapshotId: candidate.id,
        volumeId: null,
        scheduledRestoreId: row.id,
        undoes: null,
      },
      volumeIds: candidate.volumeIds.slice(0, 1),
    })
    return { id }
  } catch (error) {
    // The transaction is also that of others that are due.
    if (error instanceof AppError && error.status < 500) {
      return { skipped: { why: 'refused', message: error.message } }
    }
    throw error
  }
}

async function reasonToSkip(
  { store }: AppContext,
  trx: Transaction<Tables>,
  { lastSnapshotId, settings }: ScheduledRestoreRow,
  candidate: Candidate,
  byHand: boolean,
): Promise<Skip | undefined> {
  const { newestWithinHours, skipUnchanged } = settings
  const takenAt = new Date(candidate.takenAt).toISOString()
  if ((await nowOf(store, trx)) - candidate.takenAt > newestWithinHours * HOUR) {
    return { why: 'tooOld', takenAt, hours: newestWithinHours }
  }
  if (skipUnchanged && !byHand && candidate.id === lastSnapshotId) {
    return { why: 'restoredBefore', takenAt }
  }
  return undefined
}
