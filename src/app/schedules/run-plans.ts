import { startPlan } from '../backups/backups.ts'
import type { AppContext } from '../context.ts'
import { plansOfSchedule } from '../plans/plans.ts'
import { scheduleOf } from './schedules.ts'

/** So many are started in one transaction: others must not wait long for theirs. */
const AT_ONCE = 100

/** Starts every enabled plan of the schedule now. Throws `not_found`. */
export async function runPlansOf(
  context: AppContext,
  organizationId: string,
  scheduleId: string,
): Promise<{ planId: string; jobId: string; joined: boolean }[]> {
  const { store } = context
  await scheduleOf(context, organizationId, scheduleId)
  const plans = await plansOfSchedule(store, store.db, scheduleId)
  const started: { planId: string; jobId: string; joined: boolean }[] = []
  for (let i = 0; i < plans.length; i += AT_ONCE) {
    await store.db.transaction().execute(async (trx) => {
      for (const plan of plans.slice(i, i + AT_ONCE)) {
        const { id, joined } = await startPlan(context, trx, plan, { trigger: 'manual' })
        started.push({ planId: plan.id, jobId: id, joined })
      }
    })
  }
  return started
}
