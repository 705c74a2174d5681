import { rmSync } from 'node:fs'
import type { SQLOutputValue } from 'node:sqlite'
import type { DatabaseFacts, DumpContents } from '../engine.ts'
import { keepChosen, type Choice } from './choose.ts'
import { copyDatabase, flush } from './copy.ts'
import { explain } from './explain.ts'
import { checkIntegrity } from './integrity.ts'
import { openSource, openUnchanging, quoteName, reading, valueOf } from './open.ts'
import { removeDatabase, replaceDatabase } from './replace.ts'
import { countTables } from './tables.ts'

/**
 * What is done to database files, each in a process of its own (apart.ts). Requests and results are JSON; whatever
 * goes wrong is an AppError.
 */
export const operations = {
  /** What the file is, without changing it. */
  async describe(request: { path: string }): Promise<DatabaseFacts & { journalMode: string }> {
    return explained(request.path, async () => {
      using source = await openSource(request.path)
      const { db } = source
      const number = (pragma: string) => Number(valueOf(db, `PRAGMA ${pragma}`))
      return await reading(db, () => ({
        bytes: Math.max(1, number('page_count')) * number('page_size'),
        encoding: String(valueOf(db, 'PRAGMA encoding')),
        journalMode: String(valueOf(db, 'PRAGMA journal_mode')),
      }))
    })
  },

  async count(request: { path: string }): Promise<Record<string, number>> {
    return explained(request.path, async () => {
      using source = await openSource(request.path)
      return await reading(source.db, () => countTables(source.db))
    })
  },

  /** Null if there is no such table. */
  async rows({
    path,
    table,
  }: {
    path: string
    table: string
  }): Promise<Record<string, string | null>[] | null> {
    return explained(path, async () => {
      using copy = openUnchanging(path)
      const found = copy.db
        .prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`)
        .get(table)
      if (found === undefined) return null
      return copy.db
        .prepare(`SELECT * FROM ${quoteName(table)}`)
        .all()
        .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)])))
    })
  },

  async copy(request: { source: string; target: string; workDirectory: string }): Promise<DumpContents> {
    return explained(request.source, async () => {
      try {
        return await copyDatabase(request)
      } catch (error) {
        rmSync(request.target, { force: true })
        throw error
      }
    })
  },

  /** Proves that a file is a sound database, and leaves in it what was chosen. */
  async accept(request: { path: string } & Choice): Promise<void> {
    return explained(request.path, async () => {
      verify(request.path)
      if (request.content !== 'all' || request.tables.length > 0) {
        keepChosen(request.path, request)
        verify(request.path)
      }
      flush(request.path)
    })
  },

  async replace(request: { from: string; to: string; force: boolean }): Promise<void> {
    return explained(request.to, async () => replaceDatabase(request))
  },

  async remove(request: { path: string; force: boolean }): Promise<void> {
    return explained(request.path, async () => removeDatabase(request))
  },
}

function textOf(value: SQLOutputValue): string | null {
  return value === null ? null : String(value)
}

function verify(path: string): void {
  using copy = openUnchanging(path)
  checkIntegrity(copy.db, path)
}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(error, path)
  }
}
