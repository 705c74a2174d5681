import type { Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'

/** Stands for the databases of a plan while none of them is known. */
export const ANY_DATABASE = '*'

/** Notes that the plan has asked for these databases. */
export async function noteSeen(
  store: Store,
  trx: Transaction<Tables>,
  planId: string,
  databases: readonly string[],
): Promise<void> {
  for (let i = 0; i < databases.length; i += 500) {
    const rows = databases.slice(i, i + 500).map((database) => ({
      planId,
      database,
      firstSeenAt: store.now,
      lastSeenAt: store.now,
    }))
    await trx
      .insertInto('planDatabases')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['planId', 'database']).doUpdateSet({ lastSeenAt: store.now }),
      )
      .execute()
  }
  await trx
    .deleteFrom('planDatabases')
    .where('planId', '=', planId)
    .where('database', '=', ANY_DATABASE)
    .execute()
}

export async function noteSuccess(
  store: Store,
  trx: Transaction<Tables>,
  planId: string,
  database: string,
  snapshot: { id: string; rawBytes: number; storedBytes: number },
): Promise<void> {
  const success = {
    lastSuccessAt: store.now,
    lastSnapshotId: snapshot.id,
    lastRawBytes: snapshot.rawBytes,
    lastStoredBytes: snapshot.storedBytes,
  }
  await trx
    .insertInto('planDatabases')
    .values({ planId, database, firstSeenAt: store.now, lastSeenAt: store.now, ...success })
    .onConflict((conflict) => conflict.columns(['planId', 'database']).doUpdateSet(success))
    .execute()
}

export async function noteFailure(
  store: Store,
  trx: Transaction<Tables>,
  { planId, databases }: { planId: string; databases: readonly string[] },
  jobId: string,
  error: JobError,
): Promise<void> {
  const isThere = await trx.selectFrom('plans').select('id').where('id', '=', planId).executeTakeFirst()
  if (!isThere) return
  const failure = { lastFailureAt: store.now, lastFailedJobId: jobId, lastError: JSON.stringify(error) }
  for (const database of databases) {
    await trx
      .insertInto('planDatabases')
      .values({ planId, database, firstSeenAt: store.now, lastSeenAt: store.now, ...failure })
      .onConflict((conflict) => conflict.columns(['planId', 'database']).doUpdateSet(failure))
      .execute()
  }
}

/** The databases that the plan has asked for, as far as they are known. */
export async function knownDatabases(trx: Transaction<Tables>, planId: string): Promise<string[]> {
  const rows = await trx.selectFrom('planDatabases').select('database').where('planId', '=', planId).execute()
  return rows.map(({ database }) => database)
}

/** Those of a plan, or all. */
export async function writableVolumes(
  trx: Transaction<Tables>,
  organizationId: string,
  { planId }: { planId?: string },
): Promise<string[]> {
  let query = trx
    .selectFrom('volumes')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('isReadOnly', '=', 0)
  if (planId !== undefined) {
    const ofPlan = trx.selectFrom('planVolumes').select('volumeId').where('planId', '=', planId)
    query = query.where('id', 'in', ofPlan)
  }
  const rows = await query.execute()
  return rows.map(({ id }) => id)
}

/** Of a plan, as it is called. */
export interface PlanNames {
  plan: string
  serverId: string
  server: string
}

/** Undefined if the plan is gone. */
export async function planNames(trx: Transaction<Tables>, planId: string): Promise<PlanNames | undefined> {
  return await trx
    .selectFrom('plans')
    .innerJoin('servers', 'servers.id', 'plans.serverId')
    .select(['plans.name as plan', 'plans.serverId', 'servers.name as server'])
    .where('plans.id', '=', planId)
    .executeTakeFirst()
}

/** Bytes of the last dump of the database; null if there was none. */
export async function lastRawBytes(
  trx: Transaction<Tables>,
  planId: string,
  database: string,
): Promise<number | null> {
  const row = await trx
    .selectFrom('planDatabases')
    .select('lastRawBytes')
    .where('planId', '=', planId)
    .where('database', '=', database)
    .executeTakeFirst()
  return row?.lastRawBytes ?? null
}
