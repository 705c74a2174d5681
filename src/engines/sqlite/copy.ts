import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, type DatabaseSync } from 'node:sqlite'
import type { DumpContents } from '../engine.ts'
import { resultCode, SQLITE } from './explain.ts'
import { checkIntegrity } from './integrity.ts'
import { openSource, openUnchanging, pause, reading, valueOf, whenUnlocked } from './open.ts'
import { countTables } from './tables.ts'

/** Pages per step of a copy that lets writers in between: a few milliseconds' worth. */
const STEP = 2_000
/** How often a writer may send such a copy back to the start before it is done in one go. */
const RESTARTS = 2
/** How often it may find the database locked. */
const WAITS = 1_000
/** How long to wait for the lock that a copy in one go needs, in milliseconds. */
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
  using source = await openSource(request.source, request.workDirectory, PATIENCE)
  await copyPages(source.db, request.target)
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

async function copyPages(db: DatabaseSync, target: string): Promise<void> {
  const mode = whenUnlocked(() => valueOf(db, 'PRAGMA journal_mode'), PATIENCE)
  if (mode !== 'wal') {
    try {
      return await copyStepwise(db, target)
    } catch (error) {
      if (!(error instanceof Restarted) && !foundItLocked(error)) throw error
      rmSync(target, { force: true })
    }
  }
  await copyInOneGo(db, target)
}

/** A lock at the first step is reported with the target's result code, which is 0: “not an error”. */
function foundItLocked(error: unknown): boolean {
  const code = resultCode(error)
  return code === SQLITE.BUSY || code === 0
}

async function copyInOneGo(db: DatabaseSync, target: string): Promise<void> {
  await reading(db, () => backup(db, target, { rate: 2 ** 31 - 1 }), PATIENCE)
}

/** Throws `Restarted` when writers have sent it back, or kept it waiting, too often. */
async function copyStepwise(db: DatabaseSync, target: string): Promise<void> {
  let before = Infinity
  let restarts = 0
  let waits = 0
  await backup(db, target, {
    rate: STEP,
    progress({ remainingPages }) {
      if (remainingPages > before && ++restarts > RESTARTS) throw new Restarted()
      if (remainingPages === before) {
        if (++waits > WAITS) throw new Restarted()
        pause()
      }
      before = remainingPages
    },
  })
}
