import type { z } from 'zod'
import { AppError, throwNow } from '../../shared/errors.ts'
import { isOver, isRetried, type RetriedKind, retriedKinds } from '../../shared/jobs.ts'
import { runOrder } from '../../shared/plans.ts'
import { appBackup } from '../app-backups/job.ts'
import { runRegistration } from '../app-backups/registrations.ts'
import { backup } from '../backups/backup.ts'
import type { PlanTrigger } from '../backups/backups.ts'
import { enqueueRepair } from '../backups/repair.ts'
import { runPlan } from '../backups/run-plan.ts'
import { startOneCheck } from '../checks/checks.ts'
import { contentCheck } from '../checks/content-check.ts'
import { type OwnContext, refuseLimited, refuseUnless } from '../identity/callers.ts'
import { matchingDatabases, planOf } from '../plans/plans.ts'
import { runNow } from '../plans/run-now.ts'
import { enqueuePrune } from '../retention/prune.ts'
import { enqueueDeletions } from '../snapshots/deletion.ts'
import { snapshotOf } from '../snapshots/snapshots.ts'
import { orderVerification } from '../snapshots/verify.ts'
import { startScan } from '../volumes/scan.ts'
import { volumeOf } from '../volumes/volumes.ts'
import type { JobKind } from './job-kind.ts'
import { jobOf } from './jobs.ts'
import { type JobRow, payloadOf } from './store.ts'

/** Orders the same work again; returns the id of the job, also of one that waits already. */
type Order = (own: OwnContext, job: JobRow) => Promise<string>

const orders: Record<RetriedKind, Order> = {
  'app-backup': async (own, job) => {
    const { registrationId } = await orderedWith(own, job, appBackup)
    return (await runRegistration(own, registrationId)).id
  },
  backup: async (own, job) => {
    const { database, ...ordered } = await orderedWith(own, job, backup)
    return await runAgain(own, { ...ordered, databases: [database] })
  },
  'content-check': async (own, job) => {
    refuseLimited(own.caller)
    const { share } = await orderedWith(own, job, contentCheck)
    return await startOneCheck(own, own.organizationId, given(job.volumeId), 'content-check', share)
  },
  'delete-snapshots': async (own, { volumeId }) => {
    const { store, organizationId, caller } = own
    refuseLimited(caller)
    const volume = await volumeOf(own, organizationId, given(volumeId))
    const [id] = await store.db
      .transaction()
      .execute((trx) => enqueueDeletions(store, trx, organizationId, [volume.id]))
    return given(id)
  },
  'file-check': async (own, { volumeId }) => {
    refuseLimited(own.caller)
    return await startOneCheck(own, own.organizationId, given(volumeId), 'file-check')
  },
  prune: async (own, { planId }) => {
    const { store, organizationId } = own
    const plan = await planOf(own, organizationId, given(planId))
    return await store.db.transaction().execute((trx) => enqueuePrune(store, trx, organizationId, plan.id))
  },
  'repair-copy': async (own, { snapshotId, volumeId }) => {
    const { store, organizationId } = own
    const snapshot = await snapshotOf(own, organizationId, given(snapshotId))
    const volume = await volumeOf(own, organizationId, given(volumeId))
    return await store.db
      .transaction()
      .execute((trx) => enqueueRepair(store, trx, organizationId, snapshot.id, volume.id))
  },
  'run-plan': async (own, job) => await runAgain(own, await orderedWith(own, job, runPlan)),
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

/** The payload of the job, which is of that kind. */
async function orderedWith<Payload extends z.ZodType>(
  { store }: OwnContext,
  { id }: JobRow,
  { payload }: JobKind<Payload>,
): Promise<z.output<Payload>> {
  return payload.parse(await payloadOf(store, id))
}

/** For the same release, if it was for one; else as by hand: what a schedule runs may be spread, and come too late. */
async function runAgain(
  own: OwnContext,
  { planId, trigger, version, comment, databases }: PlanTrigger & { planId: string },
): Promise<string> {
  const { settings } = await planOf(own, own.organizationId, planId)
  const left = new Set(databases && matchingDatabases(settings, databases))
  const strangers = databases?.filter((database) => !left.has(database)) ?? []
  if (strangers.length > 0) {
    const names = strangers.map((name) => `“${name}”`).join(', ')
    throw new AppError('nothing_matched', `The plan is not about ${names} any more.`, {
      hint: 'Run the plan: it backs up what it is about now.',
    })
  }
  const order = {
    trigger: runOrder.shape.trigger.catch('manual').parse(trigger),
    version,
    comment,
    databases,
    wait: false,
  }
  return (await runNow(own, own.organizationId, planId, order, async () => {})).jobId
}

function given(id: string | null | undefined): string {
  return id ?? throwNow(new AppError('not_found', 'What the job was about is not there any more.'))
}
