import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely'
import type { JobState } from '../../shared/jobs.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'

// Written out in the SQL: with a parameter in its place, no partial index is used.
const RUNNING = sql.lit('running' as const)
const BACKUP = sql.lit('backup' as const)
const RUN = sql.lit('run-plan' as const)
const FAILED = sql.lit('failed' as const)
const STORED = sql.lit('stored' as const)

const DAY = 86_400_000

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

/** The sizes of the newest dumps of each of these databases in its plan, `limit` of each at most, the oldest first. */
export async function recentSizes(
  { db }: Store,
  databases: readonly { planId: string; database: string }[],
  limit: number,
): Promise<{ planId: string; database: string; rawBytes: number }[]> {
  const newest = databases.map(({ planId, database }) =>
    db
      .selectFrom(
        db
          .selectFrom('snapshots')
          .select((eb) => [eb.ref('planId').$notNull().as('planId'), 'database', 'rawBytes', 'takenAt', 'id'])
          .where('planId', '=', planId)
          .where('database', '=', database)
          .orderBy('takenAt', 'desc')
          .orderBy('id', 'desc')
          .limit(limit)
          .as('newest'),
      )
      .selectAll(),
  )
  const [first, ...others] = newest
  if (!first) return []
  return await others
    .reduce((all, one) => all.unionAll(one), first)
    .orderBy('takenAt')
    .orderBy('id')
    .execute()
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

/**
 * How many backups of databases ended how on each of the days that begin at these moments; days without any are absent. A
 * run that has failed before it knew its databases counts as one that failed.
 */
export async function endedBackups(
  store: Store,
  organizationId: string,
  starts: readonly number[],
): Promise<{ day: number; state: 'succeeded' | 'partial' | 'failed'; count: number }[]> {
  return await store.db
    .selectFrom('jobs')
    .select((eb) => [
      dayOf(store, 'finishedAt', starts).as('day'),
      eb.ref('state').$castTo<'succeeded' | 'partial' | 'failed'>().as('state'),
      eb.fn.countAll<number>().as('count'),
    ])
    .where('organizationId', '=', organizationId)
    .where((eb) => eb.or([eb('kind', '=', BACKUP), eb.and([eb('kind', '=', RUN), eb('state', '=', FAILED)])]))
    .where('finishedAt', '>=', starts[0] ?? 0)
    .where('state', 'in', ['succeeded', 'partial', 'failed'])
    .groupBy(['day', 'state'])
    .execute()
}

/** By name. */
export async function volumeNames(
  { db }: Store,
  organizationId: string,
): Promise<{ id: string; name: string }[]> {
  return await db
    .selectFrom('volumes')
    .select(['id', 'name'])
    .where('organizationId', '=', organizationId)
    .orderBy('name')
    .orderBy('id')
    .execute()
}

/** How many copies on each of the volumes are not what they should be. Those that are good are not looked at. */
export async function faultyCopies(
  { db }: Store,
  volumeIds: readonly string[],
): Promise<{ volumeId: string; state: 'missing' | 'corrupt' | 'failed'; count: number }[]> {
  if (volumeIds.length === 0) return []
  return await db
    .selectFrom('copies')
    .select((eb) => [
      'volumeId',
      eb.ref('state').$castTo<'missing' | 'corrupt' | 'failed'>().as('state'),
      eb.fn.countAll<number>().as('count'),
    ])
    .where('volumeId', 'in', volumeIds)
    .where('state', 'in', ['missing', 'corrupt', 'failed'])
    .where('state', '<>', STORED)
    .groupBy(['volumeId', 'state'])
    .execute()
}

/** The last check of the volume that had failed by then, and why. Only what was ordered shortly before is looked through. */
export async function failedCheck(
  { db }: Store,
  organizationId: string,
  volumeId: string,
  at: number,
): Promise<{ id: string; error: string | null } | undefined> {
  return await db
    .selectFrom('jobs')
    .select(['id', 'error'])
    .where('organizationId', '=', organizationId)
    .where('createdAt', '>', at - DAY)
    .where('createdAt', '<=', at)
    .where('volumeId', '=', volumeId)
    .where('kind', 'in', ['file-check', 'content-check'])
    .where('state', '=', FAILED)
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Its own that are switched on, and have failed at least once, by name. */
export async function doubtfulChannels({ db }: Store, organizationId: string) {
  return await db
    .selectFrom('channels')
    .select(['id', 'name', 'lastDeliveredAt', 'lastFailedAt', 'lastError'])
    .where('organizationId', '=', organizationId)
    .where('isEnabled', '=', 1)
    .where('lastFailedAt', 'is not', null)
    .orderBy('name')
    .execute()
}

/** Those that are enabled, and failed when they ran last, by name. */
export async function failedScheduledRestores({ db }: Store, organizationId: string) {
  return await db
    .selectFrom('scheduledRestores')
    .innerJoin('jobs', 'jobs.id', 'scheduledRestores.lastJobId')
    .select(['scheduledRestores.id', 'scheduledRestores.name', 'jobs.id as jobId'])
    .select(['jobs.error', 'jobs.finishedAt'])
    .where('scheduledRestores.organizationId', '=', organizationId)
    .where('scheduledRestores.isEnabled', '=', 1)
    .where('jobs.state', '=', FAILED)
    .orderBy('scheduledRestores.name')
    .execute()
}

/**
 * Of the bytes that the volumes hold now, how many came on each of the days that begin at these moments; day -1 is all the
 * time before.
 */
export async function bytesThatCame(
  store: Store,
  volumes: readonly { id: string }[],
  starts: readonly number[],
): Promise<{ volumeId: string; day: number; bytes: number }[]> {
  if (volumes.length === 0) return []
  return await store.db
    .selectFrom('copies')
    .select((eb) => [
      'volumeId',
      dayOf(store, 'createdAt', starts).as('day'),
      sql<number>`cast(sum(${eb.ref('bytes')}) as bigint)`.as('bytes'),
    ])
    .where(
      'volumeId',
      'in',
      volumes.map(({ id }) => id),
    )
    .where('state', 'in', ['stored', 'corrupt', 'delete_pending'])
    .groupBy(['volumeId', 'day'])
    .execute()
}

/**
 * Which of the days that begin at these moments a time is in, the first being 0; -1 if it is before all of them. A join with
 * a table of the days is what PostgreSQL plans as if every day had a ninth of all rows.
 */
function dayOf({ engine }: Store, column: string, starts: readonly number[]): RawBuilder<number> {
  const time = sql.ref(column)
  if (engine === 'postgresql') {
    return sql<number>`width_bucket(${time}, array[${sql.join(starts.map((start) => sql.lit(start)))}]::bigint[]) - 1`
  }
  const search = (from: number, to: number): RawBuilder<number> => {
    const middle = Math.floor((from + to) / 2)
    const start = starts[middle]
    if (from === to || start === undefined) return sql.lit(from - 1)
    return sql<number>`case when ${time} < ${sql.lit(start)} then ${search(from, middle)} else ${search(middle + 1, to)} end`
  }
  return search(0, starts.length)
}
