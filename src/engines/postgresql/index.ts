import { AppError } from '../../shared/errors.ts'
import { defineEngine, type DumpReader } from '../engine.ts'
import { ArchiveWalker } from './archive.ts'
import {
  checkTarget,
  countRows,
  createDatabase,
  databaseExists,
  describe,
  dropDatabase,
  exchangeDatabases,
  inspect,
  listDatabases,
  renameDatabase,
} from './databases.ts'
import { DirectoryReader } from './directory.ts'
import { dump } from './dump.ts'
import { explain } from './explain.ts'
import { besideName, countedName } from './names.ts'
import { dumpOptions, leftOut, restoreOptions } from './options.ts'
import { refuseOwn } from './own-store.ts'
import { ScriptReader } from './plain.ts'
import { backupUserStatements, missingForRestore, missingPrivileges } from './privileges.ts'
import { restore, restoreGlobals } from './restore.ts'
import { readTable } from './read-table.ts'
import { runSql } from './run-sql.ts'
import { connectionSettings, fromUrl } from './settings.ts'
import { pgDump, pgDumpAll, pgRestore, psql } from './tools.ts'

/** PostgreSQL 12 to 18, by its own tools. */
export const postgresql = defineEngine({
  label: 'PostgreSQL',
  schemes: ['postgresql', 'postgres'],
  fromUrl,
  connection: connectionSettings,
  dumpOptions,
  leftOut,
  restoreOptions,
  tools: [pgDump, pgRestore, psql, pgDumpAll],
  inspect,
  listDatabases,
  describe,
  missingPrivileges,
  backupUserStatements,
  dump,
  readDump,
  readTable,
  restore,
  globals: { format: 'globals', what: 'the roles and tablespaces of a server', restore: restoreGlobals },
  runSql,
  explain,
  checkTarget,
  refuseOwn,
  missingForRestore,
  databaseExists,
  createDatabase,
  dropDatabase,
  renameDatabase,
  exchangeDatabases,
  besideName,
  countRows,
  countedName,
})

function readDump(format: string): DumpReader {
  switch (format) {
    case 'custom':
      return new ArchiveWalker()
    case 'plain':
      return new ScriptReader('database')
    case 'directory':
      return new DirectoryReader()
    case 'globals':
      return new ScriptReader('database cluster')
    default:
      throw new AppError('unsupported', `PostgreSQL has no dumps of the format “${format}”.`)
  }
}
