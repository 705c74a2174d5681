import { resolve } from 'node:path'
import { sql } from 'kysely'
import type { Engine } from '../../engines/engine.ts'
import { engineNamed, parseSettings } from '../../engines/index.ts'
import { createWorkDirectory } from '../../lib/work-directory.ts'
import { dumpToFile } from '../../runner/dump-to-file.ts'
import type { JobContext } from '../../runner/job.ts'
import type { Store } from '../../store/database.ts'
import { schemaOf } from '../../store/migrate.ts'
import type { StoredFile } from '../../volumes/volume.ts'

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

/** Copies the whole store, on which work goes on meanwhile. Throws `disk_too_small` and what the engine throws. */
export async function snapshotStore(
  { store, workDirectory }: { store: Store; workDirectory: string },
  job: JobContext,
): Promise<StoreSnapshot> {
  await using stack = new AsyncDisposableStack()
  const work = stack.use(await createWorkDirectory(workDirectory))
  const { current: schemaVersion } = await schemaOf(store)
  const file = await dumpToFile(await ownDatabase(store), work.path, job)
  const cleanUp = stack.move()
  return { file, schemaVersion, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() }
}

export async function ownDatabase(store: Store): Promise<OwnDatabase> {
  const engine = engineNamed(store.engine)
  const { place } = store
  const url = 'path' in place ? urlOfFile(engine, place.path) : await wholeUrl(store, place.url)
  const { connection, database } = engine.fromUrl(url, {})
  const settings = parseSettings(engine.connection, connection, 'DATABASE_URL')
  if (database === undefined) throw new Error('The address of the store names no database.')
  return { engine, connection: settings, database }
}

export function urlOfFile({ schemes: [scheme] }: Engine, path: string): string {
  return `${scheme}:${resolve(path).split('/').map(encodeURIComponent).join('/')}`
}

/** The client takes from its environment what the URL does not say, and has words of its own for TLS. */
async function wholeUrl(store: Store, text: string): Promise<string> {
  const url = new URL(text)
  const { rows } = await sql<{ user: string; database: string }>`
    select session_user::text as "user", current_database()::text as database`.execute(store.db)
  const [found] = rows
  if (url.username === '' && !url.searchParams.has('user'))
    url.username = encodeURIComponent(found?.user ?? '')
  if (url.password === '' && process.env['PGPASSWORD']) {
    url.password = encodeURIComponent(process.env['PGPASSWORD'])
  }
  if (url.pathname.length < 2 && found) url.pathname = `/${encodeURIComponent(found.database)}`
  if (url.searchParams.get('sslmode') === 'no-verify') url.searchParams.set('sslmode', 'require')
  if (/^(true|1)$/.test(url.searchParams.get('ssl') ?? '')) url.searchParams.set('sslmode', 'verify-full')
  for (const name of ['ssl', 'uselibpqcompat', 'options', 'fallback_application_name'])
    url.searchParams.delete(name)
  return url.href
}
