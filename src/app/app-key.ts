import { randomBytes, type KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isOver, ownToken } from '../lib/identity.ts'
import { makeFolders } from '../lib/make-folders.ts'
import { keyId, makeKey, readKey, writeKey } from '../lib/sealing.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import type { Configuration } from './configuration.ts'

const FILE = 'app.key'
const TEMPORARY = /^\.app\.key\.([^.]+)\.[0-9a-f]+\.tmp$/

/** The APP_KEY, ready for `sealer`. */
export interface AppKey {
  current: KeyObject
  /** Those that may have sealed what is stored. */
  previous: KeyObject[]
  origin: 'environment' | 'file' | 'made'
  /** Where the file is, or would be. */
  path: string
  /** To be shown so that nobody misses it: the key was made just now, and exists only once. It does not contain it. */
  note: string | undefined
  /** Sentences for the log. */
  warnings: string[]
}

/**
 * Finds the APP_KEY: the environment's, else that of the file `app.key` in the data directory, else a new one, which is
 * written there and is durable before it is returned. If the environment and the file have different ones, the file's
 * is a previous one: the store may have been sealed with it.
 *
 * Throws `configuration_invalid` if the file is not a key or others can read it, or if the data directory cannot be
 * used; with `mayMake: false`, for a store that has secrets in it already, `key_missing` instead of making a key.
 */
export async function loadAppKey(
  configuration: Pick<Configuration, 'dataDirectory' | 'appKey' | 'previousAppKeys'>,
  { mayMake = true }: { mayMake?: boolean } = {},
): Promise<AppKey> {
  const { dataDirectory, appKey, previousAppKeys } = configuration
  const path = join(dataDirectory, FILE)
  const shared = { path, note: undefined, warnings: [] }
  if (appKey) {
    const { key, warnings } = await readBesideEnvironment(path)
    const previous = others(appKey, [...(key ? [key] : []), ...previousAppKeys])
    return { ...shared, current: appKey, previous, origin: 'environment', warnings }
  }
  const kept = await readKeyFile(path)
  if (kept) return { ...shared, current: kept, previous: others(kept, previousAppKeys), origin: 'file' }
  if (!mayMake) {
    throw new AppError(
      'key_missing',
      `There is a store, but neither APP_KEY is set nor is there a file ${path}.`,
      {
        hint: 'Put the file back, or set APP_KEY to what it contained: without it no stored secret can be read.',
      },
    )
  }
  const { key, isNew } = await makeKeyFile(dataDirectory, path)
  const previous = others(key, previousAppKeys)
  if (!isNew) return { ...shared, current: key, previous, origin: 'file' }
  const note = [
    `A new APP_KEY was made. It is kept in ${path} and nowhere else.`,
    'Save a copy of that file now, apart from the backups: without it nobody can read the passwords that Holdfast',
    'stores, nor the backups that are encrypted with it.',
  ].join('\n')
  return { ...shared, current: key, previous, origin: 'made', note }
}

/**
 * The instance keys of a KeyRing: the one in use first, then all that may open older snapshots. APP_KEY is the one in
 * use unless BACKUP_ENCRYPTION_KEY is set.
 */
export function instanceKeys(
  configuration: Pick<Configuration, 'backupKey' | 'previousBackupKeys'>,
  appKey: Pick<AppKey, 'current' | 'previous'>,
): string[] {
  const { backupKey, previousBackupKeys } = configuration
  const inUse = backupKey ?? writeKey(appKey.current)
  return [...new Set([inUse, ...previousBackupKeys, ...[appKey.current, ...appKey.previous].map(writeKey)])]
}

