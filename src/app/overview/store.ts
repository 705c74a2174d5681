import { type Selectable, sql, type Transaction } from 'kysely'
import type { JobState } from '../../shared/jobs.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'

// Written out in the SQL: with a parameter in its place, no partial index is used.
const RUNNING = sql.lit('running' as const)

/*
 * What the overview shows belongs to other features; it only reads it, and joins it, for one page about everything.
 */

export interface OverviewFilter {
  serverId?: string | undefined
  planId?: string | undefined
}

export interface WatchedPlan {
  id: string
  name: string
  serverId: string
  serverName: string
  settings: string
  createdAt: number
}

/** The enabled plans. */
export async function watchedPlans(
  { db }: Store,
  organizationId: string,
  { serverId, planId }: OverviewFilter,
): Promise<WatchedPlan[]> {
  let query = db
    .selectFrom('plans')
    .innerJoin('servers', 'servers.id', 'plans.serverId')
    .select(['plans.id', 'plans.name', 'plans.serverId', 'servers.name as serverName', 'plans.settings'])
    .select('plans.createdAt')
    .where('plans.organizationId', '=', organizationId)
    .where('plans.isEnabled', '=', 1)
  if (serverId !== undefined) query = query.where('plans.serverId', '=', serverId)
  if (planId !== undefined) query = query.where('plans.id', '=', planId)
  return await query.execute()
}

export type KnownDatabase = Selectable<Tables['planDatabases']>

/** What is known of the databases of the enabled plans. */
export async function knownDatabases(
  { db }: Store,
  organizationId: string,
  { serverId, planId }: OverviewFilter,
): Promise<KnownDatabase[]> {
  let query = db
    .selectFrom('planDatabases')
    .innerJoin('plans', 'plans.id', 'planDatabases.planId')
    .selectAll('planDatabases')
    .where('plans.organizationId', '=', organizationId)
    .where('plans.isEnabled', '=', 1)
  if (serverId !== undefined) query = query.where('plans.serverId', '=', serverId)
  if (planId !== undefined) query = query.where('plans.id', '=', planId)
  return await query.execute()
}

/** Which schedules the enabled plans have. */
export async function schedulesOfPlans(
  { db }: Store,
  organizationId: string,
): Promise<{ planId: string; scheduleId: string }[]> {
  return await db
    .selectFrom('planSchedules')
    .innerJoin('plans', 'plans.id', 'planSchedules.planId')
    .select(['planSchedules.planId', 'planSchedules.scheduleId'])
    .where('plans.organizationId', '=', organizationId)
    .where('plans.isEnabled', '=', 1)
    .orderBy('planSchedules.scheduleId')
    .execute()
}

export async function allSchedules(
  { db }: Store,
  organizationId: string,
): Promise<{ id: string; rule: string; nextAt: number | null }[]> {
  return await db
    .selectFrom('schedules')
    .select(['id', 'rule', 'nextAt'])
    .where('organizationId', '=', organizationId)
    .execute()
}

/** The schedules of enabled plans that run next. */
export async function comingRuns(
  { db }: Store,
  organizationId: string,
  limit: number,
): Promise<{ scheduleId: string; scheduleName: string; at: number; plans: number }[]> {
  return await db
    .selectFrom('schedules')
    .innerJoin('planSchedules', 'planSchedules.scheduleId', 'schedules.id')
    .innerJoin('plans', 'plans.id', 'planSchedules.planId')
    .select((eb) => [
      'schedules.id as scheduleId',
      'schedules.name as scheduleName',
      eb.ref('schedules.nextAt').$notNull().as('at'),
      eb.fn.countAll<number>().as('plans'),
    ])
    .where('schedules.organizationId', '=', organizationId)
    .where('schedules.nextAt', 'is not', null)
    .where('plans.isEnabled', '=', 1)
    .groupBy(['schedules.id', 'schedules.name', 'schedules.nextAt'])
    .orderBy('schedules.nextAt')
    .orderBy('schedules.id')
    .limit(limit)
    .execute()
}

export type RunningJob = Pick<
  Selectable<Tables['jobs']>,
  'id' | 'kind' | 'serverId' | 'planId' | 'database' | 'startedAt' | 'progress'
>

/** The newest first. */
export async function runningJobs({ db }: Store, organizationId: string, limit: number) {
  const running = db
    .selectFrom('jobs')
    .where(unindexed('organizationId'), '=', organizationId)
    .where('state', '=', RUNNING)
  const jobs = await running
    .select(['id', 'kind', 'serverId', 'planId', 'database', 'startedAt', 'progress'])
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  const { count } = await running
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return { jobs, count }
}

/** What is known of a database now, and until the end of the transaction that decides about it. */
export async function knownDatabase(
  store: Store,
  trx: Transaction<Tables>,
  planId: string,
  database: string,
): Promise<Pick<KnownDatabase, 'lastSuccessAt' | 'lastFailureAt'> | undefined> {
  return await trx
    .selectFrom('planDatabases')
    .select(['lastSuccessAt', 'lastFailureAt'])
    .where('planId', '=', planId)
    .where('database', '=', database)
    .$if(store.engine === 'postgresql', (query) => query.forUpdate())
    .executeTakeFirst()
}

/** How many backups and restores ended how since then. */
export async function endedJobs(
  { db }: Store,
  organizationId: string,
  since: number,
): Promise<{ kind: string; state: JobState; count: number }[]> {
  return await db
    .selectFrom('jobs')
    .select((eb) => ['kind', 'state', eb.fn.countAll<number>().as('count')])
    .where('organizationId', '=', organizationId)
    .where('createdAt', '>=', since)
    .where('kind', 'in', ['run-plan', 'backup', 'restore'])
    .where('state', 'in', ['succeeded', 'partial', 'failed'])
    .groupBy(['kind', 'state'])
    .execute()
}

/** Bytes of the snapshots that were made since then, each counted once. */
export async function storedSince({ db }: Store, organizationId: string, since: number): Promise<number> {
  const { bytes } = await db
    .selectFrom('snapshots')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number | string>('storedBytes'), sql.lit(0)).as('bytes'))
    .where('organizationId', '=', organizationId)
    .where('takenAt', '>=', since)
    .executeTakeFirstOrThrow()
  return Number(bytes)
}
