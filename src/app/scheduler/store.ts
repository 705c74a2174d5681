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

export async function organizations({ db }: Store): Promise<string[]> {
  const rows = await db.selectFrom('organizations').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

/** All volumes: also what is only read is looked at. */
export async function volumesOf(trx: Transaction<Tables>, organizationId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('volumes')
    .select('id')
    .where('organizationId', '=', organizationId)
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}
