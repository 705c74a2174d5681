import { realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AppError } from '../shared/errors.ts'
import { type CopiedRows, copyStore } from '../store/copy-store.ts'
import { openStore } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { atCommandLine } from './audit/outside-requests.ts'
import { recordAuditNow } from './audit/record.ts'
import type { Configuration } from './configuration.ts'
import { holdAlone, isThere, openExistingStore } from './existing-store.ts'

export interface MovedStore {
  /** Without passwords. */
  from: string
  to: string
  tables: CopiedRows[]
  /** What whoever moved it does next, in sentences. */
  next: string[]
}

/** The name that the app looks for in its data directory. */
const FILE = 'holdfast.db'

/**
 * Copies the store of this configuration into another one, which is empty, and compares what arrived. The source stays
 * as it is. Throws `store_in_use` while an app runs on it, or if one is started meanwhile, and what `copyStore` throws;
 * then there is no target, or it is as empty as it was.
 */
export async function moveStore(
  configuration: Configuration,
  to: string,
  signal: AbortSignal,
  onTable?: (copied: CopiedRows) => void | Promise<void>,
): Promise<MovedStore> {
  const place = await placeOf(to)
  await refuseSame(configuration.store, place)
  await using source = await openExistingStore(configuration.store)
  const lost = new AbortController()
  await using held = await holdAlone(configuration.store, source, (error) => lost.abort(error))
  const isNew = 'path' in place && !(await isThere(place.path))
  try {
    await using target = await openStore(place)
    await migrate(target)
    const either = AbortSignal.any([signal, lost.signal])
    const tables = await copyStore(source, target, either, onTable, held.check)
    const details = { from: source.location, to: target.location }
    await recordAuditNow(target, atCommandLine({ action: 'app.migrate-store', target: null, details }))
    return { from: source.location, to: target.location, tables, next: nextSteps(place) }
  } catch (error) {
    if (isNew) await removeFile(place.path)
    throw error
  }
}

/** A URL of PostgreSQL, a file, or a folder for the app's own file. */
async function placeOf(to: string): Promise<Configuration['store']> {
  if (/^postgres(ql)?:\/\//.test(to)) return { url: to }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to)) {
    throw new AppError('invalid_input', 'A store is kept in PostgreSQL or in a file.', {
      hint: 'Like postgres://holdfast@db.example.com/holdfast, or a path.',
    })
  }
  const path = resolve(to)
  return { path: (await isFolder(path)) ? join(path, FILE) : path }
}

/** Only a file can be compared here; of a database, the tables tell that it is not empty. */
async function refuseSame(source: Configuration['store'], target: Configuration['store']): Promise<void> {
  if (!('path' in source) || !('path' in target)) return
  const [one, other] = await Promise.all([source.path, target.path].map(trueName))
  if (one === other) throw new AppError('invalid_input', `The store is at ${target.path} already.`)
}

async function trueName(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return path
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

function nextSteps(place: Configuration['store']): string[] {
  const key = 'Keep APP_KEY, or app.key in the data directory, as it is: the secrets are sealed with it.'
  if ('url' in place) {
    return [
      'Set DATABASE_URL (or DATABASE_URL_FILE) to the address of that database, and start the app.',
      key,
      'Several nodes need the same APP_KEY: set it to what app.key contains.',
    ]
  }
  const folder = dirname(place.path)
  return [
    ...(basename(place.path) === FILE ? [] : [`Rename it to ${FILE}: the app looks for that name.`]),
    `Unset DATABASE_URL, set HOLDFAST_DATA_DIR to ${folder}, and start the app.`,
    `${key} If it is in a file, copy that to ${folder}.`,
  ]
}

async function removeFile(path: string): Promise<void> {
  for (const name of [path, `${path}-wal`, `${path}-shm`]) await rm(name, { force: true })
}
