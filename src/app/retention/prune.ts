import type { Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { describeReason } from '../../shared/retention.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { findPlan, type PlanRow } from '../plans/plans.ts'
import { scheduleOf } from '../schedules/schedules.ts'
import { settingsOf } from '../settings/settings.ts'
import { enqueueDeletions } from '../snapshots/deletion.ts'
import { lockSnapshots, markPending } from '../snapshots/marking.ts'
import { bytesThere, type GoingCopy, judgeCopies, type Policies } from './judge.ts'
import { copyFacts, nextDatabase, nextPlan } from './store.ts'

/** Snapshots that are marked in one transaction. */
const PIECE = 500

/** Which snapshots: of one plan or all, of one database or all. Those of no plan are never pruned. */
export interface PruneScope {
  planId?: string | undefined
  database?: string | undefined
}

/** One database of a plan, with what the plan says. */
export interface Subject {
  plan: PlanRow
  policies: Policies
  database: string
}

/** Orders that what the plan does not keep is deleted. Snapshots of no plan are left alone. */
export async function enqueuePrune(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  planId: string,
): Promise<string> {
  const { id } = await enqueueJob(store, trx, {
    organizationId,
    kind: 'prune',
    key: `prune:${planId}`,
    payload: { planId },
    subject: { planId },
    maxAttempts: 3,
  })
  return id
}

/** Orders it for each plan of which there are snapshots. */
export async function enqueueAllPrunes(store: Store, organizationId: string): Promise<void> {
  let after = ''
  for (;;) {
    const planId = await nextPlan(store.db, organizationId, after)
    if (planId === undefined) return
    await store.db.transaction().execute((trx) => enqueuePrune(store, trx, organizationId, planId))
    after = planId
  }
}

/**
 * Decides which copies go, and marks them; jobs of their volumes delete them. What is marked here has been judged by
 * what the transaction sees that marks it: a snapshot that was locked, or is read, a moment before stays.
 */
export const prune = defineJob({
  payload: z.object({ planId: z.string().optional() }),
  async run(work) {
    const { context, organizationId, payload, signal } = work
    const now = new Date(await nowOf(context.store))
    const marked = { copies: 0, bytes: 0 }
    for await (const subject of subjects(context, organizationId, payload)) {
      signal.throwIfAborted()
      const { goes } = judgeCopies(await factsOf(context, subject), subject.policies, now)
      const ids = [...new Set(goes.map(({ copy }) => copy.snapshotId))]
      for (let i = 0; i < ids.length; i += PIECE) {
        for (const { copy } of await mark(work, subject, ids.slice(i, i + PIECE), now)) {
          marked.copies += 1
          marked.bytes += bytesThere(copy)
        }
      }
    }
    return { result: marked }
  },
})

/** The databases of plans, by plan and name, behind the given one. */
export async function* subjects(
  context: AppContext,
  organizationId: string,
  { planId, database }: PruneScope,
  after?: { planId: string; database: string },
): AsyncGenerator<Subject, void> {
  const { db } = context.store
  let isFirst = true
  for (
    let next = planId ?? (after && after.planId) ?? (await nextPlan(db, organizationId, ''));
    next !== undefined;
    next = planId === undefined ? await nextPlan(db, organizationId, next) : undefined
  ) {
    const plan = await findPlan(db, organizationId, next)
    if (!plan) continue
    const policies = await policiesOf(context, organizationId, plan)
    let name = isFirst && after?.planId === next ? after.database : ''
    isFirst = false
    if (database !== undefined) {
      if (name < database) yield { plan, policies, database }
      continue
    }
    for (;;) {
      const found = await nextDatabase(db, organizationId, plan.id, name)
      if (found === undefined) break
      yield { plan, policies, database: found }
      name = found
    }
  }
}

async function policiesOf(
  context: AppContext,
  organizationId: string,
  { settings, volumes, schedules }: PlanRow,
): Promise<Policies> {
  return {
    plan: settings.retention,
    volumes: new Map(volumes.flatMap(({ id, retention }) => (retention ? [[id, retention]] : []))),
    timeZone: await countingZoneOf(context, organizationId, schedules),
  }
}

/** In which time zone a plan with these schedules counts days: that of the first. Throws `not_found`. */
export async function countingZoneOf(
  context: AppContext,
  organizationId: string,
  [first]: readonly string[],
): Promise<string> {
  if (first === undefined) return (await settingsOf(context, organizationId)).displayTimeZone
  return (await scheduleOf(context, organizationId, first)).rule.timeZone
}

function factsOf({ store }: AppContext, { plan, database }: Subject) {
  return copyFacts(store.db, plan.organizationId, plan.id, database)
}

/**
 * Judges anew, while nobody can change these snapshots, and marks what goes still. Throws `changed_meanwhile` if the plan
 * says something else by now.
 */
async function mark(
  work: Work<unknown>,
  { plan, database, policies }: Subject,
  snapshotIds: readonly string[],
  now: Date,
): Promise<GoingCopy[]> {
  const { store } = work.context
  const { organizationId } = work
  const ids = new Set(snapshotIds)
  const marked = await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const latest = await findPlan(trx, organizationId, plan.id)
    if (latest?.revision !== plan.revision) throw planChanged(plan)
    await lockSnapshots(store, trx, organizationId, snapshotIds)
    const copies = await copyFacts(trx, organizationId, plan.id, database)
    const still = judgeCopies(copies, policies, now).goes.filter(({ copy }) => ids.has(copy.snapshotId))
    for (const [volumeId, gone] of Map.groupBy(still, ({ copy }) => copy.volumeId)) {
      const snapshotIds = gone.map(({ copy }) => copy.snapshotId)
      const volumeIds = await markPending(store, trx, snapshotIds, volumeId)
      await enqueueDeletions(store, trx, organizationId, volumeIds)
    }
    return still
  })
  for (const { copy, reasons } of marked) {
    const why = reasons.map((reason) => describeReason(reason, policies.timeZone)).join('; ')
    work.log('info', `“${copy.key}” goes from “${copy.volumeName}”: ${why}.`)
  }
  return marked
}

function planChanged({ name }: PlanRow): AppError {
  return new AppError('changed_meanwhile', `The plan “${name}” has been changed meanwhile.`, {
    retryable: true,
  })
}
