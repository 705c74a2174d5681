import type { Selectable, Transaction } from 'kysely'
import type { HookAround, HookMoment } from '../../shared/hooks.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type HookRow = Omit<Selectable<Tables['hooks']>, 'organizationId'>
type Db = Store['db'] | Transaction<Tables>

const columns = [
  'id',
  'planId',
  'name',
  'around',
  'moment',
  'kind',
  'settings',
  'onFailure',
  'timeoutSeconds',
  'isEnabled',
  'position',
  'revision',
  'createdAt',
  'updatedAt',
] as const

export interface HookFilter {
  planId?: string | undefined
  around?: HookAround | undefined
  kind?: string | undefined
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function listHooks(
  { db }: Store,
  organizationId: string,
  { after, limit, ...filter }: HookFilter & { after: Place | undefined; limit: number },
): Promise<HookRow[]> {
  let query = db.selectFrom('hooks').select(columns).where('organizationId', '=', organizationId)
  for (const column of ['planId', 'around', 'kind'] as const) {
    const value = filter[column]
    if (value !== undefined) query = query.where(column, '=', value)
  }
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

export async function findHook(db: Db, organizationId: string, id: string): Promise<HookRow | undefined> {
  return await db
    .selectFrom('hooks')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Those that are enabled, of the organization and of the plan, in the order in which they run. */
export async function hooksToRun(
  db: Db,
  organizationId: string,
  { around, planId, moments }: { around: HookAround; planId: string | null; moments: readonly HookMoment[] },
): Promise<HookRow[]> {
  return await db
    .selectFrom('hooks')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('around', '=', around)
    .where('moment', 'in', moments)
    .where('isEnabled', '=', 1)
    .where((eb) => eb.or([eb('planId', 'is', null), ...(planId === null ? [] : [eb('planId', '=', planId)])]))
    .orderBy('position')
    .orderBy('name')
    .orderBy('id')
    .execute()
}

type Values = Pick<
  HookRow,
  'name' | 'moment' | 'settings' | 'onFailure' | 'timeoutSeconds' | 'isEnabled' | 'position'
>

export async function insertHook(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  hook: Values & Pick<HookRow, 'id' | 'planId' | 'around' | 'kind'>,
): Promise<HookRow> {
  return await trx
    .insertInto('hooks')
    .values({ ...hook, organizationId, revision: 1, createdAt: store.now, updatedAt: store.now })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Undefined if it has another revision by now, or is gone. */
export async function updateHook(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<HookRow, 'id' | 'revision'>,
  values: Values,
): Promise<HookRow | undefined> {
  return await trx
    .updateTable('hooks')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning(columns)
    .executeTakeFirst()
}

/** False if there is none. */
export async function deleteHook({ db }: Store, organizationId: string, id: string): Promise<boolean> {
  const deleted = await db
    .deleteFrom('hooks')
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** What hooks have to know of a job that has failed. */
export async function findFailedJob(trx: Transaction<Tables>, id: string) {
  return await trx
    .selectFrom('jobs')
    .select(['planId', 'serverId', 'database', 'label', 'recordedState', 'result'])
    .where('id', '=', id)
    .executeTakeFirst()
}
