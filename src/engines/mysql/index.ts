import { AppError } from '../../shared/errors.ts'
import { defineEngine } from '../engine.ts'
import {
  checkTarget,
  countRows,
  createDatabase,
  databaseExists,
  describe,
  dropDatabase,
  inspect,
  listDatabases,
} from './databases.ts'
import { planDump } from './dump.ts'
import { explainTool } from './explain.ts'
import { dumpOptions, leftOut, restoreOptions } from './options.ts'
import {
  backupUserStatements,
  missingForRestore,
  missingPrivileges,
  missingPrivilegesOfAll,
} from './privileges.ts'
import { mysqlDumpReader } from './reader.ts'
import { planRestore } from './restore.ts'
import { runSql } from './run-sql.ts'
import { openSession } from './session.ts'
import { addressOf, connectionSettings, fromUrl } from './settings.ts'
import { mysqlTools } from './tools.ts'
import { unfinishedMark } from './unfinished-mark.ts'

const INSPECTION_LIMIT = 10_000
/** Characters in the name of a database. */
const LONGEST_NAME = 64

export const mysql = defineEngine({
  label: 'MySQL and MariaDB',
  schemes: ['mysql', 'mariadb'],
  fromUrl,
  connection: connectionSettings,
  dumpOptions,
  leftOut,
  restoreOptions,
  tools: mysqlTools,

  async inspect(connection, signal) {
    const limit = AbortSignal.timeout(INSPECTION_LIMIT)
    try {
      return await inspect(connection, AbortSignal.any([signal, limit]))
    } catch (error) {
      if (error !== limit.reason) throw error
      throw new AppError(
        'database_unreachable',
        `${addressOf(connection)} does not answer within 10 seconds.`,
        {
          hint: 'A firewall may drop the packets, or the server is overloaded.',
          cause: error,
        },
      )
    }
  },
  listDatabases,
  describe,
  async missingPrivileges(connection, database, signal) {
    await using session = await openSession(connection, signal)
    return await missingPrivileges(session, database)
  },
  async missingPrivilegesOfAll(connection, databases, signal) {
    await using session = await openSession(connection, signal)
    return await missingPrivilegesOfAll(session, databases)
  },
  backupUserStatements,

  dump: planDump,
  readDump: mysqlDumpReader,
  restore: planRestore,
  runSql,
  explain: explainTool,

  checkTarget,
  async missingForRestore(connection, { database }, signal) {
    await using session = await openSession(connection, signal)
    return await missingForRestore(session, database)
  },
  databaseExists,
  createDatabase,
  dropDatabase,
  besideName(database, token) {
    const suffix = `_${token}`
    return (
      Array.from(database)
        .slice(0, LONGEST_NAME - suffix.length)
        .join('') + suffix
    )
  },
  unfinishedMark,
  countRows,
})
