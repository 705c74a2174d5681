import { type Kysely, sql } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import type { Limit } from './limits.ts'

/** How often doubling can matter: no number grows out of bounds. */
const MOST = 60

/** Counts one try. If none may be made yet, nothing is counted, and the end of that, in milliseconds since 1970, is returned. */
export async function countTry(
  store: Store,
  trx: Kysely<Tables>,
  key: string,
  { free, window, wait, longest, memory }: Limit,
): Promise<number | undefined> {
  const { now } = store
  const counted = await trx
    .insertInto('signInFailures')
    .values({ key, count: 1, lastAt: now, blockedUntil: 0 })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet((eb) => {
          const [counted, lastAt] = [eb.ref('signInFailures.count'), eb.ref('signInFailures.lastAt')]
          const kept = sql`(case when ${counted} < ${number(free)} then ${number(window)} else ${number(memory)} end)`
          const before = sql<number>`(case when ${lastAt} < ${now} - ${kept} then 0 else ${counted} end)`
          const count = sql<number>`(case when ${before} < ${number(free + MOST)} then ${before} + 1 else ${before} end)`
          // 1, 2, 4 … times: there is no power in SQLite.
          const doublings = Math.max(1, Math.ceil(Math.log2(longest / wait)))
          const waits = Array.from(
            { length: doublings },
            (_, n) => sql`when ${count} = ${number(free + n)} then ${number(wait * 2 ** n)}`,
          )
          const waiting = sql<number>`${now} + (case ${sql.join(waits, sql` `)} else ${number(longest)} end)`
          const blockedUntil = sql<number>`(case when ${count} < ${number(free)} then 0 else ${waiting} end)`
          return { count, lastAt: now, blockedUntil }
        })
        .where('signInFailures.blockedUntil', '<=', now),
    )
    .returning('key')
    .executeTakeFirst()
  if (counted) return undefined
  const { blockedUntil } = await trx
    .selectFrom('signInFailures')
    .select('blockedUntil')
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return blockedUntil
}

/** Of ours, and none of a request: PostgreSQL takes parameters behind `then` for text. */
function number(value: number) {
  return sql.lit(value)
}

export async function deleteTries(trx: Kysely<Tables>, key: string): Promise<void> {
  await trx.deleteFrom('signInFailures').where('key', '=', key).execute()
}

/** A try was none, and makes nobody wait. */
export async function takeBackTry(trx: Kysely<Tables>, key: string): Promise<void> {
  await trx
    .updateTable('signInFailures')
    .set((eb) => ({ count: eb('count', '-', 1), blockedUntil: 0 }))
    .where('key', '=', key)
    .where('count', '>', 0)
    .execute()
}

/** Whether the account has a session from there. */
export async function isKnownAddress(
  { db }: Pick<Store, 'db'>,
  email: string,
  address: string,
): Promise<boolean> {
  const found = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.userId')
    .select('sessions.id')
    .where('users.email', '=', email)
    .where('sessions.ipAddress', '=', address)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** Longer than any limit remembers, or makes wait. */
const KEPT = 86_400_000

/** Those that count for nothing any more. */
export async function deleteOldTries({ db, now }: Store): Promise<void> {
  await db
    .deleteFrom('signInFailures')
    .where((eb) => eb('lastAt', '<', eb(now, '-', KEPT)))
    .where('blockedUntil', '<', now)
    .execute()
}
