import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Job, PlanRun } from '../../shared/jobs.ts'
import type { RunOrder } from '../../shared/plans.ts'
import type { Tables } from '../../store/tables.ts'
import { startPlan } from '../backups/backups.ts'
import type { AppContext } from '../context.ts'
import { waitForRun } from '../jobs/jobs.ts'
import { matchingDatabases, planOf, type PlanRow } from './plans.ts'

/**
 * Backs up now what a plan says, also if it is disabled; `note` hears of the job in the transaction that starts it.
 * Throws `not_found`, and `invalid_input` for strange databases.
 */
export async function runNow(
  context: AppContext,
  organizationId: string,
  id: string,
  { trigger, version, comment, databases }: RunOrder,
  note: (trx: Transaction<Tables>, jobId: string) => Promise<void>,
): Promise<{ jobId: string; joined: boolean }> {
  const { store } = context
  const plan = await planOf(context, organizationId, id)
  if (databases) refuseStrangers(plan, databases)
  return await store.db.transaction().execute(async (trx) => {
    const { id, joined } = await startPlan(context, trx, plan, { trigger, version, comment, databases })
    await note(trx, id)
    return { jobId: id, joined }
  })
}

/**
 * Waits until the run, and all that it ordered, is over. Throws `cancelled` if whoever asked has left, and
 * `job_interrupted` if the app is being stopped; the run goes on.
 */
export async function waitUntilOver(
  context: AppContext,
  organizationId: string,
  jobId: string,
  { left, closing }: { left: AbortSignal; closing: AbortSignal },
): Promise<PlanRun> {
  try {
    return await waitForRun(context, organizationId, jobId, AbortSignal.any([left, closing]))
  } catch (cause) {
    if (left.aborted) throw new AppError('cancelled', 'Nobody waits for the end of the run.', { cause })
    if (!closing.aborted) throw cause
    throw new AppError('job_interrupted', 'The app is being stopped. The run goes on when it is back.', {
      hint: `GET /api/v1/jobs/${jobId} tells how it ends.`,
      cause,
    })
  }
}

/** Why a run that is over is not complete: undefined only if every database is on every volume. */
export function shortcoming({ state, run, backups }: PlanRun): AppError | undefined {
  if (state === 'succeeded') return undefined
  const bad = [run, ...backups].filter((job) => job.state === state)
  const first = bad.find(({ error }) => error !== null)
  const hint = first?.error?.hint
  const why = first?.error ? ` ${inWords(first)}${first.error.message}` : ''
  if (state === 'cancelled') return new AppError('cancelled', `The run was cancelled.${why}`, { hint })
  if (state === 'partial') {
    return new AppError('run_partial', `Not all copies are stored: ${bad.map(quoted).join(', ')}.`, {
      hint: 'The copies that are stored are good, and the missing ones are made from them. The jobs name the volumes.',
    })
  }
  if (backups.length === 0) {
    return new AppError('run_failed', `The run has made no backup.${why}`, { hint })
  }
  return new AppError('run_failed', `${bad.length} of ${backups.length} backups failed.${why}`, { hint })
}

function inWords(job: Job): string {
  return job.database === null ? '' : `${quoted(job)}: `
}

function quoted({ database }: Job): string {
  return `“${database}”`
}

function refuseStrangers({ settings }: PlanRow, databases: readonly string[]): void {
  const known = new Set(matchingDatabases(settings, databases))
  const fields = databases.flatMap((database, i) =>
    known.has(database) ? [] : [{ field: `databases.${i}`, message: `The plan is not about “${database}”.` }],
  )
  const [first] = fields
  if (first) throw new AppError('invalid_input', `${first.field}: ${first.message}`, { fields })
}
