import { chmodSync, chownSync, existsSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { flush, moveDurably } from './copy.ts'
import { resultCode, SQLITE } from './explain.ts'
import { holdersOf } from './holders.ts'
import { openWritable, SIDE_FILES, valueOf } from './open.ts'

/**
 * Gives a database file another name; what has that name is replaced in one step, and the new file gets its owner and
 * permissions. The journals of the replaced file are merged into it or removed before, because SQLite would apply
 * a stale one to the new file. Throws `database_in_use` while another process has either file open, unless forced.
 */
export function replaceDatabase({ from, to, force }: { from: string; to: string; force: boolean }): void {
  const target = existsSync(to) ? realpathSync(to) : to // a symbolic link stays, its file is replaced
  settle(from, force)
  using _target = seize(target, force)
  const old = statSync(target, { throwIfNoEntry: false })
  if (old) adopt(from, old)
  removeSideFiles(target)
  flush(dirname(target))
  moveDurably(from, target)
  if (dirname(from) !== dirname(target)) flush(dirname(from))
}

/** Removes the file and its journals. Succeeds if it is already gone. */
export function removeDatabase({ path, force }: { path: string; force: boolean }): void {
  using _database = seize(path, force)
  rmSync(path, { force: true })
  removeSideFiles(path)
  if (existsSync(dirname(path))) flush(dirname(path))
}

/**
 * Makes sure that nobody else uses the database, merges its journals into it, and keeps it locked until disposed. A
 * file that is no database, or a damaged one, cannot be locked; it has no journals worth keeping either.
 */
function seize(path: string, force: boolean): Disposable {
  const unlocked = { [Symbol.dispose]() {} }
  if (!existsSync(path)) return unlocked
  if (!force) refuseHolders(path)
  try {
    const database = openWritable(path, 0)
    try {
      // As long as anyone else is connected in write-ahead mode, this fails. Afterwards there is no -wal and no -shm.
      if (valueOf(database.db, 'PRAGMA journal_mode = DELETE') !== 'delete') {
        throw inUse(path, 'by another process')
      }
      database.db.exec('BEGIN EXCLUSIVE')
      return database // closing it ends the transaction
    } catch (error) {
      database[Symbol.dispose]()
      throw error
    }
  } catch (error) {
    const code = resultCode(error)
    if (code === SQLITE.NOTADB || code === SQLITE.CORRUPT) return unlocked
    const busy = code === SQLITE.BUSY || (error instanceof AppError && error.code === 'database_in_use')
    if (!busy) throw error
    if (force) return unlocked
    throw error instanceof AppError ? error : inUse(path, 'by another process', error)
  }
}

/** Merges the journals of a file that is about to move without them. It keeps its journal mode. */
function settle(path: string, force: boolean): void {
  if (!force) refuseHolders(path)
  const hasJournal = () => SIDE_FILES.some((suffix) => existsSync(path + suffix))
  if (!hasJournal()) return
  checkpoint(path)
  if (hasJournal() && !force) throw inUse(path, 'by another process')
}

function checkpoint(path: string): void {
  using database = openWritable(path)
  database.db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

function refuseHolders(path: string): void {
  const holders = holdersOf(path)
  if (holders.length === 0) return
  throw inUse(path, `by ${holders.map(({ pid, name }) => `${name} (process ${pid})`).join(', ')}`)
}

function removeSideFiles(path: string): void {
  for (const suffix of SIDE_FILES) rmSync(path + suffix, { force: true })
}

function adopt(path: string, old: { uid: number; gid: number; mode: number }): void {
  const mine = statSync(path)
  if (mine.uid !== old.uid || mine.gid !== old.gid) chownSync(path, old.uid, old.gid)
  chmodSync(path, old.mode & 0o7777)
}

function inUse(path: string, whom: string, cause?: unknown): AppError {
  return new AppError('database_in_use', `${path} is in use ${whom}.`, {
    hint: 'Stop the application, or choose to replace the file nevertheless: a program that has the old file open goes on with the old data, and must be restarted.',
    cause,
  })
}
