import { accessSync, constants, copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { checkRoom } from '../../lib/work-directory.ts'
import { explain, notFound, resultCode, SQLITE } from './explain.ts'

/** How long to wait for a lock, in milliseconds; twice it is less than the limit of an inspection. */
const LOCK_WAIT = 4_000

/** The files that SQLite keeps beside a database. */
export const SIDE_FILES = ['-wal', '-shm', '-journal'] as const

/** A database that is open; disposing closes it and removes what opening it left behind. */
export interface OpenDatabase extends Disposable {
  db: DatabaseSync
}

/**
 * Opens a database for reading, without creating, changing or blocking anything. A file that a crashed program left
 * half-way (a journal to roll back) is opened for writing if that is allowed, so that SQLite repairs it as the next
 * program would. On a read-only file system, where no program can write, its copy in the work directory is repaired.
 */
export async function openSource(
  path: string,
  workDirectory?: string,
  wait = LOCK_WAIT,
): Promise<OpenDatabase> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) throw notFound(path)
  if (!stats.isFile()) throw notFound(path, new Error('not a regular file'))
  accessSync(path, constants.R_OK)
  const hadWal = existsSync(`${path}-wal`)
  try {
    const db = connect(path, { readOnly: true }, '', wait)
    return { db, [Symbol.dispose]: () => closeQuietly(db, path, hadWal) }
  } catch (error) {
    const code = resultCode(error)
    if (code !== SQLITE.CANTOPEN && code !== SQLITE.READONLY) throw error
    if (!isOnReadOnlyFileSystem(path)) return openWritable(path)
    if (!SIDE_FILES.some((suffix) => existsSync(path + suffix))) return openUnchanging(path)
    if (workDirectory === undefined) throw error
    return openRepairedCopy(path, workDirectory)
  }
}

/** Opens a file that nobody else knows and nobody changes: no lock is taken and no other file is made beside it. */
export function openUnchanging(path: string): OpenDatabase {
  const db = connect(path, { readOnly: true }, '?immutable=1')
  return { db, [Symbol.dispose]: () => db.close() }
}

/** Opens an existing file for writing. `wait` is how long to wait for a lock, in milliseconds. */
export function openWritable(path: string, wait = LOCK_WAIT): OpenDatabase {
  const db = connect(path, {}, '?mode=rw', wait)
  return { db, [Symbol.dispose]: () => db.close() }
}

/** Runs the work within one read transaction: all of it sees the same moment. */
export async function reading<T>(db: DatabaseSync, work: () => T | Promise<T>, wait = LOCK_WAIT): Promise<T> {
  whenUnlocked(() => begin(db), wait)
  try {
    return await work()
  } finally {
    db.exec('ROLLBACK')
  }
}

/**
 * Tries until the database is not locked, at most for `wait` milliseconds. SQLite's own waiting asks at intervals that
 * grow to 100 ms; a writer that never pauses releases its lock for a fraction of a millisecond, so we ask more often.
 */
export function whenUnlocked<T>(attempt: () => T, wait = LOCK_WAIT): T {
  const end = Date.now() + wait
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if (resultCode(error) !== SQLITE.BUSY || Date.now() > end) throw error
      pause()
    }
  }
}

/** Sleeps for a millisecond, in the whole process. */
export function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}

/** Doubles the quotes: a name as SQL writes it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The single value of the first row. */
export function valueOf(db: DatabaseSync, sql: string): unknown {
  const row = db.prepare(sql).get()
  return row === undefined ? undefined : Object.values(row)[0]
}

/**
 * Connects and reads the schema, so that whatever is wrong with the file shows here. Old schemas may contain string
 * literals in double quotes, and copies may violate foreign keys, so neither is refused.
 */
export function connect(
  path: string,
  options: DatabaseSyncOptions,
  query = '',
  wait = LOCK_WAIT,
): DatabaseSync {
  const url = pathToFileURL(path)
  url.search = query
  const db = new DatabaseSync(url, {
    timeout: 0,
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: true,
    ...options,
  })
  try {
    whenUnlocked(() => db.prepare('SELECT count(*) FROM sqlite_schema').get(), wait)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * A reader in write-ahead mode makes the -wal and -shm files and cannot remove them. They are removed as SQLite itself
 * does it: by a writer that is the last one to close.
 */
function closeQuietly(db: DatabaseSync, path: string, hadWal: boolean): void {
  db.close()
  if (hadWal || !existsSync(`${path}-wal`)) return
  try {
    connect(path, {}, '?mode=rw', 0).close()
  } catch (error) {
    if (resultCode(error) === undefined) throw error // else a program is writing, or we may not: they are harmless
  }
}

function begin(db: DatabaseSync): void {
  db.exec('BEGIN')
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get() // takes the lock, which BEGIN does not
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** Copies the database and its journal and lets SQLite repair the copy. Right only where nobody can be writing. */
async function openRepairedCopy(path: string, workDirectory: string): Promise<OpenDatabase> {
  const copy = join(workDirectory, 'source.db')
  const parts = ['', '-wal', '-journal'].filter((suffix) => existsSync(path + suffix))
  const remove = () => ['', ...SIDE_FILES].forEach((suffix) => rmSync(copy + suffix, { force: true }))
  const bytes = parts.reduce((sum, suffix) => sum + statSync(path + suffix).size, 0)
  await checkRoom(workDirectory, 2 * bytes, `Reading ${path} on a read-only file system`)
  try {
    for (const suffix of parts) copyFileSync(path + suffix, copy + suffix)
    const { db } = openWritable(copy)
    return {
      db,
      [Symbol.dispose]() {
        db.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw explain(error, path)
  }
}

function isOnReadOnlyFileSystem(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK)
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') return true
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw error
  }
}
