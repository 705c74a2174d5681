import { type Selectable, sql, type SqlBool, type Transaction } from 'kysely'
import { type FullResource, fullResource, type JobState } from '../../shared/jobs.ts'
import type { Store } from '../../store/database.ts'
import { cancelJob, type OnBadEnd } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'
import { isBefore, type Place } from '../pages.ts'
import type { TimeRange } from '../time-range.ts'
import type { LogLine } from './job-log.ts'

export type JobRow = Omit<
  Selectable<Tables['jobs']>,
  | 'organizationId'
  | 'key'
  | 'priority'
  | 'label'
  | 'payload'
  | 'backoff'
  | 'runner'
  | 'leaseUntil'
  | 'recordedState'
>

const columns = [
  'id',
  'parentId',
  'kind',
  'state',
  'serverId',
  'planId',
  'database',
  'snapshotId',
  'volumeId',
  'attempt',
  'maxAttempts',
  'cancelRequestedAt',
  'progress',
  'result',
  'error',
  'createdAt',
  'runAt',
  'startedAt',
  'finishedAt',
  'updatedAt',
] as const

export interface JobFilter {
  states?: readonly JobState[]
  kinds?: readonly string[]
  parentId?: string
  serverId?: string
  planId?: string
  database?: string
  snapshotId?: string
  volumeId?: string
  /** When it ended. */
  ended?: TimeRange
  /** The database that its snapshot is of, in a plan. */
  source?: { planId: string; database: string }
}

const FEW_DAYS = 7 * 86_400_000

/** The newest first, from before the given place; one more than `limit`. */
export async function listJobs(
  { db }: Store,
  organizationId: string,
  filter: JobFilter,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<JobRow[]> {
  const { ended = {}, source } = filter
  // By these there are few: the index that has all in the order of the list would lead through everything.
  const isBrief = ended.from !== undefined && ended.to !== undefined && ended.to - ended.from <= FEW_DAYS
  const isNarrow = isBrief || source !== undefined
  let query = db
    .selectFrom('jobs')
    .select(columns)
    .where(isNarrow ? unindexed('organizationId') : sql.ref<string>('organizationId'), '=', organizationId)
  if (ended.from !== undefined) query = query.where('finishedAt', '>=', ended.from)
  if (ended.to !== undefined) query = query.where('finishedAt', '<', ended.to)
  if (source) {
    query = query.where('snapshotId', 'in', (eb) =>
      eb
        .selectFrom('snapshots')
        .select('snapshots.id')
        .where('snapshots.planId', '=', source.planId)
        .where('snapshots.database', '=', source.database),
    )
  }
  if (filter.states) query = query.where('state', 'in', filter.states)
  if (filter.kinds) query = query.where('kind', 'in', filter.kinds)
  for (const column of ['parentId', 'serverId', 'planId', 'database', 'snapshotId', 'volumeId'] as const) {
    const value = filter[column]
    if (value !== undefined) query = query.where(column, '=', value)
  }
  if (after) query = query.where(isBefore('createdAt', after))
  return await query
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
}

export async function findJob(
  db: Store['db'] | Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<JobRow | undefined> {
  return await db
    .selectFrom('jobs')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** What it was ordered with, to be parsed with the schema of its kind. */
export async function payloadOf({ db }: Store, id: string): Promise<unknown> {
  const row = await db.selectFrom('jobs').select('payload').where('id', '=', id).executeTakeFirst()
  return row && (JSON.parse(row.payload) as unknown)
}

/** Of these, in the order of their ids. */
export async function findJobs(
  { db }: Store,
  organizationId: string,
  ids: readonly string[],
): Promise<JobRow[]> {
  const rows: JobRow[] = []
  for (let i = 0; i < ids.length; i += 500) {
    const some = await db
      .selectFrom('jobs')
      .select(columns)
      .where('organizationId', '=', organizationId)
      .where('id', 'in', ids.slice(i, i + 500))
      .orderBy('id')
      .execute()
    rows.push(...some)
  }
  return rows
}

/** Stops what a job has ordered and is not over. */
export async function cancelChildren(
  store: Store,
  trx: Transaction<Tables>,
  parentId: string,
  onBadEnd: OnBadEnd,
): Promise<void> {
  const children = await trx
    .selectFrom('jobs')
    .select(['id', 'key'])
    .where('parentId', '=', parentId)
    .where('state', 'in', ['queued', 'running'])
    .execute()
  // In the order in which another run joins them: else each might wait for what the other holds.
  const inOrder = children.sort((a, b) => (a.key < b.key ? -1 : 1))
  for (const { id } of inOrder) await cancelJob(store, trx, id, onBadEnd)
}

/** Which of these somebody wants to be stopped. */
export async function cancelledAmong(
  db: Store['db'] | Transaction<Tables>,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('jobs')
    .select('id')
    .where('id', 'in', ids)
    .where('cancelRequestedAt', 'is not', null)
    .execute()
  return rows.map(({ id }) => id)
}

export async function appendLog(
  { db }: { db: Store['db'] | Transaction<Tables> },
  jobId: string,
  lines: readonly LogLine[],
): Promise<void> {
  await db
    .insertInto('jobLogs')
    .columns(['jobId', 'number', 'lines'])
    .expression(
      db
        .selectFrom('jobLogs')
        .select((eb) => [
          eb.val(jobId).as('jobId'),
          sql<number>`coalesce(max(number), 0) + 1`.as('number'),
          sql<string>`${JSON.stringify(lines)}`.as('lines'),
        ])
        .where('jobId', '=', jobId),
    )
    .execute()
}

/** The pieces of a log behind the given one, in their order, so many at most. */
export async function readLog(
  { db }: Store,
  jobId: string,
  after: number,
  limit: number,
): Promise<{ number: number; lines: LogLine[] }[]> {
  const rows = await db
    .selectFrom('jobLogs')
    .select(['number', 'lines'])
    .where('jobId', '=', jobId)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute()
  return rows.map(({ number, lines }) => ({ number, lines: JSON.parse(lines) as LogLine[] }))
}

/** What these queued jobs need and cannot have now. */
export async function fullResources(
  { db }: Store,
  jobIds: readonly string[],
): Promise<(FullResource & { jobId: string })[]> {
  if (jobIds.length === 0) return []
  const rows = await db
    .selectFrom('jobResources as need')
    .innerJoin('resources', 'resources.name', 'need.resource')
    .leftJoin('servers', (join) => join.on(sql<SqlBool>`need.resource = 'server:' || servers.id`))
    .leftJoin('volumes', (join) => join.on(sql<SqlBool>`need.resource = 'volume:' || volumes.id`))
    .leftJoin('channels', (join) => join.on(sql<SqlBool>`need.resource = 'channel:' || channels.id`))
    .select(['need.jobId', 'need.resource', 'resources.capacity'])
    .select((eb) => eb.fn.coalesce('servers.name', 'volumes.name', 'channels.name').as('name'))
    .where('need.jobId', 'in', jobIds)
    .where(
      sql<SqlBool>`resources.capacity <= (select count(*) from job_slots where job_slots.resource = need.resource)`,
    )
    .orderBy('need.resource')
    .execute()
  // A resource is called `server:<id>`, `volume:<id>`, `channel:<id>` or `app-backups`.
  return rows.map(({ resource, ...row }) => ({
    ...row,
    kind: fullResource.shape.kind.parse(resource.split(':')[0]),
  }))
}
