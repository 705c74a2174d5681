import type { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../shared/errors.ts'
import { quoteName } from './open.ts'

/** The names of the tables that a person would call so, sorted: no views, and no tables that SQLite or a module keeps. */
export function countedTables(db: DatabaseSync): string[] {
  const rows = db.prepare('PRAGMA main.table_list').all() as { name: string; type: string }[]
  return rows
    .filter(({ name, type }) => (type === 'table' || type === 'virtual') && !/^sqlite_/i.test(name))
    .map(({ name }) => name)
    .sort()
}

/**
 * Exact numbers of rows per table. A table that this SQLite cannot read, because only its application knows a module
 * or collation, is left out.
 */
export function countTables(db: DatabaseSync): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of countedTables(db)) {
    try {
      const row = db.prepare(`SELECT count(*) AS rows FROM ${quoteName(name)}`).get()
      counts[name] = Number(row?.['rows'])
    } catch (error) {
      if (!/^no such (module|collation sequence|function)/.test(messageOf(error))) throw error
    }
  }
  return counts
}
