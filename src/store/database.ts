import type { Kysely, RawBuilder, SqlBool, Transaction } from 'kysely'
import { AppError } from '../shared/errors.ts'
import type { Tables } from './tables.ts'

/** Where the app keeps what it knows: one schema and one code on either of two engines. */
export interface Store extends AsyncDisposable {
  readonly engine: StoreEngine
  readonly db: Kysely<Tables>
  /** The time as the store's own clock has it, in milliseconds since 1970: the only clock that all nodes share. */
  readonly now: RawBuilder<number>
  /** For messages: a path, or a URL without its password. */
  readonly location: string
  /** For tools that reach it by themselves: with its password. */
  readonly place: { path: string } | { url: string }
  /** Whether the error says that a unique constraint would have been broken: that somebody else was faster. */
  isUniqueViolation(error: unknown): boolean
  /** Whether the value is one of these, of which there may be more than a statement has parameters. */
  isAmong(value: RawBuilder<string>, among: readonly string[]): RawBuilder<SqlBool>
  /** Makes its column types of those that the migrations are written in, see migrate.ts. */
  readonly dialect: ColumnTypes
  /** How many other processes have this store open now, as far as its server tells. */
  otherSessions(): Promise<number>
  /** Waits, within the transaction, until no other process migrates this store, and keeps others waiting. */
  lockMigrations(trx: Transaction<Tables>): Promise<void>
}

export type StoreEngine = 'sqlite' | 'postgresql'

/** What differs between the engines in a `create table`. */
export interface ColumnTypes {
  integer: string
  json: string
  bytes: string
  /** Stands behind the closing bracket. */
  strict: string
}

/** Opens the store that a path, or a `postgres://` URL, names. It may not have its tables yet: see `migrate`. */
export async function openStore(place: { path: string } | { url: string }): Promise<Store> {
  if ('path' in place) {
    const { openSqliteStore } = await import('./sqlite.ts')
    return openSqliteStore(place.path)
  }
  if (!/^postgres(ql)?:\/\//.test(place.url)) {
    throw new AppError('invalid_input', 'DATABASE_URL is not the URL of a PostgreSQL database.', {
      hint: 'For instance: postgres://holdfast@db.example.com/holdfast. Without it the store is a file in the data directory.',
    })
  }
  const { openPostgresqlStore } = await import('./postgresql.ts')
  return openPostgresqlStore(place.url)
}
