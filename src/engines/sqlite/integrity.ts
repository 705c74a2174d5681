import type { DatabaseSync } from 'node:sqlite'
import { AppError, messageOf } from '../../shared/errors.ts'
import { quoteName } from './open.ts'
import { countedTables } from './tables.ts'

/**
 * Checks every page, index and row; throws `database_corrupt` if the file is damaged. Rows that break a rule of their
 * own schema (NOT NULL, a foreign key) are no damage: SQLite lets programs write them. They are returned as
 * sentences, as are tables that cannot be checked because only their application knows a function or collation. The
 * database is a file that nobody else writes to.
 */
export function checkIntegrity(db: DatabaseSync, path: string): string[] {
  db.exec('PRAGMA cache_size = -32768')
  // The file is ours alone, so nobody cuts it short under the map. Spares a third of the processor time.
  db.exec('PRAGMA mmap_size = 2147418112')
  const { findings, unchecked } = findProblems(db)
  const damage = findings.filter((finding) => !BROKEN_RULE.test(finding))
  if (damage.length > 0) {
    const more = damage.length > 1 ? ` (and ${damage.length - 1} more)` : ''
    throw new AppError('database_corrupt', `${path} is damaged: ${damage[0]}${more}.`, {
      hint: 'Restore an earlier snapshot, or save what can be read with “sqlite3 FILE .recover”.',
    })
  }
  const broken = new Map<string, number>()
  for (const finding of findings) broken.set(finding, (broken.get(finding) ?? 0) + 1)
  return [
    ...[...broken].map(([finding, times]) => `${finding} (${rowsOf(times)}).`),
    ...unchecked,
    ...checkForeignKeys(db),
  ]
}

// Source: https://github.com/sqlite/sqlite/blob/master/src/pragma.c, case PragTyp_INTEGRITY_CHECK
const BROKEN_RULE = /^(NULL value in |non-[A-Z]+ value in |[A-Z]+ value in )/

// Collations are reported as SQLITE_ERROR_MISSING_COLLSEQ, functions and modules as plain errors.
const ONLY_THE_APPLICATION_KNOWS =
  /^(no such collation sequence|unknown function|no such function|no such module)/

function findProblems(db: DatabaseSync): { findings: string[]; unchecked: string[] } {
  try {
    return { findings: integrityCheck(db), unchecked: [] }
  } catch (error) {
    if (!ONLY_THE_APPLICATION_KNOWS.test(messageOf(error))) throw error
  }
  const findings: string[] = []
  const unchecked: string[] = []
  for (const { name } of db.prepare(CHECKED_TABLES).all() as { name: string }[]) {
    try {
      findings.push(...integrityCheck(db, name))
    } catch (error) {
      if (!ONLY_THE_APPLICATION_KNOWS.test(messageOf(error))) throw error
      unchecked.push(`Table ${name} could not be checked: ${messageOf(error)}.`)
    }
  }
  return { findings, unchecked }
}

const CHECKED_TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name`

function integrityCheck(db: DatabaseSync, table?: string): string[] {
  const pragma = table === undefined ? 'integrity_check' : `integrity_check(${quoteName(table)})`
  const lines = db.prepare(`PRAGMA ${pragma}`).all() as { integrity_check: string }[]
  return lines.map((line) => line.integrity_check).filter((text) => text !== 'ok')
}

/** Per table and parent the number of rows whose parent is missing. */
function checkForeignKeys(db: DatabaseSync): string[] {
  const warnings: string[] = []
  for (const name of countedTables(db)) {
    try {
      const orphans = new Map<string, number>()
      const rows = db.prepare(`PRAGMA foreign_key_check(${quoteName(name)})`).iterate() as Iterable<{
        parent: string
      }>
      for (const { parent } of rows) orphans.set(parent, (orphans.get(parent) ?? 0) + 1)
      for (const [parent, count] of orphans) {
        warnings.push(`Table ${name} has ${rowsOf(count)} whose parent in ${parent} is missing.`)
      }
    } catch (error) {
      warnings.push(`The foreign keys of table ${name} could not be checked: ${messageOf(error)}.`)
    }
  }
  return warnings
}

function rowsOf(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`
}
