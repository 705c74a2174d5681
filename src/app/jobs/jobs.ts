import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import {
  describeWait,
  type FullResource,
  isOver,
  type Job,
  type PlanRun,
  stateOfRun,
} from '../../shared/jobs.ts'
import { cancelJob } from '../../store/queue.ts'
import type { AppContext } from '../context.ts'
import type { JobKind } from './job-kind.ts'
import { tellKinds } from './run-job.ts'
import { cancelChildren, findJob, findJobs, fullResources, type JobRow } from './store.ts'

export { type JobRow, listJobs, readLog } from './store.ts'

/** What the run of a plan says of the jobs that it ordered. */
export const planRunResult = z.object({ jobs: z.array(z.object({ id: z.string(), database: z.string() })) })

const LOOK_EVERY = 500

/** Throws `not_found`. */
export async function jobOf({ store }: AppContext, organizationId: string, id: string): Promise<JobRow> {
  const row = await findJob(store.db, organizationId, id)
  if (!row) throw new AppError('not_found', 'There is no such job.')
  return row
}

/** Stops a job in whatever state it is; one that runs goes on for some seconds. Throws `not_found`. */
export async function cancel(
  context: AppContext,
  kinds: Readonly<Record<string, JobKind>>,
  organizationId: string,
  id: string,
): Promise<JobRow> {
  const { store } = context
  const tell = tellKinds(context, kinds)
  await store.db.transaction().execute(async (trx) => {
    const row = await findJob(trx, organizationId, id)
    if (!row) throw new AppError('not_found', 'There is no such job.')
    await cancelJob(store, trx, id, tell)
    // Whoever cancels the run of a plan means what it has ordered, too.
    await cancelChildren(store, trx, id, tell)
  })
  return await jobOf(context, organizationId, id)
}

/** The jobs as the API shows them, each with what it waits for. */
export async function presentJobs({ store }: AppContext, rows: readonly JobRow[]): Promise<Job[]> {
  const queued = rows.filter(({ state }) => state === 'queued').map(({ id }) => id)
  const full = await fullResources(store, queued)
  return rows.map((row) => {
    const waitsFor = full
      .filter(({ jobId }) => jobId === row.id)
      .map(({ kind, capacity, name }) => ({ kind, capacity, name }))
    return present(row, waitsFor)
  })
}

/** Throws `not_found`. */
export async function presentJob(context: AppContext, row: JobRow): Promise<Job> {
  const [job] = await presentJobs(context, [row])
  if (!job) throw new Error('presentJobs has lost a job')
  return job
}

/** Of these jobs those that are there, as the API shows them. */
export async function showJobs(
  context: AppContext,
  organizationId: string,
  ids: readonly string[],
): Promise<Job[]> {
  return await presentJobs(context, await findJobs(context.store, organizationId, ids))
}

/** Waits until the run of a plan, and every backup that it has ordered, is over. */
export async function waitForRun(
  context: AppContext,
  organizationId: string,
  id: string,
  signal: AbortSignal,
): Promise<PlanRun> {
  for (;;) {
    const run = await jobOf(context, organizationId, id)
    const backups = isOver(run.state) ? await backupsOf(context, organizationId, run) : []
    if (isOver(run.state) && backups.every(({ state }) => isOver(state))) {
      const [shown, ...others] = await presentJobs(context, [run, ...backups])
      if (!shown) throw new Error('presentJobs has lost a job')
      return { state: stateOfRun(run, backups), run: shown, backups: others }
    }
    await sleep(LOOK_EVERY, undefined, { signal })
  }
}

/** The jobs that a run has ordered; also those that waited already, and were joined. */
async function backupsOf({ store }: AppContext, organizationId: string, run: JobRow): Promise<JobRow[]> {
  const result = planRunResult.safeParse(run.result === null ? undefined : JSON.parse(run.result))
  if (!result.success) return []
  return await findJobs(
    store,
    organizationId,
    result.data.jobs.map(({ id }) => id),
  )
}

function present(row: JobRow, waitsFor: FullResource[]): Job {
  const { cancelRequestedAt, progress, result, error, ...rest } = row
  return {
    ...rest,
    isCancelRequested: cancelRequestedAt !== null,
    waitsFor: waitsFor.map((resource) => describeWait(resource)),
    waitsForResources: waitsFor,
    progress: progress === null || isOver(row.state) ? null : (JSON.parse(progress) as Job['progress']),
    result: result === null ? null : (JSON.parse(result) as unknown),
    error: error === null ? null : (JSON.parse(error) as Job['error']),
    createdAt: iso(row.createdAt),
    runAt: iso(row.runAt),
    startedAt: row.startedAt === null ? null : iso(row.startedAt),
    finishedAt: row.finishedAt === null ? null : iso(row.finishedAt),
    updatedAt: iso(row.updatedAt),
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
