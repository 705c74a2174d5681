import type { Transaction } from 'kysely'
import { z } from 'zod'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { startPlan } from '../backups/backups.ts'
import type { AppContext } from '../context.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { plansOfSchedule } from '../plans/plans.ts'
import { scheduledRestoresOf, startScheduledRestore } from '../scheduled-restores/scheduled-restores.ts'

/** So many are started in one transaction: there may be thousands, and others must not wait long for theirs. */
const AT_ONCE = 100

const payload = z.object({
  scheduleId: z.string(),
  /** Milliseconds since 1970. */
  dueAt: z.number(),
  /** What is started already: up to the plan with this id, and the scheduled restores, which come first. */
  after: z.string().default(''),
  restoresAreStarted: z.boolean().default(false),
})

/** Orders that all that belongs to the schedule is started, in the transaction that says that it has fired. */
export async function enqueueSchedule(
  { store }: AppContext,
  trx: Transaction<Tables>,
  { id, organizationId }: { id: string; organizationId: string },
  dueAt: number,
): Promise<void> {
  await enqueueJob(store, trx, {
    organizationId,
    kind: 'run-schedule',
    key: `run-schedule:${id}:${dueAt}`,
    payload: { scheduleId: id, dueAt },
    maxAttempts: 10,
    backoff: 1000,
    priority: 2,
  })
}

/** Starts the enabled plans and scheduled restores of a schedule that has fired; each once, whatever dies meanwhile. */
export const runSchedule = defineJob({
  payload,
  async run(work) {
    const { context, payload: begun, signal } = work
    const { store } = context
    const { scheduleId, dueAt } = begun
    if (!begun.restoresAreStarted) {
      await store.db.transaction().execute(async (trx) => {
        for (const restore of await scheduledRestoresOf(store, trx, scheduleId)) {
          await startScheduledRestore(context, trx, restore, 'schedule')
        }
        await work.remember(trx, { ...begun, restoresAreStarted: true })
      })
    }
    const plans = (await plansOfSchedule(store, store.db, scheduleId))
      .filter(({ id }) => id > begun.after)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    for (let i = 0; i < plans.length; i += AT_ONCE) {
      signal.throwIfAborted()
      const some = plans.slice(i, i + AT_ONCE)
      await store.db.transaction().execute(async (trx) => {
        for (const plan of some) await startPlan(context, trx, plan, { trigger: 'schedule', dueAt })
        const after = some.at(-1)?.id ?? ''
        await work.remember(trx, { ...begun, after, restoresAreStarted: true })
      })
    }
    return { result: { plans: plans.length } }
  },
})
