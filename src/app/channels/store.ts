import { type Selectable, sql, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { JobError } from '../../store/queue.ts'
import { unscoped } from '../../store/scope.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type ChannelRow = Selectable<Tables['channels']>
type Db = Store['db'] | Transaction<Tables>

const columns = [
  'id',
  'organizationId',
  'name',
  'kind',
  'settings',
  'isEnabled',
  'isShared',
  'lastDeliveredAt',
  'lastFailedAt',
  'lastError',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listChannels(
  { db }: Store,
  organizationId: string,
  { after, limit, kind }: { after: Place | undefined; limit: number; kind?: string | undefined },
): Promise<ChannelRow[]> {
  let query = db.selectFrom('channels').select(columns).where('organizationId', '=', organizationId)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

/** Those of other organizations that its rules may use, by name. */
export async function sharedWith({ db }: Store, organizationId: string): Promise<ChannelRow[]> {
  return await db
    .selectFrom('channels')
    .select(columns)
    .where('organizationId', '<>', organizationId)
    .where('isShared', '=', 1)
    .orderBy('name')
    .orderBy('id')
    .execute()
}

/** Whosever it is. */
export async function findChannel(db: Db, id: string): Promise<ChannelRow | undefined> {
  return await db.selectFrom('channels').select(columns).where('id', '=', id).executeTakeFirst()
}

/** Those among the given ones, or all of its own, that take notices of the organization now. */
export async function openChannelsOf(
  trx: Transaction<Tables>,
  organizationId: string,
  ids: readonly string[] | null,
): Promise<Pick<ChannelRow, 'id' | 'kind'>[]> {
  const query = trx.selectFrom('channels').select(['id', 'kind']).where('isEnabled', '=', 1).orderBy('id')
  const rows =
    ids === null
      ? query.where('organizationId', '=', organizationId)
      : query
          .where('id', 'in', ids)
          .where((eb) => eb.or([eb('organizationId', '=', organizationId), eb('isShared', '=', 1)]))
  return await rows.execute()
}

/** Its own of these kinds that take notices now. */
export async function openChannelsOfKinds(
  trx: Transaction<Tables>,
  organizationId: string,
  kinds: readonly string[],
): Promise<Pick<ChannelRow, 'id' | 'kind'>[]> {
  return await trx
    .selectFrom('channels')
    .select(['id', 'kind'])
    .where('organizationId', '=', organizationId)
    .where('isEnabled', '=', 1)
    .where('kind', 'in', kinds)
    .orderBy('id')
    .execute()
}

type Values = Pick<ChannelRow, 'name' | 'settings' | 'isEnabled' | 'isShared'>

export async function insertChannel(
  store: Store,
  trx: Transaction<Tables>,
  channel: Values & Pick<ChannelRow, 'id' | 'organizationId' | 'kind'>,
): Promise<ChannelRow> {
  return await trx
    .insertInto('channels')
    .values({ ...channel, revision: 1, createdAt: store.now, updatedAt: store.now })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Undefined if it has another revision by now. */
export async function updateChannel(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<ChannelRow, 'id' | 'revision'>,
  values: Values,
): Promise<ChannelRow | undefined> {
  return await trx
    .updateTable('channels')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning(columns)
    .executeTakeFirst()
}

export async function deleteChannel(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('channels').where('id', '=', id).execute()
}

/** How its last delivery fared is no change of the channel: its revision stays. */
export async function noteDelivery(store: Store, db: Db, id: string): Promise<void> {
  await db.updateTable('channels').set({ lastDeliveredAt: store.now }).where('id', '=', id).execute()
}

export async function noteFailure(store: Store, db: Db, id: string, error: JobError): Promise<void> {
  await db
    .updateTable('channels')
    .set({ lastFailedAt: store.now, lastError: JSON.stringify(error) })
    .where('id', '=', id)
    .execute()
}

/** By name. */
export async function rulesNaming(
  trx: Transaction<Tables>,
  channelId: string,
): Promise<{ organizationId: string; name: string }[]> {
  const rules = await unscoped(trx)
    .selectFrom('notificationRules')
    .select(['organizationId', 'name', 'channels'])
    .where('channels', 'is not', null)
    .orderBy('name')
    .execute()
  return rules.filter(({ channels }) => (JSON.parse(channels ?? '[]') as string[]).includes(channelId))
}

/** Whether a delivery to the channel with this resource has succeeded that was ordered later than this one. */
export async function isNewerDelivered(db: Db, resource: string, jobId: string): Promise<boolean> {
  const newer = await db
    .selectFrom('jobs')
    .innerJoin('jobResources', 'jobResources.jobId', 'jobs.id')
    .select('jobs.id')
    .where('jobResources.resource', '=', resource)
    .where('jobs.state', '=', 'succeeded')
    .where('jobs.id', '>', jobId)
    .limit(1)
    .executeTakeFirst()
  return newer !== undefined
}

/** What waits for the channel with this resource waits for so many milliseconds more: it would be told to, too. */
export async function postponeDeliveries({ db, now }: Store, resource: string, delay: number): Promise<void> {
  const ofChannel = db.selectFrom('jobResources').select('jobId').where('resource', '=', resource)
  const until = sql<number>`${now} + ${sql.lit(Math.ceil(delay))}`
  await db
    .updateTable('jobs')
    .set({ runAt: until })
    .where('state', '=', 'queued')
    .where('runAt', '<', until)
    .where('id', 'in', ofChannel)
    .execute()
}
