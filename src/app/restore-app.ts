import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sql } from 'kysely'
import type { Engine } from '../engines/engine.ts'
import { engineNamed, parseSettings } from '../engines/index.ts'
import { ownToken } from '../lib/identity.ts'
import { realPathOf } from '../lib/real-path.ts'
import { type Sealer, sealer } from '../lib/sealing.ts'
import { findTools, type FoundTool } from '../lib/tools.ts'
import { checkRoom, createWorkDirectory } from '../lib/work-directory.ts'
import { explained } from '../runner/explained.ts'
import type { JobContext } from '../runner/job.ts'
import { loadDump } from '../runner/load.ts'
import { AppError, asAppError } from '../shared/errors.ts'
import { openStore, type Store, type StoreEngine } from '../store/database.ts'
import { readMigrations, schemaOf } from '../store/migrate.ts'
import { MIGRATION_LOCK } from '../store/postgresql.ts'
import { loadAppKey, makeDataDirectory, syncFolder } from './app-key.ts'
import { type CarriedBackups, carriedBackups, carryOver } from './app-backups/carry-over.ts'
import { fetchBackup } from './app-backups/fetch.ts'
import { stampOf } from './app-backups/key.ts'
import { KEPT_DUMP, removeInterrupted } from './app-backups/interrupted.ts'
import { ownDatabase, ownTables, snapshotStore, tablesOf, urlOfFile } from './app-backups/snapshot.ts'
import { atCommandLine } from './audit/outside-requests.ts'
import { recordAudit } from './audit/record.ts'
import type { Configuration } from './configuration.ts'
import { holdAlone, isThere } from './existing-store.ts'

/** What came of putting an app backup in the place of the store. */
export interface RestoredApp {
  from: string
  /** Without passwords. */
  to: string
  /** Of the backup: a start migrates it, if this release has a newer one. */
  schemaVersion: number
  newestSchema: number
  /** Where the store is kept that was there before; null if there was none. */
  kept: string | null
  /** Sentences. */
  warnings: string[]
  next: string[]
}

/** How the files of each kind of store begin, and what their engine calls them. */
const kinds: Record<StoreEngine, { magic: string; format: string; label: string }> = {
  sqlite: { magic: 'SQLite format 3\0', format: 'sqlite', label: 'a store in SQLite' },
  postgresql: { magic: 'PGDMP', format: 'custom', label: 'a store in PostgreSQL' },
}

interface Backup {
  path: string
  bytes: number
  schemaVersion: number
  newestSchema: number
}

/**
 * Puts an app backup in the place of the store of this configuration, which nobody works with meanwhile, and keeps what was
 * there. `from` is a file, or `registration/backup`. Until all is checked nothing is changed, and what is changed then is
 * changed in one step. Throws `store_in_use`, `object_not_found`, `database_corrupt`, `store_newer`, `key_wrong`, and what
 * reading the backup throws.
 */
export async function restoreApp(
  configuration: Configuration,
  from: string,
  job: JobContext,
): Promise<RestoredApp> {
  await removeInterrupted(configuration.store, configuration.dataDirectory)
  await using work = await createWorkDirectory(configuration.workDirectory)
  const isNamed = await isFile(from)
  const path = isNamed ? resolve(from) : await fetchBackup(configuration, from, work.path, job)
  if (isNamed) await refuseJournals(path)
  const engineName: StoreEngine = 'path' in configuration.store ? 'sqlite' : 'postgresql'
  await checkKind(path, engineName)
  const engine = engineNamed(engineName)
  const tools = await findTools(engine.tools, job.signal)
  const key = sealer(await loadAppKey(configuration, { mayMake: false }))
  const restore = 'path' in configuration.store ? restoreFile : restoreDatabase
  try {
    return await restore({ configuration, from, path, engine, tools, key, work: work.path }, job)
  } catch (error) {
    throw explained(engine, error, job.signal)
  }
}

interface Order {
  configuration: Configuration
  from: string
  path: string
  engine: Engine
  tools: readonly FoundTool[]
  key: Sealer
  work: string
}

