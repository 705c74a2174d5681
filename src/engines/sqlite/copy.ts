import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, type DatabaseSync } from 'node:sqlite'
import type { DumpContents } from '../engine.ts'
import { AppError } from '../../shared/errors.ts'
import { resultCode, SQLITE } from './explain.ts'
import { checkIntegrity } from './integrity.ts'
import { openSource, openUnchanging, valueOf } from './open.ts'
import { countTables } from './tables.ts'

/** Pages per step of a copy that lets writers in between: a few milliseconds' worth. */
const STEP = 2_000
/** How often a writer may send such a copy back to the start before it is done in one go. */
const RESTARTS = 2
/** How long a lock may keep us from the next page, in milliseconds. */
const PATIENCE = 60_000

/**
 * Makes a consistent copy of a database that others may be writing to, and checks it.
 *
 * In write-ahead mode readers and writers do not meet: the copy is made within one read transaction. In the other modes
 * a reader keeps writers from committing, and a write sends a backup back to its first page. So the copy goes page by
 * page, with room for writers between the steps; when they have sent it back `RESTARTS` times, it keeps its read lock
 * for one pass, during which writers wait and readers do not. Thus a writer that never pauses delays the copy by a few
 * passes, and is itself kept waiting for one at most.
 */
export async function copyDatabase(request: {
  source: string
  target: string
  workDirectory: string
}): Promise<DumpContents> {
  using source = await openSource(request.source, request.workDirectory)
  await copyPages(source.db, request.source, request.target)
  using copy = openUnchanging(request.target)
  const warnings = checkIntegrity(copy.db, request.source)
  return { rows: countTables(copy.db), warnings }
}

/** Flushes a file, or a directory's entries, to the disk. */
export function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Gives a file its final name, replacing what has it, so that a power cut leaves the one or the other. */
export function moveDurably(from: string, to: string): void {
  flush(from)
  renameSync(from, to)
  flush(dirname(to))
}

class Restarted extends Error {}

async function copyPages(db: DatabaseSync, path: string, target: string): Promise<void> {
  if (valueOf(db, 'PRAGMA journal_mode') === 'wal') return copyInOneGo(db, path, target)
  try {
    await copyStepwise(db, path, target)
  } catch (error) {
    if (!(error instanceof Restarted)) throw error
    await copyInOneGo(db, path, target)
  }
}

async function copyInOneGo(db: DatabaseSync, path: string, target: string): Promise<void> {
  await withPatience(path, () => {
    db.exec('BEGIN')
    try {
      db.prepare('SELECT count(*) FROM sqlite_schema').get() // takes the lock, which BEGIN does not
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  })
  try {
    rmSync(target, { force: true })
    await backup(db, target, { rate: 2 ** 31 - 1 })
  } finally {
    db.exec('ROLLBACK')
  }
}

async function copyStepwise(db: DatabaseSync, path: string, target: string): Promise<void> {
  let before = Infinity
  let restarts = 0
  let movedAt = Date.now()
  const progress = ({ remainingPages }: { remainingPages: number }) => {
    if (remainingPages > before && ++restarts > RESTARTS) throw new Restarted()
    if (remainingPages !== before) movedAt = Date.now()
    else if (Date.now() - movedAt > PATIENCE) throw lockedTooLong(path)
    before = remainingPages
  }
  await withPatience(path, async () => {
    rmSync(target, { force: true })
    if (existsSync(`${target}-journal`)) rmSync(`${target}-journal`)
    await backup(db, target, { rate: STEP, progress })
  })
}

/** Tries again while the database is locked. SQLite itself waits within each attempt. */
async function withPatience(path: string, attempt: () => void | Promise<void>): Promise<void> {
  const end = Date.now() + PATIENCE
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (resultCode(error) !== SQLITE.BUSY) throw error
      if (Date.now() > end) throw lockedTooLong(path, error)
    }
  }
}

function lockedTooLong(path: string, cause?: unknown): AppError {
  return new AppError(
    'database_in_use',
    `${path} was locked by another process for ${PATIENCE / 1000} seconds.`,
    {
      hint: 'A program holds a long transaction, or keeps the file in exclusive locking mode. Try again when it is done.',
      cause,
    },
  )
}
