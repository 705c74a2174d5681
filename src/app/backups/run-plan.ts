import { randomInt } from 'node:crypto'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { orderHooks } from '../hooks/failure-hooks.ts'
import { defineJob } from '../jobs/job-kind.ts'
import type { planRunResult } from '../jobs/jobs.ts'
import {
  findPlan,
  matchingDatabases,
  namedDatabases,
  planOf,
  type PlanRow,
  plannedDatabases,
} from '../plans/plans.ts'
import { databasesOf, serverOf, serverResource } from '../servers/servers.ts'
import { volumeResource } from '../volumes/volumes.ts'
import type { BackupPayload } from './backup.ts'
import { asksForMore, planTrigger, type PlanTrigger } from './backups.ts'
import { tellRunFailure } from './notices.ts'
import { ANY_DATABASE, knownDatabases, noteFailure, noteSeen } from './store.ts'

const payload = planTrigger.extend({ planId: z.string() })

/** Asks the server for its databases, and orders a backup of each that the plan is about. */
export const runPlan = defineJob({
  payload,
  async run({ context, id, organizationId, payload: { planId, ...trigger }, log, progress, signal, finish }) {
    const plan = await planOf(context, organizationId, planId)
    progress({ phase: 'connecting' })
    const server = await serverOf(context, organizationId, plan.serverId)
    const databases = choose(plan, trigger, await databasesOf(context, server, signal))
    if (databases.length === 0) throw nothingMatched(plan)
    log(
      'info',
      `${databases.length === 1 ? 'One database' : `${databases.length} databases`} of “${server.name}”.`,
    )
    const jobs: z.output<typeof planRunResult>['jobs'] = []
    await finish({
      result: () => ({ jobs }),
      async record(trx) {
        await noteSeen(context.store, trx, planId, databases)
        // Always in one order: of two that join each other's backups, each might wait for what the other holds.
        for (const database of [...databases].sort()) {
          jobs.push({ id: await orderBackup(context, trx, plan, database, trigger, id), database })
        }
      },
    })
  },
  async endedBadly(context, trx, { id, organizationId, payload, ...end }) {
    const { planId, databases: only, trigger, version } = payload
    if (end.state !== 'failed') return
    const plan = await findPlan(trx, organizationId, planId).catch(unlessUnreadable)
    const expected = only ?? [
      ...(await knownDatabases(trx, planId)),
      ...(plan ? namedDatabases(plan.settings) : []),
    ]
    const concerned = plan ? matchingDatabases(plan.settings, [...new Set(expected)]) : expected
    const databases = concerned.length > 0 || only ? concerned : [ANY_DATABASE]
    await noteFailure(context.store, trx, { planId, databases }, id, end.error)
    const named = concerned.filter((database) => database !== ANY_DATABASE)
    const told = { organizationId, planId, databases: named, jobId: id }
    await tellRunFailure(context, trx, told, end.error)
    // Once: which databases it would have been about is not known for certain.
    const facts = { BACKUP_TRIGGER: trigger, BACKUP_VERSION: version ?? '' }
    await orderHooks(context.store, trx, { id, organizationId, around: 'backup', error: end.error, facts })
  },
})

/** That the plan cannot be read must not keep its run from its end. */
function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof AppError) || error.code !== 'unsupported') throw error
}

/** The databases to back up. */
function choose(plan: PlanRow, { databases: only }: PlanTrigger, listed: readonly string[]): string[] {
  const matching = plannedDatabases(plan.settings, listed)
  if (!only) return matching
  const strangers = only.filter((name) => !matching.includes(name))
  if (strangers.length === 0) return [...new Set(only)]
  throw new AppError(
    'nothing_matched',
    `The plan is not about ${strangers.map((name) => `“${name}”`).join(', ')}.`,
    { hint: 'Its databases are shown by the plan; what it excludes it does not back up by hand either.' },
  )
}

async function orderBackup(
  { store }: AppContext,
  trx: Transaction<Tables>,
  plan: PlanRow,
  database: string,
  { trigger, version, comment, dueAt }: PlanTrigger,
  parentId: string,
): Promise<string> {
  const { settings } = plan
  const spread = trigger === 'schedule' ? settings.jitterMinutes * 60_000 : 0
  const payload: BackupPayload = {
    planId: plan.id,
    database,
    trigger,
    version,
    comment,
    ...(dueAt !== undefined &&
      settings.windowMinutes !== undefined && { notAfter: dueAt + settings.windowMinutes * 60_000 }),
  }
  const { id } = await enqueueJob(store, trx, {
    organizationId: plan.organizationId,
    parentId,
    kind: 'backup',
    key: `backup:${plan.id}:${database}`,
    payload,
    replacesPayload: (waiting) => asksForMore({ version }, waiting),
    subject: { planId: plan.id, serverId: plan.serverId, database },
    resources: [serverResource(plan.serverId), ...plan.volumes.map(({ id }) => volumeResource(id))],
    maxAttempts: settings.tries,
    backoff: settings.backoffSeconds * 1000,
    ...(settings.label !== undefined && { label: settings.label }),
    ...(spread > 0 && { delay: randomInt(spread) }),
    priority: trigger === 'schedule' ? 0 : 1,
  })
  return id
}

function nothingMatched({ name }: PlanRow): AppError {
  return new AppError('nothing_matched', `No database of the server is one that “${name}” is about.`, {
    hint: 'The plan shows which databases it matches. If the server has lost them all, look there first.',
  })
}