/** A file takes the place of a file, by its name. */
async function restoreFile(order: Order, job: JobContext): Promise<RestoredApp> {
  const { configuration, engine, path } = order
  // A link stays, and the file that it leads to is replaced, and kept.
  const target = await realPathOf((configuration.store as { path: string }).path)
  const connectionTo = (file: string) =>
    parseSettings(engine.connection, engine.fromUrl(urlOfFile(engine, file), {}).connection, 'the store')
  await makeDataDirectory(dirname(target))
  const beside = engine.besideName(target, ownToken())
  const { size } = await stat(path)
  await checkRoom(dirname(target), size, 'The restored store')
  try {
    // A copy of our own: it is checked, and then changed, and the backup stays as it is.
    await pipeline(
      createReadStream(path),
      createWriteStream(beside, { mode: 0o600, flags: 'wx', flush: true }),
      {
        signal: job.signal,
      },
    )
    const options = engine.restoreOptions.parse({})
    // Not of the present store, which may be damaged.
    const connection = connectionTo(beside)
    const server = await engine.inspect(connection, job.signal)
    const request = {
      server,
      options,
      tools: order.tools,
      workDirectory: order.work,
      format: kinds.sqlite.format,
    }
    const accepting = { ...request, connection, database: beside, mode: 'empty' as const, rawBytes: size }
    await engine.restore(accepting).check?.(job.signal)
    const backup = await checkBackup(order, beside, { format: kinds.sqlite.format }, job)
    const former = await readFormer(order, job)
    await prepareRestored({ path: beside }, former.carried, order.from)
    job.signal.throwIfAborted()
    const kept = former.isThere ? await keepFile(target, former.isSound) : null
    try {
      await engine.renameDatabase?.(connectionTo(target), beside, target, job.signal)
    } catch (error) {
      if (kept !== null) await removeWithJournals(kept)
      throw error
    }
    return report(order, backup, target, kept, former.warnings)
  } finally {
    await removeWithJournals(beside)
  }
}

interface Former {
  isThere: boolean
  isSound: boolean
  carried: CarriedBackups
  warnings: string[]
}

/** Makes sure that no app works with the file, and reads what is to be carried over. A damaged one is no obstacle. */
async function readFormer({ configuration }: Order, job: JobContext): Promise<Former> {
  const place = configuration.store as { path: string }
  if (!(await isThere(place.path))) return { isThere: false, isSound: true, carried: [], warnings: [] }
  try {
    await using store = await openStore(place)
    const { current } = await schemaOf(store)
    if (current < 2) return { isThere: true, isSound: true, carried: [], warnings: [] }
    await using _alone = await holdAlone(place, store, () => {})
    return { isThere: true, isSound: true, carried: await carriedBackups(store, current), warnings: [] }
  } catch (thrown) {
    const error = asAppError(thrown)
    if (error.code === 'store_in_use') throw error
    job.signal.throwIfAborted()
    const warning = `The present store cannot be read (${error.message}): what it knows of later app backups is not carried over.`
    return { isThere: true, isSound: false, carried: [], warnings: [warning] }
  }
}

/** Keeps the file under another name beside it. Where there are no links, by a copy. */
async function keepFile(target: string, isSound: boolean): Promise<string> {
  const kept = `${target}.before-restore-${stampOf(Date.now())}`
  if (isSound) await mergeJournal(target)
  try {
    await link(target, kept)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error
    await copyFile(target, kept)
  }
  // A journal that cannot be merged is kept as it is, for whoever tries to save what was in it.
  for (const suffix of isSound ? [] : ['-wal', '-journal']) {
    if (await isThere(target + suffix)) await copyFile(target + suffix, kept + suffix)
  }
  await syncFolder(dirname(kept))
  return kept
}

/** What is in the journal goes into the file when the last one closes it. */
async function mergeJournal(path: string): Promise<void> {
  await using store = await openStore({ path })
  await sql`pragma wal_checkpoint(truncate)`.execute(store.db)
}

/** The tables of a database take the place of its tables, in one transaction. */
async function restoreDatabase(order: Order, job: JobContext): Promise<RestoredApp> {
  const { configuration, engine, path, tools, work } = order
  const { format } = kinds.postgresql
  await checkWhole(engine, path, format, job)
  await using store = await openStore(configuration.store)
  await using alone = await holdAlone(configuration.store, store, () => {})
  const { current, newest } = await schemaOf(store)
  if (current > newest) throw cannotReplaceNewer(store, current, newest)
  const { schema, names } = await ownTables(store, current)
  if (schema === null) throw noSchema(store)
  const backup = await checkBackup(order, path, { format, schema }, job)
  const former = current === 0 ? [] : names
  await refuseTaken(store, backup, schema, former)
  const carried = current === 0 ? [] : await carriedBackups(store, current)
  const kept = current === 0 ? null : await keepDump(configuration, store, job)
  await alone.check()
  const own = await ownDatabase(store)
  const restore = engine.restore({
    connection: own.connection,
    database: own.database,
    server: await engine.inspect(own.connection, job.signal),
    format,
    options: engine.restoreOptions.parse({ owners: false, privileges: false, comments: false }),
    mode: 'existing',
    tools,
    workDirectory: work,
    rawBytes: backup.bytes,
    first: `${holdMigrations}\n${dropTables(schema, former)}`,
  })
  let isMigrated = false
  const onStderr = (line: string) => {
    isMigrated ||= line.includes(MIGRATES)
    job.log('info', line)
  }
  try {
    await loadDump(restore, createReadStream(path), job.signal, { onStderr })
  } catch (error) {
    throw isMigrated ? migratesNow(store, error) : error
  }
  const warnings: string[] = []
  try {
    await prepareRestored(configuration.store, carried, order.from)
  } catch (error) {
    // What was restored is committed: it must be said where the former store is.
    warnings.push(
      `What was made since the backup was taken could not be told to the restored store: ${asAppError(error).message}`,
    )
  }
  return report(order, backup, store.location, kept, warnings)
}

