import { sql } from 'kysely'
import type { Store } from './database.ts'

/**
 * Takes what only one process may do at a time, or holds it for longer, for so many milliseconds. False if another one
 * holds it.
 */
export async function takeLease(
  store: Store,
  name: string,
  holder: string,
  milliseconds: number,
): Promise<boolean> {
  const heldUntil = sql<number>`${store.now} + ${sql.lit(milliseconds)}`
  const taken = await store.db
    .insertInto('leases')
    .values({ name, holder, heldUntil })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, heldUntil })
        .where((eb) => eb.or([eb('leases.holder', '=', holder), eb('leases.heldUntil', '<', store.now)])),
    )
    .returning('holder')
    .executeTakeFirst()
  return taken !== undefined
}

/** Who holds it; undefined if nobody does, or not any more. */
export async function leaseHolder(store: Store, name: string): Promise<string | undefined> {
  const lease = await store.db
    .selectFrom('leases')
    .select('holder')
    .where('name', '=', name)
    .where('heldUntil', '>=', store.now)
    .executeTakeFirst()
  return lease?.holder
}

/** Gives it back, so that the next one need not wait. Nothing happens if another one holds it. */
export async function releaseLease(store: Store, name: string, holder: string): Promise<void> {
  await store.db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute()
}
