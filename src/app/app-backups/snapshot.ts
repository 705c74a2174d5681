import { resolve } from 'node:path'
import { sql } from 'kysely'
import type { DatabaseFacts, Engine } from '../../engines/engine.ts'
import { engineNamed, parseSettings } from '../../engines/index.ts'
import { createWorkDirectory } from '../../lib/work-directory.ts'
import { dumpToFile } from '../../runner/dump-to-file.ts'
import type { JobContext } from '../../runner/job.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import { readMigrations, schemaOf } from '../../store/migrate.ts'
import type { StoredFile } from '../../volumes/volume.ts'

/** Milliseconds. */
const CONNECT_TIMEOUT = 10_000
/** Stands where a URL must have a host, and is never asked. */
const NO_HOST = 'none.invalid'

/** The store as it was at one moment, in a file that disappears when it is disposed. */
export interface StoreSnapshot extends AsyncDisposable {
  file: StoredFile
  schemaVersion: number
}

/** The store as its own engine sees it. */
export interface OwnDatabase {
  engine: Engine
  connection: unknown
  database: string
}

/** The tables of the store among whatever else is in a database of PostgreSQL. */
export interface OwnTables {
  /** In which they are, or would be; null if there is none where the user’s search path leads. */
  schema: string | null
  names: string[]
  bytes: number
}

/** Copies the whole store, on which work goes on meanwhile. Throws `disk_too_small` and what the engine throws. */
export async function snapshotStore(
  { store, workDirectory }: { store: Store; workDirectory: string },
  job: JobContext,
): Promise<StoreSnapshot> {
  await using stack = new AsyncDisposableStack()
  const work = stack.use(await createWorkDirectory(workDirectory))
  const { current: schemaVersion } = await schemaOf(store)
  const own = await ownDatabase(store)
  const part =
    store.engine === 'sqlite'
      ? { facts: await factsOfFile(store) }
      : await partOf(store, own, schemaVersion, job)
  const file = await dumpToFile({ ...own, ...part }, work.path, job)
  const cleanUp = stack.move()
  return { file, schemaVersion, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() }
}

export async function ownDatabase(store: Store): Promise<OwnDatabase> {
  const engine = engineNamed(store.engine)
  const { place } = store
  const found =
    'path' in place ? engine.fromUrl(urlOfFile(engine, place.path), {}) : await fromClient(engine, place.url)
  const settings = parseSettings(engine.connection, found.connection, 'DATABASE_URL')
  if (found.database === undefined) throw new Error('The address of the store names no database.')
  return { engine, connection: settings, database: found.database }
}

export function urlOfFile({ schemes: [scheme] }: Engine, path: string): string {
  return `${scheme}:${resolve(path).split('/').map(encodeURIComponent).join('/')}`
}

/**
 * The tables of a store in PostgreSQL that has this schema, as far as they are there. Others may share the database, and have
 * tables that are called likewise: ours are those beside our own `migrations`.
 */
export async function ownTables({ db }: Store, schemaVersion: number): Promise<OwnTables> {
  const { rows } = await sql<{ schema: string | null; names: string[]; bytes: number }>`
    with own as (select coalesce((select relnamespace from pg_class where oid = to_regclass('migrations')),
                                 to_regnamespace(quote_ident(current_schema()))) as id)
    select (select nspname::text from pg_namespace, own where oid = id) as schema,
           coalesce(array_agg(relname::text order by relname), '{}') as names,
           coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as bytes
      from pg_class, own
     where relnamespace = id and relkind = 'r' and relname in (${sql.join(await tablesOf(schemaVersion))})`.execute(
    db,
  )
  const [found] = rows
  if (!found) throw new Error('An aggregate has no row.')
  return found
}

/** The names of the tables that a store with this schema has; 0 has none. */
export async function tablesOf(schemaVersion: number): Promise<string[]> {
  const migrations = (await readMigrations()).filter(({ number }) => number <= schemaVersion)
  const statements = migrations.flatMap((migration) => migration.statements)
  const created = statements.flatMap((statement) => /^create table (\w+)/i.exec(statement)?.[1] ?? [])
  return ['migrations', ...created]
}

/** What the store itself knows need not be asked by another process. */
async function factsOfFile({ db }: Store): Promise<DatabaseFacts> {
  const { rows } = await sql<{ bytes: number }>`
    select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()`.execute(db)
  return { bytes: rows[0]?.bytes ?? 0 }
}

/** Our tables alone: what else is in the database is not ours to read, and a restore must not bring it back. */
async function partOf(
  store: Store,
  { engine, connection, database }: OwnDatabase,
  schemaVersion: number,
  { signal }: JobContext,
) {
  const { schema, names, bytes } = await ownTables(store, schemaVersion)
  const { encoding } = await engine.describe(connection, database, signal)
  return {
    options: { tables: names.map((name) => `"${schema?.replaceAll('"', '""')}"."${name}"`) },
    facts: { bytes, encoding },
  }
}

/** What of the URL is about TLS; the rest has the client’s own meaning. */
const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey']

/** As the client of the store connects, which also knows the environment of libpq, and its file of passwords. */
async function fromClient(
  engine: Engine,
  text: string,
): Promise<{ connection: unknown; database: string | undefined }> {
  const { Client } = (await import('pg')).default
  const client = new Client({ connectionString: text, connectionTimeoutMillis: CONNECT_TIMEOUT })
  client.on('error', () => {}) // what breaks tells its query
  try {
    await client.connect() // only now the password is looked for
    const { rows } = await client.query<{ user: string; database: string }>(
      'select session_user::text as "user", current_database()::text as database',
    )
    const [found] = rows
    const { host, port, password } = client
    const { connection } = engine.fromUrl(`postgresql://${NO_HOST}/?${tlsOf(text)}`, {})
    const where = { host, port, user: found?.user, ...(password && { password }) }
    return { connection: { ...(connection as object), ...where }, database: found?.database }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('store_unavailable', `The store cannot be reached: ${messageOf(error)}.`, {
      cause: error,
    })
  } finally {
    await client.end()
  }
}

/** The client has words of its own for TLS. */
function tlsOf(text: string): string {
  const { searchParams } = new URL(text)
  const wanted = new URLSearchParams([...searchParams].filter(([name]) => TLS_PARAMETERS.includes(name)))
  if (/^(true|1)$/.test(searchParams.get('ssl') ?? '')) wanted.set('sslmode', 'verify-full')
  const mode = wanted.get('sslmode') ?? process.env['PGSSLMODE'] ?? ''
  const known: Record<string, string> = { 'no-verify': 'require', allow: 'prefer' }
  if (mode !== '') wanted.set('sslmode', known[mode] ?? mode)
  // A plus is a plus to whoever reads it.
  return wanted.toString().replaceAll('+', '%20')
}
