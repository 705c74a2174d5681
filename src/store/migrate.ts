import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql, type Transaction } from 'kysely'
import { AppError } from '../shared/errors.ts'
import type { Store } from './database.ts'
import type { Tables } from './tables.ts'

/*
 * Migrations are numbered files of SQL that both engines understand, written with {integer}, {json} and {bytes} for the
 * types that differ, and {strict} behind the closing bracket. Once released, a file is never changed.
 */

const FOLDER = join(import.meta.dirname, 'migrations')

export interface Migration {
  number: number
  /** `0001-queue` */
  name: string
  statements: string[]
}

export interface MigrateOptions {
  /**
   * Runs before a store that has data already is changed; if it throws, nothing is changed. What it writes into the store
   * stays, whatever becomes of the migration. Others wait meanwhile; those on a file are for the caller to keep out.
   */
  before?: (from: number, to: number) => Promise<void>
  migrations?: readonly Migration[]
}

/**
 * Brings the store's schema up to this release, all or nothing; several nodes may try at once. Returns the numbers of
 * what was done. Throws `store_newer` if a newer release has been here: there is no way back but a backup.
 */
export async function migrate(store: Store, options: MigrateOptions = {}): Promise<number[]> {
  const migrations = options.migrations ?? (await readMigrations())
  const newest = migrations.at(-1)?.number ?? 0
  let isDone = false
  if (options.before && store.engine === 'sqlite') {
    // The transaction below would be the only one that may write.
    const from = (await schemaOf(store)).current
    if (from > 0 && from < newest) {
      await options.before(from, newest)
      isDone = true
    }
  }
  return await store.db.transaction().execute(async (trx) => {
    await store.lockMigrations(trx)
    const current = await schemaVersion(store, trx)
    if (current > newest) throw newer(store, current, newest)
    const pending = migrations.filter(({ number }) => number > current)
    if (pending.length > 0 && current > 0 && !isDone) await options.before?.(current, newest)
    for (const migration of pending) {
      for (const statement of migration.statements) await sql.raw(translate(statement, store)).execute(trx)
      await trx
        .insertInto('migrations')
        .values({ number: migration.number, name: migration.name, appliedAt: store.now })
        .execute()
    }
    return pending.map(({ number }) => number)
  })
}

/** The schema that the store has, and the one of this release. Nothing is changed; 0 for a store without tables. */
export async function schemaOf(store: Store): Promise<{ current: number; newest: number }> {
  const newest = (await readMigrations()).at(-1)?.number ?? 0
  if (!(await hasMigrations(store))) return { current: 0, newest }
  return { current: await lastMigration(store.db), newest }
}

/** Not those of another program in the same database, which may call its table likewise. */
async function hasMigrations({ db, engine }: Store): Promise<boolean> {
  if (engine === 'postgresql') {
    const { rows } = await sql<{ is: boolean }>`select to_regclass('migrations') is not null as is`.execute(
      db,
    )
    return rows[0]?.is === true
  }
  return (await db.introspection.getTables()).some(({ name }) => name === 'migrations')
}

/** The numbers begin with 1 and have no gap. */
export async function readMigrations(folder = FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return await Promise.all(
    names.map(async (file, i) => {
      const number = Number.parseInt(file, 10)
      if (number !== i + 1) throw new Error(`${file} is not migration ${i + 1}.`)
      const text = await readFile(join(folder, file), 'utf8')
      return { number, name: file.replace(/\.sql$/, ''), statements: statementsOf(text) }
    }),
  )
}

/** 0 for a store without tables. */
async function schemaVersion(store: Store, trx: Transaction<Tables>): Promise<number> {
  const table = `create table if not exists migrations (
    number {integer} primary key,
    name text not null,
    applied_at {integer} not null
  ) {strict}`
  await sql.raw(translate(table, store)).execute(trx)
  return await lastMigration(trx)
}

async function lastMigration(db: Store['db']): Promise<number> {
  const row = await db
    .selectFrom('migrations')
    .select(({ fn }) => fn.max('number').as('number'))
    .executeTakeFirst()
  return row?.number ?? 0
}

function translate(statement: string, { dialect }: Store): string {
  return statement.replace(/\{(\w+)\}/g, (token, name: string) => {
    if (name in dialect) return dialect[name as keyof typeof dialect]
    throw new Error(`${token} is not known in migrations.`)
  })
}

/** A semicolon ends a statement only at the end of a line. */
function statementsOf(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

function newer(store: Store, current: number, newest: number): AppError {
  return new AppError(
    'store_newer',
    `The store ${store.location} has schema ${current}; this release knows up to ${newest}.`,
    {
      hint: 'A newer release of Holdfast has been started on it. Use that release, or restore an app backup from before.',
    },
  )
}
