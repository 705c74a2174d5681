import { fileURLToPath } from 'node:url'
import type { SqlRequest, SqlRun } from '../engine.ts'
import { compileCache } from './apart.ts'
import { databasePath, type SqliteConnection } from './connection.ts'

const MAIN = fileURLToPath(new URL('run-sql-main.ts', import.meta.url))

/** By SQLite itself, in a process of its own, as everything else that is done to a file. */
export function runSql({ connection, database }: SqlRequest<SqliteConnection>): SqlRun {
  const path = databasePath(connection, database)
  return {
    command: {
      file: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', MAIN, path],
      env: compileCache(),
    },
  }
}