/** Makes the data directory, readable by its owner alone, unless it is there. Throws `configuration_invalid`. */
export async function makeDataDirectory(path: string): Promise<void> {
  try {
    const outermost = await makeFolders(path, 0o700)
    if (outermost === undefined) return
    for (let folder = path; ; folder = dirname(folder)) {
      await syncFolder(dirname(folder))
      if (folder === outermost || folder === dirname(folder)) return
    }
  } catch (error) {
    throw new AppError(
      'configuration_invalid',
      `The data directory ${path} cannot be made: ${messageOf(error)}.`,
      {
        hint: 'Name another one with HOLDFAST_DATA_DIR, or let the user that Holdfast runs as write there.',
        cause: error,
      },
    )
  }
}

/** The keys that are not the current one, each once. */
function others(current: KeyObject, keys: KeyObject[]): KeyObject[] {
  const byId = new Map(keys.map((key) => [keyId(key), key]))
  byId.delete(keyId(current))
  return [...byId.values()]
}

/** The file is not needed then, so that what is wrong with it is no reason not to start. */
async function readBesideEnvironment(path: string): Promise<{ key?: KeyObject; warnings: string[] }> {
  try {
    return { key: await readKeyFile(path), warnings: [] }
  } catch (error) {
    return { warnings: [`${messageOf(error)} APP_KEY is used, and that file is not.`] }
  }
}

/** Undefined if there is no such file. */
async function readKeyFile(path: string): Promise<KeyObject | undefined> {
  let handle
  try {
    // Without O_NONBLOCK, a pipe in its place would be waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile()) throw unusable(path, 'is not a file', 'Move away what is there.')
    if ((stats.mode & 0o077) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
      throw unusable(
        path,
        `can be read or written by others (mode ${mode})`,
        `Run: chmod 600 ${path} — and if others may have read it, make a new key and keep this one in APP_PREVIOUS_KEYS.`,
      )
    }
    const text = await handle.readFile('utf8')
    try {
      return readKey(text)
    } catch (error) {
      throw unusable(path, `is damaged: ${messageOf(error)}`, 'Put a copy of the file back.')
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (error instanceof AppError) throw error
    throw unusable(
      path,
      `cannot be read: ${messageOf(error)}`,
      'It must belong to the user that Holdfast runs as.',
      error,
    )
  } finally {
    await handle?.close()
  }
}

function unusable(path: string, what: string, hint: string, cause?: unknown): AppError {
  return new AppError('configuration_invalid', `The key file ${path} ${what.replace(/\.$/, '')}.`, {
    hint,
    cause,
  })
}

/** Two processes that start at the same time get the same key: that of the first, whose file is never replaced. */
async function makeKeyFile(folder: string, path: string): Promise<{ key: KeyObject; isNew: boolean }> {
  await makeDataDirectory(folder)
  const temporary = join(folder, `.${FILE}.${ownToken()}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    await removeLeftOvers(folder)
    const key = makeKey()
    await writeNew(temporary, `${writeKey(key)}\n`)
    try {
      await publish(temporary, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const kept = await readKeyFile(path)
      if (kept) return { key: kept, isNew: false }
      throw error
    } finally {
      await unlink(temporary).catch(ignoreMissing)
      await syncFolder(folder)
    }
    return { key, isNew: true }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw unusable(
      path,
      `cannot be made: ${messageOf(error)}`,
      'Let the user that Holdfast runs as write there, or set APP_KEY.',
      error,
    )
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Like a rename, but throws EEXIST where that would replace a file. Some file systems have no links. */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    await rename(temporary, path)
  }
}

/** What a process that was killed in the middle has left. */
async function removeLeftOvers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, token] = TEMPORARY.exec(name) ?? []
    if (token === undefined || isOver(token) !== true) continue
    await unlink(join(folder, name)).catch(ignoreMissing)
  }
}

/** Makes the names in it durable. Some network file systems know no such thing; there it is not needed. */
export async function syncFolder(folder: string): Promise<void> {
  let handle
  try {
    handle = await open(folder, 'r')
    await handle.sync()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // EACCES: a folder above, which we may pass through but not list.
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EACCES') throw error
  } finally {
    await handle?.close()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
