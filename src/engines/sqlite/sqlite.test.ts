import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { engineConformance, type EngineBed } from '../conformance.ts'
import type { Engine } from '../engine.ts'
import { sqlite } from './index.ts'
import { AWKWARD, fingerprintOf } from './test-data.ts'

// As bin/holdfast does: every operation on a file is a process of its own.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../../../node_modules/.cache/holdfast-tests')

engineConformance('SQLite', { start })

async function start(): Promise<EngineBed> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
  mkdirSync(join(folder, 'data'))
  const make = (path: string, sql: string) => {
    const db = new DatabaseSync(pathToFileURL(path))
    db.exec(sql)
    db.close()
  }
  make(join(folder, 'main.db'), 'CREATE TABLE main (a)')
  return {
    engine: sqlite as unknown as Engine,
    connection: { path: join(folder, 'main.db') },
    secrets: [],
    formats: [{ title: 'copy', options: {} }],
    databaseNamed: (name) => join(folder, 'data', name.replaceAll('/', '∕')),
    async fill(path) {
      make(path, AWKWARD)
    },
    async createEmpty(path) {
      make(path, 'PRAGMA user_version = 1')
    },
    async fillWithHugeRow(path) {
      make(path, 'CREATE TABLE huge (bytes); INSERT INTO huge VALUES (randomblob(20 * 1024 * 1024))')
    },
    async fillLarge(path) {
      make(
        path,
        `CREATE TABLE large (id INTEGER PRIMARY KEY, bytes); CREATE TABLE other (a);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 140)
         INSERT INTO large SELECT i, randomblob(100 * 1024) FROM n`,
      )
    },
    async fingerprint(path) {
      return fingerprintOf(path)
    },
    async dropTableDuring(path) {
      make(path, 'DROP TABLE other')
    },
    intrusions: (path) => [
      `attach '${path}2' as other; create table other.marks (note)`,
      `attach '${path}' || '2' as other; create table other.marks (note)`,
      `vacuum into '${path}2'`,
    ],
    exceptions: {
      'adds to an existing database and leaves what is there':
        'a dump is the whole file: restore() refuses the mode, see restore.test.ts',
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true })
    },
  }
}
