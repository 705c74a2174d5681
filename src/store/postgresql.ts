import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CamelCasePlugin,
  Kysely,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
} from 'kysely'
import pg from 'pg'
import { AppError, messageOf } from '../shared/errors.ts'
import type { Store } from './database.ts'
import type { Tables } from './tables.ts'

const { DatabaseError, Pool, types } = pg

const CONNECTIONS = 10
const CONNECT_TIMEOUT = 10_000
/** Holdfast's own queries take milliseconds; one that takes so long would hold locks that all nodes wait for. */
const STATEMENT_TIMEOUT = 60_000
/** A server that has not said so by then is out of reach: whoever asked must not wait for ever. */
const QUERY_TIMEOUT = STATEMENT_TIMEOUT + 5_000
/** What its sessions are called in the server's list; each process adds something of its own. */
const NAME = 'holdfast store'
/** Milliseconds between two looks whether it is free. */
const LOCK_LOOK = 100
/** Any number, as long as it stays: the advisory lock of those who migrate. */
export const MIGRATION_LOCK = 7_300_001

const INT8 = 20
const JSON_TYPES = [114, 3802]

/** Connects, so that a wrong URL is told at once. */
export async function openPostgresqlStore(url: string, queryTimeout = QUERY_TIMEOUT): Promise<Store> {
  const location = withoutPassword(url)
  const name = `${NAME} ${randomBytes(6).toString('hex')}`
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    query_timeout: queryTimeout,
    application_name: name,
    keepAlive: true,
    types: { getTypeParser },
  })
  // An idle connection that breaks is replaced with the next query; that one has its own error.
  pool.on('error', () => {})
  // One that breaks while it is used tells its query, too; what nobody listens to would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    const client = await pool.connect()
    client.release()
  } catch (error) {
    await pool.end()
    throw new AppError('store_unavailable', `The store ${location} cannot be reached: ${messageOf(error)}.`, {
      hint: 'Check DATABASE_URL. The database must exist, and the user must be allowed to create tables in it.',
      cause: error,
    })
  }
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: dropping(pool) }),
    plugins: [new CamelCasePlugin()],
  })
  return {
    engine: 'postgresql',
    db,
    now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    location,
    place: { url },
    isUniqueViolation: (error) => (error as { code?: string }).code === '23505',
    isAmong: (value, among) => sql`${value} = any(${[...among]}::text[])`,
    dialect: { integer: 'bigint', json: 'jsonb', bytes: 'bytea', strict: '' },
    async otherSessions() {
      const { rows } = await sql<{ count: number }>`
        select count(distinct application_name) as count from pg_stat_activity
         where datname = current_database() and application_name like ${`${NAME} %`} and application_name <> ${name}`.execute(
        db,
      )
      return rows[0]?.count ?? 0
    },
    async lockMigrations(trx) {
      // It may take as long as a dump, for which nothing happens in this transaction.
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx)
      // Asked again and again: a statement that waits is ended after a minute.
      for (;;) {
        const { rows } = await sql<{ isLocked: boolean }>`
          select pg_try_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)}) as is_locked`.execute(trx)
        if (rows[0]?.isLocked) return
        await sleep(LOCK_LOOK)
      }
    },
    async [Symbol.asyncDispose]() {
      await db.destroy()
      if (!pool.ended) await pool.end() // Kysely ends only what it has used
    },
  }
}

/**
 * The pool without connections of which nobody knows what they do: one that did not answer in time may still carry out
 * what it was asked, for instance begin a transaction, in which whoever gets it next would write.
 */
function dropping(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect()
      let isInDoubt = false
      const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
        try {
          return await client.query(text, [...parameters])
        } catch (error) {
          isInDoubt ||= !(error instanceof DatabaseError) // what the server itself has said
          throw error
        }
      }
      return {
        query: query as PostgresPoolClient['query'], // without cursors, which nobody asks for
        release: (isDiscarded = false) => client.release(isDiscarded || isInDoubt),
      }
    },
  }
}

/** As from SQLite: numbers as numbers, JSON as text, which whoever reads it parses with its schema. */
function getTypeParser(type: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (type === INT8) return safeInteger
  if (JSON_TYPES.includes(type)) return (text) => text
  return types.getTypeParser(type, format)
}

function safeInteger(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  throw new AppError('internal', `The store holds ${text}, which is not a number that can be counted with.`)
}

function withoutPassword(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    // Without the cause: it quotes the URL.
    throw new AppError('invalid_input', 'DATABASE_URL is not a URL.', {
      hint: 'Special characters in the password are written as %40 for @, %2F for /, and so on.',
    })
  }
}
