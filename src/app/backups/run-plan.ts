import { randomInt } from 'node:crypto'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { defineJob } from '../jobs/job-kind.ts'
import type { planRunResult } from '../jobs/jobs.ts'
import { matchingDatabases, planOf, type PlanRow } from '../plans/plans.ts'
import { databasesOf, serverOf, serverResource } from '../servers/servers.ts'
import { volumeResource } from '../volumes/volumes.ts'
import type { BackupPayload } from './backup.ts'
import { planTrigger, type PlanTrigger } from './backups.ts'
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
        for (const database of databases) {
          jobs.push({ id: await orderBackup(context, trx, plan, database, trigger, id), database })
        }
      },
    })
  },
  async endedBadly({ store }, trx, { id, payload: { planId }, ...end }) {
    if (end.state !== 'failed') return
    const known = await knownDatabases(trx, planId)
    const databases = known.length > 0 ? known : [ANY_DATABASE]
    await noteFailure(store, trx, { planId, databases }, id, end.error)
  },
})

/**
 * The databases to back up. Those that are named are asked for also if the server does not list them: then their backup
 * fails, and says so, rather than never being missed.
 */
function choose(
  { settings }: PlanRow,
  { databases: only }: PlanTrigger,
  listed: readonly string[],
): string[] {
  const named =
    settings.databases.mode === 'selected'
      ? settings.databases.names.filter((name) => !name.includes('*'))
      : []
  const matching = matchingDatabases(settings, [...new Set([...listed, ...named])])
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
    replacesPayload: version !== undefined,
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
