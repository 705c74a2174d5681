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

/** By id: the oldest first. */
export async function serversOfEngine(
  { db }: Store,
  organizationId: string,
  engine: string,
): Promise<ServerRow[]> {
  return await db
    .selectFrom('servers')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('engine', '=', engine)
    .orderBy('id')
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

/** The names of the plans, and the scheduled restores, that are about it; and how many of these are not seen. */
export async function usersOf(trx: Transaction<Tables>, id: string) {
  const plans = await trx
    .selectFrom('plans')
    .select('name')
    .where('serverId', '=', id)
    .orderBy('name')
    .execute()
  const restoresIn = (all: Transaction<Tables>) =>
    all
      .selectFrom('scheduledRestores')
      .where((eb) => eb.or([eb('sourceServerId', '=', id), eb('targetServerId', '=', id)]))
  const scheduledRestores = await restoresIn(trx).select('name').orderBy('name').execute()
  // One may be about another server, too, which the caller does not see.
  const { count } = await restoresIn(unscoped(trx))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return {
    plans: plans.map(({ name }) => name),
    scheduledRestores: scheduledRestores.map(({ name }) => name),
    unseenRestores: count - scheduledRestores.length,
  }
}
