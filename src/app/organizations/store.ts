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
