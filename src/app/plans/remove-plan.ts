import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { DeletedPlan, PlanLosses } from '../../shared/plans.ts'
import { formatBytes } from '../../shared/units.ts'
import { cancelJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { scheduledRestoresNaming } from '../scheduled-restores/scheduled-restores.ts'
import {
  countSnapshotsOfPlan,
  deleteSnapshotsOfPlan,
  lossesOfSnapshots,
  type SnapshotsTotal,
} from '../snapshots/deletion.ts'
import { usersInWords } from '../users.ts'
import { noPlan } from './plans.ts'
import { deletePlan, findPlan, type PlanRow, unfinishedJobs } from './store.ts'

/** What becomes of the snapshots of a plan that is deleted: they stay, under no plan, or a job deletes them. */
export type SnapshotFate = 'keep' | 'delete'

/**
 * Deletes a plan. Throws `not_found`, `in_use` while a backup of it runs or a scheduled restore names it, and
 * `snapshots_kept` if it has snapshots and nothing is said of them. Undefined if nothing is to be deleted with it.
 */
export async function removePlan(
  context: AppContext,
  organizationId: string,
  id: string,
  fate: SnapshotFate | undefined,
): Promise<DeletedPlan | undefined> {
  return await context.store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const plan = await findPlan(trx, organizationId, id)
    if (!plan) throw noPlan()
    await refuseWhileNamed(trx, plan)
    await stopWaitingJobs(context, trx, plan)
    const total = await countSnapshotsOfPlan(context, trx, organizationId, id)
    if (total.snapshots > 0 && fate === undefined) throw snapshotsKept(plan, total)
    const deleted =
      total.snapshots > 0 && fate === 'delete'
        ? await deleteSnapshotsOfPlan(context, trx, organizationId, id)
        : undefined
    await deletePlan(trx, organizationId, id)
    return deleted
  })
}

/** What would go with the plan, and what is in the way. Throws `not_found`. */
export async function lossesOfPlan(
  context: AppContext,
  organizationId: string,
  id: string,
): Promise<PlanLosses> {
  return await context.store.db.transaction().execute(async (trx) => {
    if (!(await findPlan(trx, organizationId, id))) throw noPlan()
    const jobs = await unfinishedJobs(trx, id)
    return {
      ...(await lossesOfSnapshots(context, trx, organizationId, id)),
      scheduledRestores: await scheduledRestoresNaming(trx, organizationId, id),
      runningBackups: jobs.filter(({ state }) => state === 'running').length,
    }
  })
}

/** A scheduled restore that takes snapshots of the plan alone would find none any more. */
async function refuseWhileNamed(
  trx: Transaction<Tables>,
  { id, organizationId, name }: PlanRow,
): Promise<void> {
  const names = await scheduledRestoresNaming(trx, organizationId, id)
  const users = usersInWords([{ what: 'scheduled restore', names }])
  if (users === undefined) return
  throw new AppError('in_use', `The plan “${name}” is used by ${users}.`, {
    hint: 'Give them another plan first, or none: then they take the snapshots of all.',
  })
}

/** A backup that runs would end without a plan to belong to. */
async function stopWaitingJobs(
  { store }: AppContext,
  trx: Transaction<Tables>,
  { id, name }: PlanRow,
): Promise<void> {
  for (const job of await unfinishedJobs(trx, id)) {
    const state = job.state === 'queued' ? await cancelJob(store, trx, job.id) : job.state
    if (state !== 'running') continue
    const what = job.database === null ? 'It is running' : `“${job.database}” is being backed up`
    throw new AppError('in_use', `The plan “${name}” cannot be deleted now. ${what}.`, {
      hint: 'Wait until it is over, or cancel its jobs first.',
    })
  }
}

function snapshotsKept({ name }: PlanRow, { snapshots, copies, bytes, newest }: SnapshotsTotal): AppError {
  const count = `${snapshots} snapshot${snapshots === 1 ? '' : 's'}`
  const size = `${copies} cop${copies === 1 ? 'y' : 'ies'}, ${formatBytes(bytes)}`
  return new AppError(
    'snapshots_kept',
    `The plan “${name}” has ${count} (${size}), the newest of ${newest}.`,
    {
      hint: '?snapshots=keep keeps them, under no plan. ?snapshots=delete deletes them, with all their copies.',
    },
  )
}