/** Reads it to its end. */
async function checkWhole(
  engine: Engine,
  path: string,
  format: string,
  { signal }: JobContext,
): Promise<void> {
  const reader = engine.readDump(format)
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576, signal })) {
    reader.update(chunk as Buffer)
  }
  reader.finish()
}

async function keepDump(configuration: Configuration, store: Store, job: JobContext): Promise<string> {
  const { dataDirectory, workDirectory } = configuration
  const kept = join(dataDirectory, `${KEPT_DUMP}${stampOf(Date.now())}.dump`)
  await using snapshot = await snapshotStore({ store, workDirectory }, job)
  const partial = join(dataDirectory, `.${basename(kept)}.${ownToken()}`)
  try {
    const source = createReadStream(snapshot.file.path)
    await pipeline(source, createWriteStream(partial, { mode: 0o600, flags: 'wx', flush: true }), {
      signal: job.signal,
    })
    await rename(partial, kept)
  } finally {
    await rm(partial, { force: true })
  }
  await syncFolder(dirname(kept))
  return kept
}

/** For nobody but us: what psql says last is where it was raised. */
const MIGRATES = 'another process of Holdfast migrates this store'

/** A node that starts now waits until all is done; one that migrates already is not disturbed. */
const holdMigrations = `do $$ begin
  if not pg_try_advisory_xact_lock(${MIGRATION_LOCK}) then
    raise exception '${MIGRATES}';
  end if;
end $$;`

/** Not what depends on them: that is somebody else’s, and then nothing is changed. */
function dropTables(schema: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  return `drop table ${names.map((name) => `${quoted(schema)}.${quoted(name)}`).join(', ')};`
}

/** Throws `object_exists` if somebody else’s table, or view, has a name that one of the backup’s has. */
async function refuseTaken(
  { db, location }: Store,
  { schemaVersion }: Backup,
  schema: string,
  former: readonly string[],
): Promise<void> {
  const wanted = (await tablesOf(schemaVersion)).filter((name) => !former.includes(name))
  if (wanted.length === 0) return
  const { rows } = await sql<{ name: string }>`
    select relname::text as name from pg_class
     where relnamespace = to_regnamespace(${quoted(schema)}) and relname in (${sql.join(wanted)}) order by 1`.execute(
    db,
  )
  if (rows.length === 0) return
  const taken = rows.map(({ name }) => `${schema}.${name}`).join(', ')
  throw new AppError('object_exists', `${location} has what is not Holdfast’s, and in the way: ${taken}.`, {
    hint: 'Set DATABASE_URL to a database, or with its user’s search_path to a schema, that is empty. Nothing was changed.',
  })
}

/** Throws unless the file is an app backup that this release, with this key, can go on with. */
async function checkBackup(
  { engine, tools, key, path }: Order,
  file: string,
  { format, schema }: { format: string; schema?: string },
  job: JobContext,
): Promise<Backup> {
  const read = async (table: string) =>
    await engine.readTable?.({ path: file, format, table, schema, tools }, job.signal)
  const migrations = (await read('migrations')) ?? []
  const schemaVersion = Math.max(0, ...migrations.map(({ number }) => Number(number)))
  if (!(schemaVersion > 0)) {
    throw new AppError(
      'invalid_input',
      `${path} is no backup of Holdfast’s own database: it has no table “${schema === undefined ? '' : `${schema}.`}migrations” of it.`,
    )
  }
  const newestSchema = (await readMigrations()).at(-1)?.number ?? 0
  if (schemaVersion > newestSchema) {
    throw new AppError(
      'store_newer',
      `${path} has schema ${schemaVersion}; this release knows up to ${newestSchema}.`,
      {
        hint: 'Restore it with the release of Holdfast that made it, or a newer one. Nothing was changed.',
      },
    )
  }
  const [sealedWith] = (await read('app_key')) ?? []
  const keyId = sealedWith?.['key_id']
  if (keyId && !key.has(keyId)) {
    throw new AppError(
      'key_wrong',
      `The secrets in ${path} are sealed with the key ${keyId}; at hand is ${key.keyId}.`,
      {
        hint: 'Set APP_KEY to the key of that time, or add it to APP_PREVIOUS_KEYS. Nothing was changed.',
      },
    )
  }
  return { path, bytes: (await stat(path)).size, schemaVersion, newestSchema }
}

