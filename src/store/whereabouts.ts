import { sql } from 'kysely'
import type { Store } from './database.ts'

/** What tells the store’s database from every other one, whatever name its server is reached by. */
export type Whereabouts =
  | { engine: 'sqlite'; path: string }
  /** The microsecond in which its server was started, and the number that it has there. */
  | { engine: 'postgresql'; serverStartedAt: string; oid: string }

/** Where the store is, asked of its server. */
export async function whereaboutsOf(store: Store): Promise<Whereabouts> {
  if (store.engine === 'sqlite') return { engine: 'sqlite', path: store.location }
  const { rows } = await sql<{ serverStartedAt: string; oid: string }>`
    select (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint::text as server_started_at, oid::text
      from pg_database where datname = current_database()`.execute(store.db)
  const [found] = rows
  if (!found) throw new Error('PostgreSQL does not know the database that it is asked in.')
  return { engine: 'postgresql', ...found }
}
