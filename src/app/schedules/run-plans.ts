import type { Transaction } from 'kysely'
import type { Tables } from '../../store/tables.ts'
import { type PlanTrigger, startPlan } from '../backups/backups.ts'
import type { AppContext } from '../context.ts'
import { type PlanRow, plansOfSchedule } from '../plans/plans.ts'
import { scheduleOf } from './schedules.ts'

/** So many are started in one transaction: there may be thousands, and others must not wait long for theirs. */
const AT_ONCE = 100

export interface StartedPlan {
  planId: string
  jobId: string
  joined: boolean
}

/** Starts every enabled plan of the schedule now. Throws `not_found`, and `unsupported` if one of them is broken. */
export async function runPlansOf(
  context: AppContext,
  organizationId: string,
  scheduleId: string,
): Promise<StartedPlan[]> {
  await scheduleOf(context, organizationId, scheduleId)
  const { plans, broken } = await plansOfSchedule(context.store.db, scheduleId)
  const [first] = broken
  if (first) throw first
  return await startPlans(context, plans, { trigger: 'manual' })
}

/** Starts these plans, in their order; `note` hears, in each transaction that starts some, of the last of them. */
export async function startPlans(
  context: AppContext,
  plans: readonly PlanRow[],
  trigger: PlanTrigger,
  note?: (trx: Transaction<Tables>, last: PlanRow) => Promise<void>,
): Promise<StartedPlan[]> {
  const started: StartedPlan[] = []
  for (let i = 0; i < plans.length; i += AT_ONCE) {
    const some = plans.slice(i, i + AT_ONCE)
    await context.store.db.transaction().execute(async (trx) => {
      for (const plan of some) {
        const { id, joined } = await startPlan(context, trx, plan, trigger)
        started.push({ planId: plan.id, jobId: id, joined })
      }
      const last = some.at(-1)
      if (last) await note?.(trx, last)
    })
  }
  return started
}
