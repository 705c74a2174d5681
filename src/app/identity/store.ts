import type { Selectable, Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type TokenRow = Omit<Selectable<Tables['tokens']>, 'organizationId' | 'hash'>

const columns = ['id', 'name', 'createdAt', 'lastUsedAt'] as const
const MINUTE = 60_000

export async function countOrganizations(trx: Transaction<Tables>): Promise<number> {
  const { count } = await trx
    .selectFrom('organizations')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** The oldest first. */
export async function listOrganizations({ db }: Store): Promise<{ id: string; name: string }[]> {
  return await db.selectFrom('organizations').select(['id', 'name']).orderBy('id').execute()
}

export async function insertOrganization(
  store: Store,
  trx: Transaction<Tables>,
  name: string,
): Promise<string> {
  const id = uuidv7()
  await trx.insertInto('organizations').values({ id, name, createdAt: store.now }).execute()
  return id
}

export async function insertToken(
  store: Store,
  db: Store['db'] | Transaction<Tables>,
  token: { organizationId: string; name: string; hash: string },
): Promise<TokenRow> {
  return await db
    .insertInto('tokens')
    .values({ id: uuidv7(), ...token, createdAt: store.now })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function findToken(
  db: Store['db'] | Transaction<Tables>,
  hash: string,
): Promise<{ id: string; organizationId: string; name: string } | undefined> {
  return await db
    .selectFrom('tokens')
    .select(['id', 'organizationId', 'name'])
    .where('hash', '=', hash)
    .executeTakeFirst()
}

export async function findTokenById(
  { db }: Store,
  organizationId: string,
  id: string,
): Promise<TokenRow | undefined> {
  return await db
    .selectFrom('tokens')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** By name, then id, behind the given place; one more than `limit`. */
export async function listTokens(
  { db }: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<TokenRow[]> {
  let query = db.selectFrom('tokens').select(columns).where('organizationId', '=', organizationId)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

/** At most once a minute, so that reading writes little. */
export async function noteTokenUse(store: Store, id: string): Promise<void> {
  await store.db
    .updateTable('tokens')
    .set({ lastUsedAt: store.now })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('lastUsedAt', 'is', null), eb('lastUsedAt', '<', eb(store.now, '-', MINUTE))]))
    .execute()
}

export async function deleteToken(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<boolean> {
  const deleted = await trx
    .deleteFrom('tokens')
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** Returns their ids. */
export async function deleteTokensNamed(
  trx: Transaction<Tables>,
  organizationId: string,
  name: string,
): Promise<string[]> {
  const deleted = await trx
    .deleteFrom('tokens')
    .where('organizationId', '=', organizationId)
    .where('name', '=', name)
    .returning('id')
    .execute()
  return deleted.map(({ id }) => id)
}
