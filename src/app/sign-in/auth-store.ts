import { AsyncLocalStorage } from 'node:async_hooks'
import type { DBAdapter } from 'better-auth'
import { type CleanedWhere, createAdapterFactory, type CustomAdapter } from 'better-auth/adapters'
import { type Expression, type Kysely, type RawBuilder, sql, type SqlBool, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { holdProof, isProven, makeRoomForSession } from './credentials.ts'

/*
 * better-auth keeps what it knows in the app’s own tables: times are milliseconds there, and truth is 0 or 1. What it does
 * within a transaction, whoever does it, goes through that transaction: there is one connection to a SQLite file, and
 * whoever asked for another one meanwhile would wait for itself.
 */

type AdapterFactory = ReturnType<typeof createAdapterFactory>
type Where = readonly CleanedWhere[]
type Row = Record<string, unknown>
/** The tables that better-auth is given all have this much. */
type AnyTable = 'users'

const transactions = new AsyncLocalStorage<Transaction<Tables>>()

/** Where what is done for better-auth reads and writes now: within its transaction, if it is in one. */
export function currentDb(store: Store): Kysely<Tables> {
  return transactions.getStore() ?? store.db
}

/** The store as better-auth wants it. */
export function authStore(store: Store): AdapterFactory {
  return (options) => {
    const adapter: DBAdapter = createAdapterFactory({
      config: {
        adapterId: 'holdfast',
        usePlural: true,
        supportsNumericIds: false,
        supportsBooleans: false,
        supportsDates: true, // they are turned into numbers below
        customTransformInput: ({ data }) => stored(data),
        customTransformOutput: ({ data, fieldAttributes }) =>
          fieldAttributes.type === 'date' && typeof data === 'number' ? new Date(data) : data,
        transaction: async (work) => {
          if (transactions.getStore()) return await work(adapter)
          return await store.db
            .transaction()
            .execute((trx) => transactions.run(trx, async () => await work(adapter)))
        },
      },
      adapter: () => tablesOf(store),
    })(options)
    return adapter
  }
}

async function withinTransaction<T>(
  store: Store,
  work: (trx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  const current = transactions.getStore()
  return current ? await work(current) : await store.db.transaction().execute(work)
}

function tablesOf(store: Store): CustomAdapter {
  const db = () => currentDb(store)
  const first = (model: string, where: Where) =>
    db()
      .selectFrom(model as AnyTable)
      .select('id')
      .where(allOf(where))
      .limit(1)
  return {
    async create({ model, data }) {
      const insert = async (into: Kysely<Tables>) =>
        await into
          .insertInto(model as AnyTable)
          .values(data as never)
          .returningAll()
          .executeTakeFirstOrThrow()
      const { userId, value } = data as Row
      // A session, or the first half of a sign-in.
      const proven = model === 'sessions' ? userId : isProven(value) ? value : undefined
      if (typeof proven !== 'string') return (await insert(db())) as never
      const row = await withinTransaction(store, async (trx) => {
        await holdProof(trx, proven)
        if (model === 'sessions') await makeRoomForSession(trx, proven)
        return await insert(trx)
      })
      return row as never
    },
    async findOne({ model, where }) {
      const row = await db()
        .selectFrom(model as AnyTable)
        .selectAll()
        .where(allOf(where))
        .limit(1)
        .executeTakeFirst()
      return (row ?? null) as never
    },
    async findMany({ model, where = [], limit, offset, sortBy }) {
      let query = db()
        .selectFrom(model as AnyTable)
        .selectAll()
        .where(allOf(where))
        .limit(limit)
      if (sortBy) query = query.orderBy(sql.ref(sortBy.field), sortBy.direction)
      if (offset) query = query.offset(offset)
      return (await query.execute()) as never
    },
    async count({ model, where = [] }) {
      const { count } = await db()
        .selectFrom(model as AnyTable)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where(allOf(where))
        .executeTakeFirstOrThrow()
      return count
    },
    async update({ model, where, update }) {
      const row = await db()
        .updateTable(model as AnyTable)
        .set(update as Row)
        .where('id', 'in', first(model, where))
        .returningAll()
        .executeTakeFirst()
      return (row ?? null) as never
    },
    async updateMany({ model, where, update }) {
      const { numUpdatedRows } = await db()
        .updateTable(model as AnyTable)
        .set(update)
        .where(allOf(where))
        .executeTakeFirst()
      return Number(numUpdatedRows)
    },
    async delete({ model, where }) {
      await db()
        .deleteFrom(model as AnyTable)
        .where(allOf(where))
        .execute()
    },
    async deleteMany({ model, where }) {
      const { numDeletedRows } = await db()
        .deleteFrom(model as AnyTable)
        .where(allOf(where))
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
    // The condition is asked again of the row itself: of all who come at once, one gets it.
    async consumeOne({ model, where }) {
      const row = await db()
        .deleteFrom(model as AnyTable)
        .where('id', 'in', first(model, where))
        .where(allOf(where))
        .returningAll()
        .executeTakeFirst()
      return (row ?? null) as never
    },
    async incrementOne({ model, where, increment, set = {} }) {
      const sums = Object.entries(increment).map(
        ([field, by]) => [field, sql`${sql.ref(field)} + ${by}`] as const,
      )
      const changes = { ...set, ...Object.fromEntries(sums) }
      if (Object.keys(changes).length === 0) return null
      const row = await db()
        .updateTable(model as AnyTable)
        .set(changes)
        .where('id', 'in', first(model, where))
        .where(allOf(where))
        .returningAll()
        .executeTakeFirst()
      return (row ?? null) as never
    },
  }
}

function stored(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  return Array.isArray(value) ? value.map(stored) : value
}

/** All that are joined by “and”, and one of those that are joined by “or”. */
function allOf(where: Where): RawBuilder<SqlBool> {
  const of = (connector: 'AND' | 'OR') => where.filter((each) => each.connector === connector).map(condition)
  const [and, or] = [of('AND'), of('OR')]
  const parts = or.length > 0 ? [...and, sql<SqlBool>`(${sql.join(or, sql` or `)})`] : and
  return parts.length > 0 ? sql<SqlBool>`(${sql.join(parts, sql` and `)})` : sql<SqlBool>`1 = 1`
}

function condition({ field, value, operator, mode }: CleanedWhere): RawBuilder<SqlBool> {
  const isText = (one: unknown) => typeof one === 'string'
  const ignoresCase = mode === 'insensitive' && [value].flat().every(isText)
  const folded = (expression: Expression<unknown>) =>
    ignoresCase ? sql<string>`lower(${expression})` : expression
  const given = (one: unknown) => {
    if (!isText(one)) return sql`${one}`
    return folded(sql<string>`cast(${one} as text)`)
  }
  const column = folded(sql.ref(field))
  if (operator === 'in' || operator === 'not_in') {
    const values = [value].flat()
    if (values.length === 0) return operator === 'in' ? sql`1 = 0` : sql`1 = 1`
    const list = sql.join(values.map(given))
    return operator === 'in' ? sql`${column} in (${list})` : sql`${column} not in (${list})`
  }
  if (value === null) {
    if (operator === 'eq') return sql`${column} is null`
    if (operator === 'ne') return sql`${column} is not null`
  }
  const wanted = given(value)
  switch (operator) {
    case 'eq':
      return sql`${column} = ${wanted}`
    case 'ne':
      return sql`${column} <> ${wanted}`
    case 'lt':
      return sql`${column} < ${wanted}`
    case 'lte':
      return sql`${column} <= ${wanted}`
    case 'gt':
      return sql`${column} > ${wanted}`
    case 'gte':
      return sql`${column} >= ${wanted}`
    // Without patterns: in those, some letters would be wildcards, and SQLite’s know no case.
    case 'contains':
      return sql`(${wanted} = '' or replace(${column}, ${wanted}, '') <> ${column})`
    case 'starts_with':
      return sql`substr(${column}, 1, length(${wanted})) = ${wanted}`
    case 'ends_with':
      return sql`(length(${column}) >= length(${wanted}) and substr(${column}, length(${column}) - length(${wanted}) + 1) = ${wanted})`
    default: {
      const never: never = operator
      return never
    }
  }
}
