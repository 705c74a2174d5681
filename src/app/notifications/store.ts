import type { Selectable, Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type RuleRow = Omit<Selectable<Tables['notificationRules']>, 'organizationId'>
type Db = Store['db'] | Transaction<Tables>

const columns = [
  'id',
  'name',
  'isEnabled',
  'events',
  'servers',
  'channels',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listRules(
  { db }: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<RuleRow[]> {
  let query = db.selectFrom('notificationRules').select(columns).where('organizationId', '=', organizationId)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

/** All of the organization: there are never many. */
export async function allRules(trx: Transaction<Tables>, organizationId: string): Promise<RuleRow[]> {
  return await trx
    .selectFrom('notificationRules')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .orderBy('id')
    .execute()
}

export async function findRule(db: Db, organizationId: string, id: string): Promise<RuleRow | undefined> {
  return await db
    .selectFrom('notificationRules')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

type Values = Pick<RuleRow, 'name' | 'isEnabled' | 'events' | 'servers' | 'channels'>

export async function insertRule(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  rule: Values & Pick<RuleRow, 'id'>,
): Promise<RuleRow> {
  return await trx
    .insertInto('notificationRules')
    .values({ ...rule, organizationId, revision: 1, createdAt: store.now, updatedAt: store.now })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Undefined if it has another revision by now. */
export async function updateRule(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<RuleRow, 'id' | 'revision'>,
  values: Values,
): Promise<RuleRow | undefined> {
  return await trx
    .updateTable('notificationRules')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning(columns)
    .executeTakeFirst()
}

/** Whether it was there. */
export async function deleteRule(db: Db, organizationId: string, id: string): Promise<boolean> {
  const deleted = await db
    .deleteFrom('notificationRules')
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** Whose the given channels are, as far as rules of the organization may use them. */
export async function channelOwners(
  db: Db,
  organizationId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('channels')
    .select(['id', 'organizationId'])
    .where('id', 'in', ids)
    .where((eb) => eb.or([eb('organizationId', '=', organizationId), eb('isShared', '=', 1)]))
    .execute()
  return new Map(rows.map((row) => [row.id, row.organizationId]))
}

/** Those of the given servers that the organization has. */
export async function serversAmong(
  db: Db,
  organizationId: string,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('servers')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('id', 'in', ids)
    .execute()
  return rows.map(({ id }) => id)
}

/** None if the server is gone. */
export async function labelsOf(
  trx: Transaction<Tables>,
  organizationId: string,
  serverId: string,
): Promise<Record<string, string>> {
  const server = await trx
    .selectFrom('servers')
    .select('labels')
    .where('organizationId', '=', organizationId)
    .where('id', '=', serverId)
    .executeTakeFirst()
  return server ? (JSON.parse(server.labels) as Record<string, string>) : {}
}
