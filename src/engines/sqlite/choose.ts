import { renameSync, rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { AppError, messageOf } from '../../shared/errors.ts'
import { connect, openWritable, quoteName, SIDE_FILES, valueOf } from './open.ts'
import { countedTables } from './tables.ts'

/** What of a dump is wanted. */
export interface Choice {
  /** `schema` is the tables without their rows. */
  content: 'all' | 'schema'
  /** These tables only, with what belongs to them; all if empty. */
  tables: string[]
}

/** Leaves in the file what was chosen, and no trace of the rest. Needs room for the result beside the file. */
export function keepChosen(path: string, choice: Choice): void {
  const rebuilt = `${path}.chosen`
  try {
    const mode = rebuild(path, rebuilt, choice)
    if (mode === 'wal') useWriteAheadLog(rebuilt)
    renameSync(rebuilt, path)
  } finally {
    for (const suffix of ['', ...SIDE_FILES]) rmSync(rebuilt + suffix, { force: true })
  }
}

/** Returns the journal mode that the original asks for. */
function rebuild(path: string, rebuilt: string, { content, tables }: Choice): unknown {
  using database = openWritable(path)
  const { db } = database
  const mode = valueOf(db, 'PRAGMA journal_mode')
  db.exec('PRAGMA journal_mode = DELETE')
  if (tables.length > 0) inTransaction(db, () => dropOthers(db, tables))
  if (content === 'schema') rebuildEmpty(db, rebuilt)
  else db.prepare('VACUUM INTO ?').run(rebuilt) // keeps row ids, which VACUUM does not
  return mode
}

function useWriteAheadLog(path: string): void {
  using database = openWritable(path)
  database.db.exec('PRAGMA journal_mode = WAL')
}

function dropOthers(db: DatabaseSync, tables: string[]): void {
  const present = countedTables(db)
  const missing = tables.filter((name) => !present.includes(name))
  if (missing.length > 0) {
    throw new AppError('nothing_matched', `The snapshot has no table “${missing.join('”, “')}”.`, {
      hint: `It has: ${present.join(', ')}.`,
    })
  }
  const triggers = objects(db, 'trigger')
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${quoteName(name)}`)
  for (const name of present) {
    if (!tables.includes(name)) db.exec(`DROP TABLE ${quoteName(name)}`)
  }
  dropBrokenViews(db)
  for (const trigger of triggers) restoreTrigger(db, trigger)
}

/** Drops the views that read a table which is gone, then those that read such a view, and so on. */
function dropBrokenViews(db: DatabaseSync): void {
  const broken = objects(db, 'view').filter(({ name }) => lacksTable(db, `SELECT * FROM ${quoteName(name)}`))
  for (const { name } of broken) db.exec(`DROP VIEW ${quoteName(name)}`)
  if (broken.length > 0) dropBrokenViews(db)
}

/** Puts a trigger back unless its table, or one that it uses, is gone. SQLite looks at its body only when it fires. */
function restoreTrigger(db: DatabaseSync, trigger: SchemaObject): void {
  if (valueOf(db, `SELECT count(*) FROM sqlite_schema WHERE name = ${quoteText(trigger.table)}`) === 0) return
  db.exec(trigger.sql)
  const table = quoteName(trigger.table)
  const columns = db.prepare(`PRAGMA table_xinfo(${table})`).all() as { name: string; hidden: number }[]
  const plain = columns.filter(({ hidden }) => hidden === 0).map(({ name }) => quoteName(name))
  const changes = [
    `INSERT INTO ${table} (${plain.join()}) VALUES (${plain.map(() => 'NULL').join()})`,
    `UPDATE ${table} SET ${plain.map((name) => `${name} = ${name}`).join()}`,
    `DELETE FROM ${table}`,
  ]
  if (changes.some((sql) => lacksTable(db, sql))) db.exec(`DROP TRIGGER ${quoteName(trigger.name)}`)
}

function lacksTable(db: DatabaseSync, sql: string): boolean {
  try {
    db.prepare(`EXPLAIN ${sql}`)
    return false
  } catch (error) {
    return messageOf(error).includes('no such table')
  }
}

/** A new file with the same schema and no row. Shadow tables come with their virtual table. */
function rebuildEmpty(db: DatabaseSync, path: string): void {
  const shadows = new Set(
    (db.prepare('PRAGMA main.table_list').all() as { name: string; type: string }[])
      .filter(({ type }) => type === 'shadow')
      .map(({ name }) => name),
  )
  const empty = connect(path, {})
  try {
    for (const pragma of ['page_size', 'encoding', 'auto_vacuum', 'user_version', 'application_id']) {
      empty.exec(`PRAGMA ${pragma} = ${quoteText(String(valueOf(db, `PRAGMA ${pragma}`)))}`)
    }
    inTransaction(empty, () => {
      for (const type of ['table', 'index', 'view', 'trigger'] as const) {
        for (const { name, table, sql } of objects(db, type)) {
          if (!shadows.has(name) && !shadows.has(table) && !/^sqlite_/i.test(name)) empty.exec(sql)
        }
      }
    })
  } finally {
    empty.close()
  }
}

interface SchemaObject {
  name: string
  table: string
  sql: string
}

function objects(db: DatabaseSync, type: 'table' | 'index' | 'view' | 'trigger'): SchemaObject[] {
  return db
    .prepare(
      `SELECT name, tbl_name AS "table", sql FROM sqlite_schema
        WHERE type = ? AND sql IS NOT NULL ORDER BY rowid`,
    )
    .all(type) as unknown as SchemaObject[]
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
