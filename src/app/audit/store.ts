import { type RawBuilder, type Selectable, sql, type SqlBool, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import { locking } from '../../store/locks.ts'
import type { Tables } from '../../store/tables.ts'
import { BEGINNING } from './chain.ts'

/*
 * The one place that writes these tables: entries are added at one end of the chain, and go at the other.
 */

export type AuditRow = Selectable<Tables['auditEntries']>
export type ChainEnds = Omit<Selectable<Tables['auditChain']>, 'id'>

const ends = ['number', 'hash', 'goneNumber', 'goneHash'] as const

/** Both ends of the chain, which nobody else changes until the transaction ends: entries are added one after the other. */
export async function lockChain(store: Store, trx: Transaction<Tables>): Promise<ChainEnds> {
  for (;;) {
    const query = trx.selectFrom('auditChain').select(ends).where('id', '=', 1)
    const found = await locking(store, query).executeTakeFirst()
    if (found) return found
    await trx
      .insertInto('auditChain')
      .values({ id: 1, number: 0, hash: BEGINNING, goneNumber: 0, goneHash: BEGINNING })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute()
  }
}

/** Puts an entry at the end of the chain that `lockChain` has locked. */
export async function insertEntry(trx: Transaction<Tables>, row: AuditRow): Promise<void> {
  await trx.insertInto('auditEntries').values(row).execute()
  const { number, hash } = row
  await trx.updateTable('auditChain').set({ number, hash }).where('id', '=', 1).execute()
}

/** The ends, and the numbers of the entries that are there, all at one moment. */
export async function readEnds({
  db,
}: Store): Promise<{ chain: ChainEnds | undefined; last: number | null; first: number | null }> {
  const { last, first, ...chain } = await db
    .selectNoFrom((eb) => [
      eb
        .selectFrom('auditEntries')
        .select(({ fn }) => fn.max('number').as('last'))
        .as('last'),
      eb
        .selectFrom('auditEntries')
        .select(({ fn }) => fn.min('number').as('first'))
        .as('first'),
      eb.selectFrom('auditChain').select('number').where('id', '=', 1).as('number'),
      eb.selectFrom('auditChain').select('hash').where('id', '=', 1).as('hash'),
      eb.selectFrom('auditChain').select('goneNumber').where('id', '=', 1).as('goneNumber'),
      eb.selectFrom('auditChain').select('goneHash').where('id', '=', 1).as('goneHash'),
    ])
    .executeTakeFirstOrThrow()
  return { chain: chain.number === null ? undefined : (chain as ChainEnds), last, first }
}

/** The oldest first, behind the given one. */
export async function entriesBehind({ db }: Store, number: number, limit: number): Promise<AuditRow[]> {
  return await db
    .selectFrom('auditEntries')
    .selectAll()
    .where('number', '>', number)
    .orderBy('number')
    .limit(limit)
    .execute()
}

/** At most so many of those before the first one that is not older. */
export async function oldEntries(
  trx: Transaction<Tables>,
  before: number,
  limit: number,
): Promise<{ number: number; hash: string }[]> {
  const young = await trx
    .selectFrom('auditEntries')
    .select('number')
    .where('at', '>=', before)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst()
  let old = trx.selectFrom('auditEntries').select(['number', 'hash'])
  if (young) old = old.where('number', '<', young.number)
  return await old.orderBy('number').limit(limit).execute()
}

/** Takes the oldest entries off the chain that `lockChain` has locked, up to the given one. */
export async function deleteUpTo(
  trx: Transaction<Tables>,
  { number, hash }: { number: number; hash: string },
): Promise<void> {
  await trx.deleteFrom('auditEntries').where('number', '<=', number).execute()
  await trx
    .updateTable('auditChain')
    .set({ goneNumber: number, goneHash: hash })
    .where('id', '=', 1)
    .execute()
}

export interface EntryFilter {
  /** Absent: of all, and of the instance. */
  organizationIds?: readonly string[] | undefined
  action?: string | undefined
  actor?: string | undefined
  target?: string | undefined
  outcome?: string | undefined
  address?: string | undefined
  /** At that time or later. */
  from?: number | undefined
  /** Before. */
  to?: number | undefined
  search?: string | undefined
}

/** Entries that one page looks at, as far as no index finds them: SQLite's queries hold up the whole process. */
const LOOKED_AT = 3_000

/** The newest first. `next` is the number before which the next page begins; null behind the last one. */
export async function listEntries(
  { db }: Store,
  filter: EntryFilter,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<{ rows: AuditRow[]; next: number | null }> {
  const [organizationId, ...others] = filter.organizationIds ?? []
  let found = db.selectFrom('auditEntries').selectAll().orderBy('number', 'desc')
  // With several there is no order by number, and all of them would have to be read.
  if (organizationId !== undefined && others.length === 0) {
    found = found.where('organizationId', '=', organizationId)
  }
  if (before !== undefined) found = found.where('number', '<', before)
  const conditions = conditionsOf(filter)
  if (conditions.length === 0) {
    const rows = await found.limit(limit + 1).execute()
    return pieceOf(rows, limit, null)
  }
  const rows = await db
    .selectFrom(found.limit(LOOKED_AT).as('auditEntries'))
    .selectAll()
    .where((eb) => eb.and(conditions))
    .orderBy('number', 'desc')
    .limit(limit + 1)
    .execute()
  const end = await found
    .clearSelect()
    .select('number')
    .offset(LOOKED_AT - 1)
    .limit(1)
    .executeTakeFirst()
  return pieceOf(rows, limit, end?.number ?? null)
}

function pieceOf(rows: AuditRow[], limit: number, end: number | null) {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { rows: rows.slice(0, limit), next: last ? last.number : end }
}

/** What each entry must be looked at for. */
function conditionsOf({ organizationIds = [], from, to, ...filter }: EntryFilter) {
  const { action, actor, target, outcome, address, search } = filter
  const conditions: RawBuilder<SqlBool>[] = []
  if (organizationIds.length > 1) conditions.push(sql`organization_id in (${sql.join(organizationIds)})`)
  if (from !== undefined) conditions.push(sql`at >= ${from}`)
  if (to !== undefined) conditions.push(sql`at < ${to}`)
  if (action !== undefined) conditions.push(sql`action like ${`${escaped(action)}%`} escape '\\'`)
  if (actor !== undefined) conditions.push(sql`(actor_id = ${actor} or ${contains('actor', actor)})`)
  if (target !== undefined) conditions.push(sql`(target_id = ${target} or ${contains('target', target)})`)
  if (outcome === 'failed') conditions.push(sql`outcome <> 'succeeded'`)
  else if (outcome !== undefined) conditions.push(sql`outcome = ${outcome}`)
  if (address !== undefined) conditions.push(sql`address = ${address}`)
  if (search !== undefined) {
    const columns = ['action', 'outcome', 'address', 'actor', 'target', 'details']
    conditions.push(
      sql`(${sql.join(
        columns.map((column) => contains(column, search)),
        sql` or `,
      )})`,
    )
  }
  return conditions
}

/** Whatever the case of its letters; in SQLite of those from a to z. JSON is searched as it is written. */
function contains(column: string, text: string) {
  const pattern = `%${escaped(JSON.stringify(text).slice(1, -1))}%`
  return sql<SqlBool>`lower(cast(${sql.ref(column)} as text)) like lower(${pattern}) escape '\\'`
}

function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`)
}