/**
 * What was true at the time of the backup alone is taken away: who held the store. What was made since then is told to the
 * restored registry, so that it is removed when its time comes.
 */
async function prepareRestored(
  place: Configuration['store'],
  carried: CarriedBackups,
  from: string,
): Promise<void> {
  await using store = await openStore(place)
  const { current, newest } = await schemaOf(store)
  await store.db.transaction().execute(async (trx) => {
    if (current >= 2) await trx.deleteFrom('leases').execute()
    await carryOver(trx, current, carried)
    // An older release may have had no log, or another one.
    if (current !== newest) return
    const entry = atCommandLine({ action: 'app.restore', target: null, details: { from } })
    await recordAudit(store, trx, entry)
  })
}

/** Throws `invalid_input` if changes of the file lie in a journal beside it, which it would lack. */
async function refuseJournals(path: string): Promise<void> {
  for (const journal of [`${path}-wal`, `${path}-journal`]) {
    const { size } = await stat(journal).catch(() => ({ size: 0 }))
    if (size === 0) continue
    throw new AppError('invalid_input', `Beside ${path} lies ${journal}, with changes that the file lacks.`, {
      hint: `Let SQLite put them into it: sqlite3 '${path}' 'pragma journal_mode = delete' — or move the journal away, if it does not belong to the file.`,
    })
  }
}

async function checkKind(path: string, wanted: StoreEngine): Promise<void> {
  const handle = await open(path)
  const head = Buffer.alloc(16)
  try {
    await handle.read(head, 0, head.length, 0)
  } finally {
    await handle.close()
  }
  const found = (Object.keys(kinds) as StoreEngine[]).find((kind) =>
    head.toString('latin1').startsWith(kinds[kind].magic),
  )
  if (found === wanted) return
  if (!found) {
    throw new AppError(
      'invalid_input',
      `${path} is no app backup: it is neither an SQLite file nor an archive of pg_dump.`,
    )
  }
  const other = found === 'sqlite' ? 'Unset DATABASE_URL' : 'Set DATABASE_URL to an empty database'
  throw new AppError(
    'invalid_input',
    `${path} is a backup of ${kinds[found].label}; configured is ${kinds[wanted].label}.`,
    {
      hint: `${other}, restore there, and then take it over with “holdfast app migrate-store”.`,
    },
  )
}

function report(
  { from }: Order,
  { schemaVersion, newestSchema }: Backup,
  to: string,
  kept: string | null,
  warnings: string[],
): RestoredApp {
  const migrates = schemaVersion < newestSchema
  return {
    from,
    to,
    schemaVersion,
    newestSchema,
    kept,
    warnings,
    next: [
      migrates
        ? `Start the app with “holdfast serve”: it migrates the store from schema ${schemaVersion} to ${newestSchema}. To stay with the older release, start that one instead.`
        : 'Start the app with “holdfast serve”.',
      'Schedules that were due since then run once, jobs that ran at that time begin anew. Snapshots that were made since then are on their volumes: “holdfast volumes scan <name>” adds them to the catalogue.',
      ...(kept === null ? [] : [`When all is well, remove ${kept}.`]),
    ],
  }
}

function migratesNow({ location }: Store, cause: unknown): AppError {
  return new AppError('store_in_use', `Another process of Holdfast migrates the store ${location}.`, {
    hint: 'Stop all nodes and workers first. Nothing was changed.',
    cause,
  })
}

function cannotReplaceNewer({ location }: Store, current: number, newest: number): AppError {
  return new AppError(
    'store_newer',
    `The present store ${location} has schema ${current}; this release knows up to ${newest}, and cannot tell what of it to replace.`,
    {
      hint: 'Restore with the newer release and then start the older one, or set DATABASE_URL to a new, empty database. Nothing was changed.',
    },
  )
}

function noSchema({ location }: Store): AppError {
  return new AppError(
    'invalid_input',
    `No schema is there in ${location} of those that the user’s search_path names.`,
    {
      hint: 'Create it, as it was where the backup was made. Nothing was changed.',
    },
  )
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

async function removeWithJournals(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true })
}
