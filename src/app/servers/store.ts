import type { Selectable, Transaction } from 'kysely'
import { isBehind, type Place } from '../pages.ts'
import type { Store } from '../../store/database.ts'
import { unscoped } from '../../store/scope.ts'
import type { Tables } from '../../store/tables.ts'

export type ServerRow = Omit<Selectable<Tables['servers']>, 'organizationId'>

const columns = [
  'id',
  'name',
  'engine',
  'connection',
  'labels',
  'isProduction',
  'isProtected',
  'maxRunning',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listServers(
  store: Store,
  organizationId: string,
  { after, limit, engine }: { after: Place | undefined; limit: number; engine?: string },
): Promise<ServerRow[]> {
  let query = store.db.selectFrom('servers').select(columns).where('organizationId', '=', organizationId)
  if (engine !== undefined) query = query.where('engine', '=', engine)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

export async function findServer(
  db: Store['db'] | Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<ServerRow | undefined> {
  return await db
    .selectFrom('servers')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

type Values = Pick<
  ServerRow,
  'name' | 'connection' | 'labels' | 'isProduction' | 'isProtected' | 'maxRunning'
>

export async function insertServer(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  server: Values & Pick<ServerRow, 'id' | 'engine'>,
): Promise<ServerRow> {
  return await trx
    .insertInto('servers')
    .values({ ...server, organizationId, revision: 1, createdAt: store.now, updatedAt: store.now })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Undefined if it has another revision by now, or is gone. */
export async function updateServer(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<ServerRow, 'id' | 'revision'>,
  values: Values,
): Promise<ServerRow | undefined> {
  return await trx
    .updateTable('servers')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning(columns)
    .executeTakeFirst()
}

export async function deleteServer(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<void> {
  await trx.deleteFrom('servers').where('organizationId', '=', organizationId).where('id', '=', id).execute()
}

/** The names of the plans, and the scheduled restores, that are about it. */
export async function usersOf(scopedTrx: Transaction<Tables>, id: string) {
  // A scheduled restore may be about another server, too, which the caller does not see.
  const trx = unscoped(scopedTrx)
  const plans = await trx
    .selectFrom('plans')
    .select('name')
    .where('serverId', '=', id)
    .orderBy('name')
    .execute()
  const scheduledRestores = await trx
    .selectFrom('scheduledRestores')
    .select('name')
    .where((eb) => eb.or([eb('sourceServerId', '=', id), eb('targetServerId', '=', id)]))
    .orderBy('name')
    .execute()
  return {
    plans: plans.map(({ name }) => name),
    scheduledRestores: scheduledRestores.map(({ name }) => name),
  }
}
