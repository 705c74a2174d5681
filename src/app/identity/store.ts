import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

export async function countOrganizations(trx: Transaction<Tables>): Promise<number> {
  const { count } = await trx
    .selectFrom('organizations')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
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
  trx: Transaction<Tables>,
  token: { organizationId: string; name: string; hash: string },
): Promise<void> {
  await trx
    .insertInto('tokens')
    .values({ id: uuidv7(), ...token, createdAt: store.now })
    .execute()
}

export async function findToken(
  store: Store,
  hash: string,
): Promise<{ id: string; organizationId: string; name: string } | undefined> {
  return await store.db
    .selectFrom('tokens')
    .select(['id', 'organizationId', 'name'])
    .where('hash', '=', hash)
    .executeTakeFirst()
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

const MINUTE = 60_000
