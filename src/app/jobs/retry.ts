import { z } from 'zod'
import { AppError, throwNow } from '../../shared/errors.ts'
import { isOver, isRetried, type RetriedKind, retriedKinds } from '../../shared/jobs.ts'
import { runRegistration } from '../app-backups/registrations.ts'
import { enqueueRepair } from '../backups/repair.ts'
import { startCheck } from '../checks/checks.ts'
import { type OwnContext, refuseLimited, refuseUnless } from '../identity/callers.ts'
import { runNow } from '../plans/run-now.ts'
import { enqueuePrune } from '../retention/prune.ts'
import { enqueueDeletions } from '../snapshots/deletion.ts'
import { orderVerification } from '../snapshots/verify.ts'
import { startScan } from '../volumes/scan.ts'
import { jobOf } from './jobs.ts'
import { type JobRow, payloadOf } from './store.ts'

/** Orders the same work again; returns the id of the job, also of one that waits already. */
type Order = (own: OwnContext, job: JobRow) => Promise<string>

const orders: Record<RetriedKind, Order> = {
  'app-backup': async (own, { id }) => {
    const payload = z.object({ registrationId: z.string() })
    const { registrationId } = payload.parse(await payloadOf(own.store, id))
    return (await runRegistration(own, registrationId)).id
  },
  backup: async (own, job) => await runAgain(own, job, [given(job.database)]),
  'content-check': async (own, job) => await checkAgain(own, job, { contents: true }),
  'delete-snapshots': async (own, { volumeId }) => {
    const { store, organizationId, caller } = own
    refuseLimited(caller)
    const [id] = await store.db
      .transaction()
      .execute((trx) => enqueueDeletions(store, trx, organizationId, [given(volumeId)]))
    return given(id)
  },
  'file-check': async (own, job) => await checkAgain(own, job, { contents: false }),
  prune: async ({ store, organizationId }, { planId }) =>
    await store.db.transaction().execute((trx) => enqueuePrune(store, trx, organizationId, given(planId))),
  'repair-copy': async ({ store, organizationId }, { snapshotId, volumeId }) =>
    await store.db
      .transaction()
      .execute((trx) => enqueueRepair(store, trx, organizationId, given(snapshotId), given(volumeId))),
  'run-plan': async (own, job) => await runAgain(own, job, undefined),
  'scan-volume': async (own, { volumeId }) => await startScan(own, own.organizationId, given(volumeId)),
  verify: async (own, { snapshotId, volumeId }) =>
    (await orderVerification(own, own.organizationId, given(snapshotId), volumeId ?? undefined)).jobId,
}

/**
 * Does again, in a job of its own, what a job that is over was to do and has not done. Throws `not_found`, also for what it
 * was about, `forbidden` for who could not have ordered it, and `unsupported` where there is nothing to be done again.
 */
export async function retryJob(own: OwnContext, id: string): Promise<JobRow> {
  const job = await jobOf(own, own.organizationId, id)
  const { kind } = job
  if (!isRetried(kind)) {
    throw new AppError('unsupported', 'A job of this kind is not started again by hand.', {
      hint: 'A restore is ordered anew; all others are done again by themselves, or have had their time.',
    })
  }
  refuseUnless(own.caller, retriedKinds[kind])
  if (!isOver(job.state)) throw new AppError('unsupported', 'The job is not over yet.')
  if (job.state === 'succeeded') throw new AppError('unsupported', 'The job has done what it was for.')
  return await jobOf(own, own.organizationId, await orders[kind](own, job))
}

async function runAgain(
  own: OwnContext,
  { planId }: JobRow,
  databases: string[] | undefined,
): Promise<string> {
  const order = { trigger: 'manual' as const, databases, wait: false }
  return (await runNow(own, own.organizationId, given(planId), order, async () => {})).jobId
}

async function checkAgain(
  own: OwnContext,
  { volumeId }: JobRow,
  options: { contents: boolean },
): Promise<string> {
  refuseLimited(own.caller)
  const { jobIds } = await startCheck(own, own.organizationId, given(volumeId), options)
  return given(jobIds.at(-1))
}

function given(id: string | null | undefined): string {
  return id ?? throwNow(new AppError('not_found', 'What the job was about is not there any more.'))
}
