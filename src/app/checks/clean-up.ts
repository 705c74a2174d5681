import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { pruneAudit } from '../audit/prune.ts'
import { DELIVERY } from '../channels/deliver.ts'
import { nowOf } from '../clock.ts'
import { forgetOldAnswers } from '../idempotency/idempotency.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { enqueueAllPrunes } from '../retention/prune.ts'
import { forgetIdleThreads } from '../notifications/threads.ts'
import { forgetEnded } from '../sign-in/ended.ts'
import { settingsOf } from '../settings/settings.ts'
import { deleteSnapshots, enqueuePendingDeletions } from '../snapshots/deletion.ts'
import { deleteFirings, deleteJobs, endedSafetySnapshots, oldJobs } from './store.ts'

const DAY = 86_400_000
const PIECE = 500
/** Longer than any run is caught up. */
const FIRINGS_KEPT = 90 * DAY
/** There may be one for each backup, and nobody looks for the old ones. */
const DELIVERIES_KEPT = 14 * DAY
/** Longer than any plan waits for its next run. */
const THREADS_KEPT = 400 * DAY

/**
 * What the app does each day by itself: what volumes have not let go is tried again, every plan is pruned, safety snapshots
 * whose time is over go, and what is older than the settings say is forgotten. The last success and the last failure of each database stay.
 */
export const cleanUp = defineJob({
  payload: z.object({}),
  async run(work) {
    const { context, organizationId } = work
    const { store } = context
    await store.db.transaction().execute((trx) => enqueuePendingDeletions(store, trx, organizationId))
    await enqueueAllPrunes(store, organizationId)
    const now = await nowOf(store)
    const safetySnapshots = await deleteSafetySnapshots(work, now)
    const jobs = await forgetJobs(work, now)
    await deleteFirings(store, now - FIRINGS_KEPT)
    await forgetOldAnswers(store)
    await forgetEnded(store)
    await pruneAudit(context, now, work.signal)
    await forgetIdleThreads(store, organizationId, now - THREADS_KEPT)
    return { result: { jobs, safetySnapshots } }
  },
})

/**
 * What a restore has replaced is kept for some days, to be put back; then it goes, unless somebody has locked it, or it
 * is the last that there is of its database. Returns how many.
 */
async function deleteSafetySnapshots(
  { context, organizationId, signal, log }: Work<unknown>,
  now: number,
): Promise<number> {
  let deleted = 0
  for (let after = ''; ;) {
    signal.throwIfAborted()
    const ids = await endedSafetySnapshots(context.store, organizationId, now, after, PIECE)
    const last = ids.at(-1)
    if (last === undefined) return deleted
    after = last
    for (const id of ids) {
      try {
        await deleteSnapshots(context, organizationId, [id])
        log('info', `The safety snapshot ${id} goes: its time is over.`)
        deleted += 1
      } catch (error) {
        const isKept = error instanceof AppError && ['snapshot_protected', 'not_found'].includes(error.code)
        if (!isKept) throw error
      }
    }
  }
}

/** Returns how many. */
async function forgetJobs({ context, organizationId, signal }: Work<unknown>, now: number): Promise<number> {
  const { store } = context
  const { historyDays, failedHistoryDays } = await settingsOf(context, organizationId)
  const cutoff = {
    failed: now - failedHistoryDays * DAY,
    others: now - historyDays * DAY,
    brief: { kind: DELIVERY, before: now - DELIVERIES_KEPT },
  }
  let forgotten = 0
  for (let after = { createdAt: 0, id: '' }; ;) {
    signal.throwIfAborted()
    const piece = await oldJobs(store, organizationId, cutoff, after, PIECE)
    const last = piece.at(-1)
    if (!last) return forgotten
    const ids = piece.filter(({ isForgettable }) => isForgettable === 1).map(({ id }) => id)
    if (ids.length > 0) await deleteJobs(store, ids)
    forgotten += ids.length
    after = last
  }
}
