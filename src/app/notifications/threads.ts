import { sql, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

/*
 * What goes on: a database whose backups fail, a volume that cannot be reached. Whoever has heard of it hears no more than
 * each n-th time, and the end.
 */

export interface Thread {
  key: string
  /** How often it was noted. */
  count: number
  firstAt: number
  lastAt: number
  /** Ids of the channels that have heard of it. */
  told: string[]
}

const columns = ['key', 'count', 'firstAt', 'lastAt', 'told'] as const
/** What was not noted for so long is over, though nobody said so: longer than a month, which plans may take. */
const FORGOTTEN_AFTER = 45 * 86_400_000
/** As many parameters as every store takes. */
const KEYS_AT_ONCE = 500

/** Notices that have the same are of one story. */
export function threadIdOf({ key, firstAt }: Thread): string {
  return `${key}@${firstAt}`
}

/** Counts once more, or begins to. Whoever does so at the same time waits, and gets the next number. */
export async function countThread(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  key: string,
): Promise<Thread> {
  await trx
    .deleteFrom('notificationThreads')
    .where('organizationId', '=', organizationId)
    .where('key', '=', key)
    .where('lastAt', '<', sql<number>`${store.now} - ${sql.lit(FORGOTTEN_AFTER)}`)
    .execute()
  const row = await trx
    .insertInto('notificationThreads')
    .values({ organizationId, key, count: 1, firstAt: store.now, lastAt: store.now, told: '[]' })
    .onConflict((conflict) =>
      conflict
        .columns(['organizationId', 'key'])
        .doUpdateSet({ count: sql<number>`notification_threads.count + 1`, lastAt: store.now }),
    )
    .returning(columns)
    .executeTakeFirstOrThrow()
  return read(row)
}

/** Returns what went on until now: to one caller only. */
export async function endThread(
  trx: Transaction<Tables>,
  organizationId: string,
  key: string,
): Promise<Thread | undefined> {
  const row = await trx
    .deleteFrom('notificationThreads')
    .where('organizationId', '=', organizationId)
    .where('key', '=', key)
    .returning(columns)
    .executeTakeFirst()
  return row && read(row)
}

/** What went on is over, and nobody need hear of that. */
export async function forgetThreads(
  trx: Transaction<Tables>,
  organizationId: string,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) await endThread(trx, organizationId, key)
}

/** What goes on under these keys, the longest first. */
export async function threadsAmong(
  db: Store['db'] | Transaction<Tables>,
  organizationId: string,
  keys: readonly string[],
): Promise<Thread[]> {
  const found: Thread[] = []
  for (let i = 0; i < keys.length; i += KEYS_AT_ONCE) {
    const rows = await db
      .selectFrom('notificationThreads')
      .select(columns)
      .where('organizationId', '=', organizationId)
      .where('key', 'in', keys.slice(i, i + KEYS_AT_ONCE))
      .execute()
    found.push(...rows.map(read))
  }
  return found.sort((a, b) => a.firstAt - b.firstAt || (a.key < b.key ? -1 : 1))
}

/** All that goes on under keys which begin so, and when it was noted last, in milliseconds since 1970. */
export async function threadsUnder(
  { db }: Store,
  organizationId: string,
  prefix: string,
): Promise<{ key: string; lastAt: number }[]> {
  return await db
    .selectFrom('notificationThreads')
    .select(['key', 'lastAt'])
    .where('organizationId', '=', organizationId)
    .where(sql<boolean>`substr(key, 1, ${sql.lit(prefix.length)}) = ${prefix}`)
    .execute()
}

/** These channels, and no others, have heard of it. */
export async function saveTold(
  trx: Transaction<Tables>,
  organizationId: string,
  { key, firstAt }: Pick<Thread, 'key' | 'firstAt'>,
  told: readonly string[],
): Promise<void> {
  await trx
    .updateTable('notificationThreads')
    .set({ told: JSON.stringify(told) })
    .where('organizationId', '=', organizationId)
    .where('key', '=', key)
    .where('firstAt', '=', firstAt)
    .execute()
}

/** A notice of the story with this id did not reach the channel: it is told of the next one. */
export async function forgetTold(
  trx: Transaction<Tables>,
  organizationId: string,
  threadId: string,
  channelId: string,
): Promise<void> {
  const at = threadId.lastIndexOf('@')
  const [thread] = await threadsAmong(trx, organizationId, [threadId.slice(0, at)])
  if (!thread || threadIdOf(thread) !== threadId) return
  const told = thread.told.filter((id) => id !== channelId)
  await saveTold(trx, organizationId, thread, told)
}

/** Forgets what was not noted since then: whatever it was about is gone. */
export async function forgetIdleThreads(
  { db }: Store,
  organizationId: string,
  before: number,
): Promise<void> {
  await db
    .deleteFrom('notificationThreads')
    .where('organizationId', '=', organizationId)
    .where('lastAt', '<', before)
    .execute()
}

function read({ told, ...thread }: Omit<Thread, 'told'> & { told: string }): Thread {
  return { ...thread, told: JSON.parse(told) as string[] }
}
