import { type SqlBool, sql } from 'kysely'
import type { Store } from '../../store/database.ts'

/** Where JSON with secrets is kept. */
export interface SealedPlace {
  table:
    | 'servers'
    | 'volumes'
    | 'encryptionKeys'
    | 'jobs'
    | 'channels'
    | 'hooks'
    | 'appBackupRegistrations'
    | 'instanceSettings'
    | 'identitySecret'
    | 'identityProviders'
  column: string
}

/** The beginning of every sealed secret. */
const MARK = 'hf1.'

/** The id of the key that seals the store: this one, if it has none yet. */
export async function firstKey(store: Store, keyId: string): Promise<string> {
  await store.db
    .insertInto('appKey')
    .values({ id: 1, keyId, since: store.now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const row = await store.db.selectFrom('appKey').select('keyId').executeTakeFirstOrThrow()
  return row.keyId
}

/** Nothing happens if the former key is no more the one that seals the store. */
export async function followKey(store: Store, former: string, keyId: string): Promise<void> {
  await store.db.updateTable('appKey').set({ keyId, since: store.now }).where('keyId', '=', former).execute()
}

/** Whatever the former key was. */
export async function replaceKey(store: Store, keyId: string): Promise<void> {
  await store.db
    .insertInto('appKey')
    .values({ id: 1, keyId, since: store.now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ keyId, since: store.now }))
    .execute()
}

/** The rows in which anything is sealed with another key than this one. */
export async function sealedWithOthers(
  { db }: Store,
  { table, column }: SealedPlace,
  keyId: string,
): Promise<string[]> {
  let query = db
    .selectFrom(table)
    .select('id')
    .where(sql<SqlBool>`replace(${asText(column)}, ${`${MARK}${keyId}.`}, '') like ${`%${MARK}%`}`)
  // A job that is over is never opened again.
  if (table === 'jobs') query = query.where(sql<SqlBool>`state in ('queued', 'running')`)
  const rows = await query.execute()
  return rows.map(({ id }) => id)
}

/** JSON; undefined if the row is gone. */
export async function readSealed(
  { db }: Store,
  { table, column }: SealedPlace,
  id: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom(table)
    .select(asText(column).as('stored'))
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.stored
}

/** False, and nothing has happened, if it is not any more what it was. */
export async function replaceSealed(
  { db }: Store,
  { table, column }: SealedPlace,
  id: string,
  { before, after }: { before: string; after: string },
): Promise<boolean> {
  const updated = await db
    .updateTable(table)
    .set({ [column]: after })
    .where('id', '=', id)
    .where(sql<SqlBool>`${asText(column)} = ${before}`)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined
}

/** A request that is kept with its answer. */
export interface SealedAnswer {
  tokenId: string
  key: string
  request: string
  /** Null if there is none, or none yet. */
  body: string | null
}

/** Those that are sealed with another key than this one. */
export async function answersSealedWithOthers({ db }: Store, keyId: string): Promise<SealedAnswer[]> {
  const ours = `${MARK}${keyId}.%`
  return await db
    .selectFrom('idempotencyKeys')
    .select(['tokenId', 'key', 'request', 'body'])
    .where((eb) => eb.or([eb('request', 'not like', ours), eb('body', 'not like', ours)]))
    .execute()
}

/** Nothing happens if it is not any more what it was. */
export async function replaceAnswer(
  { db }: Store,
  { tokenId, key }: SealedAnswer,
  part: 'request' | 'body',
  { before, after }: { before: string; after: string },
): Promise<void> {
  await db
    .updateTable('idempotencyKeys')
    .set({ [part]: after })
    .where('tokenId', '=', tokenId)
    .where('key', '=', key)
    .where(part, '=', before)
    .execute()
}

function asText(column: string) {
  return sql<string>`cast(${sql.ref(column)} as text)`
}
