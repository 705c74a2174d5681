import type { Kysely } from 'kysely'
import type { Store } from '../store/database.ts'
import type { Tables } from '../store/tables.ts'

/** The time of the store's clock, in milliseconds since 1970: the only one that all nodes share. */
export async function nowOf(store: Store, db: Kysely<Tables> = store.db): Promise<number> {
  const { now } = await db.selectNoFrom(store.now.as('now')).executeTakeFirstOrThrow()
  return now
}
