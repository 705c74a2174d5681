import type { Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

/** True if this due time is ours: nobody has added its row before. */
export async function claimFiring(
  store: Store,
  trx: Transaction<Tables>,
  schedule: string,
  fireAt: number,
): Promise<boolean> {
  const added = await trx
    .insertInto('firings')
    .values({ schedule, fireAt, firedAt: store.now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('fireAt')
    .executeTakeFirst()
  return added !== undefined
}

/** Forgets what was fired before its time, because the clock was wrong: else it would count as done when its time comes. */
export async function forgetAhead(
  trx: Store['db'] | Transaction<Tables>,
  schedule: string,
  now: number,
): Promise<void> {
  await trx.deleteFrom('firings').where('schedule', '=', schedule).where('fireAt', '>', now).execute()
}

/** The latest due time that has been fired, in milliseconds since 1970. */
export async function lastFiring({ db }: Store, schedule: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('firings')
    .select('fireAt')
    .where('schedule', '=', schedule)
    .orderBy('fireAt', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.fireAt
}
