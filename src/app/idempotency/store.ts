import { type SqlBool, sql, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

type Db = Store['db'] | Transaction<Tables>

const KEPT_FOR = 24 * 3_600_000
/** Longer than it takes to answer, or to start the job that is waited for. */
const RESERVED_FOR = 5 * 60_000

/** Whose request it is, and its key. */
export interface RequestPlace {
  tokenId: string
  key: string
}

/** A request that may be sent again: the first of its key that is done. */
export interface Reservation extends RequestPlace {
  /** The fence: whoever reserved it later has another time. */
  createdAt: number
}

/** What is known of the request that has the key. */
export interface KnownRequest {
  /** Sealed: what tells it from others. */
  request: string
  createdAt: number
  /** The job that it has started. */
  jobId: string | null
  /** Null while it is being answered. */
  status: number | null
  headers: string | null
  /** Sealed. */
  body: string | null
}

const columns = ['request', 'createdAt', 'jobId', 'status', 'headers', 'body'] as const

/** Reserves the key, unless there is a request that has it. */
export async function reserve(
  store: Store,
  { tokenId, key }: RequestPlace,
  request: string,
): Promise<{ isFirst: boolean; known: KnownRequest }> {
  for (;;) {
    const reserved = await store.db
      .insertInto('idempotencyKeys')
      .values({ tokenId, key, request, createdAt: store.now })
      .onConflict((conflict) => conflict.columns(['tokenId', 'key']).doNothing())
      .returning(columns)
      .executeTakeFirst()
    if (reserved) return { isFirst: true, known: reserved }
    const over = await store.db
      .deleteFrom('idempotencyKeys')
      .where('tokenId', '=', tokenId)
      .where('key', '=', key)
      .where((eb) =>
        eb.or([
          eb('createdAt', '<', before(store, KEPT_FOR)),
          eb.and([
            eb('status', 'is', null),
            eb('jobId', 'is', null),
            eb('createdAt', '<', before(store, RESERVED_FOR)),
          ]),
        ]),
      )
      .returning('key')
      .executeTakeFirst()
    if (over) continue
    const known = await store.db
      .selectFrom('idempotencyKeys')
      .select(columns)
      .where('tokenId', '=', tokenId)
      .where('key', '=', key)
      .executeTakeFirst()
    if (known) return { isFirst: false, known }
    // It was freed in between.
  }
}

/** False if it took so long that another one has reserved the key. */
export async function setJob(
  trx: Transaction<Tables>,
  reservation: Reservation,
  jobId: string,
): Promise<boolean> {
  const changed = await trx
    .updateTable('idempotencyKeys')
    .set({ jobId })
    .where(isOurs(reservation))
    .returning('key')
    .executeTakeFirst()
  return changed !== undefined
}

export async function setAnswer(
  { db }: Store,
  reservation: Reservation,
  answer: { status: number; headers: string; body: string | null },
): Promise<void> {
  await db.updateTable('idempotencyKeys').set(answer).where(isOurs(reservation)).execute()
}

/** Whoever sends it again is the first one, unless it has started a job. */
export async function free({ db }: Store, reservation: Reservation): Promise<void> {
  await db.deleteFrom('idempotencyKeys').where(isOurs(reservation)).where('jobId', 'is', null).execute()
}

/** False for all if it took so long that another one has reserved the key. */
function isOurs({ tokenId, key, createdAt }: Reservation) {
  return sql<SqlBool>`token_id = ${tokenId} and key = ${key} and created_at = ${createdAt} and status is null`
}

/** Forgets what a token has sent: when it goes, nobody can ask again. */
export async function forgetAnswers(db: Db, tokenId: string): Promise<void> {
  await db.deleteFrom('idempotencyKeys').where('tokenId', '=', tokenId).execute()
}

/** Forgets what counts no more. */
export async function forgetOldAnswers(store: Store): Promise<void> {
  await store.db.deleteFrom('idempotencyKeys').where('createdAt', '<', before(store, KEPT_FOR)).execute()
}

function before(store: Store, milliseconds: number) {
  return sql<number>`${store.now} - ${sql.lit(milliseconds)}`
}
