import type { Transaction } from 'kysely'
import { z } from 'zod'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { asAppError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { plansOfSchedule } from '../plans/plans.ts'
import { startPlans } from '../schedules/run-plans.ts'
import { scheduledRestoresOf, startScheduledRestore } from '../scheduled-restores/scheduled-restores.ts'

const payload = z.object({
  scheduleId: z.string(),
  /** Milliseconds since 1970. */
  dueAt: z.number(),
  /** What is started already: the plans up to the one with this id, and behind them these scheduled restores. */
  after: z.string().default(''),
  restores: z.array(z.string()).default([]),
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

/**
 * Starts the enabled plans and scheduled restores of a schedule that has fired; each once, whatever dies meanwhile. If one
 * of them is broken, the others are started all the same.
 */
export const runSchedule = defineJob({
  payload,
  async run(work) {
    const { context, payload: begun, signal } = work
    const { store } = context
    const { scheduleId, dueAt } = begun
    const { plans, broken } = await plansOfSchedule(store.db, scheduleId)
    const left = plans.filter(({ id }) => id > begun.after)
    await startPlans(context, left, { trigger: 'schedule', dueAt }, async (trx, { id }) => {
      signal.throwIfAborted()
      await work.remember(trx, { ...begun, after: id })
    })
    const after = left.at(-1)?.id ?? begun.after
    const errors = [...broken]
    let { restores } = begun
    for (const { id } of await scheduledRestoresOf(store.db, scheduleId)) {
      if (restores.includes(id)) continue
      signal.throwIfAborted()
      const started = [...restores, id]
      try {
        await store.db.transaction().execute(async (trx) => {
          await startScheduledRestore(context, trx, id, { byHand: false })
          await work.remember(trx, { ...begun, after, restores: started })
        })
        restores = started
      } catch (error) {
        errors.push(asAppError(error))
      }
    }
    // What may be well with the next attempt is thrown first; the others are told to the log.
    const [first, ...others] = errors.sort((a, b) => Number(b.status >= 500) - Number(a.status >= 500))
    for (const { message } of others) work.log('error', message)
    if (first) throw first
    return { result: { plans: plans.length } }
  },
})
