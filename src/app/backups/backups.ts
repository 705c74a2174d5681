import type { Transaction } from 'kysely'
import { z } from 'zod'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import type { PlanRow } from '../plans/plans.ts'

export { overdueKey } from './notices.ts'
export { ANY_DATABASE } from './store.ts'

/** Why and for what a plan runs. */
export const planTrigger = z.object({
  trigger: z.string(),
  /** Of the release that is about to change the database. */
  version: z.string().optional(),
  comment: z.string().optional(),
  /** Only these of the plan's databases. */
  databases: z.array(z.string()).optional(),
  /** Milliseconds since 1970: when it was due. */
  dueAt: z.number().optional(),
})
export type PlanTrigger = z.output<typeof planTrigger>

/**
 * Whether what a run, or a backup, that waits does is less than what is asked for now: one of a schedule has no words of
 * its own, and may come too late.
 */
export function asksForMore({ version }: { version?: string | undefined }, waiting: unknown): boolean {
  return version !== undefined || planTrigger.safeParse(waiting).data?.trigger === 'schedule'
}

/**
 * Enqueues a run of the plan: it lists the databases, and orders a backup of each. One that waits already is enough,
 * and takes over what this one asks for, unless it asks for other databases.
 */
export async function startPlan(
  { store }: AppContext,
  trx: Transaction<Tables>,
  plan: PlanRow,
  { delay, ...trigger }: PlanTrigger & { delay?: number },
): Promise<{ id: string; joined: boolean }> {
  const { databases } = trigger
  return await enqueueJob(store, trx, {
    organizationId: plan.organizationId,
    kind: 'run-plan',
    key: `run-plan:${plan.id}${databases ? `:${[...databases].sort().join('\n')}` : ''}`,
    payload: { planId: plan.id, ...trigger },
    replacesPayload: (waiting) => asksForMore(trigger, waiting),
    subject: { planId: plan.id, serverId: plan.serverId },
    maxAttempts: plan.settings.tries,
    backoff: plan.settings.backoffSeconds * 1000,
    ...(plan.settings.label !== undefined && { label: plan.settings.label }),
    ...(delay !== undefined && { delay }),
    priority: trigger.trigger === 'schedule' ? 0 : 1,
  })
}
