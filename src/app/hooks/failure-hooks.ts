import type { Transaction } from 'kysely'
import { z } from 'zod'
import { runHooks } from '../../runner/hooks/run-hooks.ts'
import { AppError } from '../../shared/errors.ts'
import { type HookAround, hookArounds, type HookFacts } from '../../shared/hooks.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob, type JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { serverOf } from '../servers/servers.ts'
import { snapshotOf } from '../snapshots/snapshots.ts'
import { orderOf, targetOf } from './around.ts'
import { findFailedJob, hooksToRun } from './store.ts'

const payload = z.object({
  around: z.enum(hookArounds),
  planId: z.string().nullable(),
  serverId: z.string().nullable(),
  /** Null: the server itself, or what was to be done had not got so far as to know. */
  database: z.string().nullable(),
  moments: z.array(z.enum(['after-failure', 'after'])),
  facts: z.record(z.string(), z.string()),
})

/** Runs the hooks behind a job that has failed. */
export const failureHooks = defineJob({
  payload,
  isNeverRepeated: true,
  async run(work) {
    const { context, organizationId, payload } = work
    const { around, planId, serverId, database, moments } = payload
    const rows = await hooksToRun(context.store.db, organizationId, { around, planId, moments })
    const server =
      serverId === null ? undefined : await orNothing(serverOf(context, organizationId, serverId))
    const snapshotId = payload.facts['RESTORE_SNAPSHOT_ID']
    const source = snapshotId ? await orNothing(snapshotOf(context, organizationId, snapshotId)) : undefined
    const known: HookFacts =
      around === 'backup'
        ? {
            BACKUP_SERVER_ID: serverId ?? '',
            BACKUP_SERVER_NAME: server?.name ?? '',
            BACKUP_DATABASE_NAME: database ?? '',
            BACKUP_DATABASE_TYPE: server?.engine ?? '',
          }
        : {
            RESTORE_SERVER_ID: serverId ?? '',
            RESTORE_SERVER_NAME: server?.name ?? '',
            RESTORE_DATABASE_NAME: database ?? '',
            RESTORE_DATABASE_TYPE: server?.engine ?? '',
            RESTORE_SOURCE_DATABASE: source?.database ?? '',
          }
    const { outcomes, stop } = await runHooks(
      rows.map((row) => orderOf(context, row)),
      {
        around,
        moment: 'after-failure',
        facts: { ...payload.facts, ...known },
        target: server && targetOf(context, server, database),
      },
      work,
    )
    return { result: { hooks: outcomes }, ...(stop && { failure: stop }) }
  },
})

export interface FailedJob {
  id: string
  organizationId: string
  around: HookAround
  error: JobError
  /** What only its payload says. */
  facts: HookFacts
}

/** Orders, in the transaction in which a job fails for good, the hooks that run behind that; if there are any. */
export async function orderHooks(
  store: Store,
  trx: Transaction<Tables>,
  { id, organizationId, around, error, facts }: FailedJob,
): Promise<void> {
  const job = await findFailedJob(trx, id)
  if (!job) return
  const { serverId, database, label } = job
  const planId = around === 'backup' ? job.planId : null
  // One that has done what it was for, and was failed by a hook: those that run in either case have run.
  const moments =
    job.recordedState === null ? (['after-failure', 'after'] as const) : (['after-failure'] as const)
  const hooks = await hooksToRun(trx, organizationId, { around, planId, moments })
  if (hooks.length === 0) return
  const name = around === 'backup' ? 'BACKUP' : 'RESTORE'
  const told = { [`${name}_ERROR_CODE`]: error.code, [`${name}_ERROR_MESSAGE`]: error.message }
  const made = around === 'backup' ? factsOfResult(job.result) : {}
  await enqueueJob(store, trx, {
    organizationId,
    parentId: id,
    kind: 'run-hooks',
    key: `run-hooks:${id}`,
    payload: { around, planId, serverId, database, moments, facts: { ...facts, ...made, ...told } },
    subject: { serverId, planId, database },
    ...(label !== null && { label }),
    maxAttempts: 1,
  })
}

const backupResult = z.object({
  key: z.string(),
  storedBytes: z.number(),
  sha256: z.string(),
  snapshotId: z.string(),
})

/** Of the snapshot, if it is there all the same. */
function factsOfResult(result: string | null): HookFacts {
  const made = backupResult.safeParse(JSON.parse(result ?? 'null')).data
  if (!made) return {}
  return {
    BACKUP_FILENAME: made.key,
    BACKUP_FILE_SIZE: String(made.storedBytes),
    BACKUP_CHECKSUM: made.sha256,
    BACKUP_SNAPSHOT_ID: made.snapshotId,
  }
}

/** What is gone by now. */
async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return undefined
    throw error
  }
}
