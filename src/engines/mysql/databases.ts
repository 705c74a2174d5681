import { AppError } from '../../shared/errors.ts'
import type { DatabaseFacts, ServerFacts } from '../engine.ts'
import { patternOf } from './filter.ts'
import { grantsOf, holds, missingPrivileges } from './privileges.ts'
import { openSession, quoteName, type Session } from './session.ts'
import type { MysqlConnection } from './settings.ts'
import { isMarked, MARK } from './unfinished-mark.ts'

const SYSTEM = new Set(['information_schema', 'performance_schema', 'mysql', 'sys'])

export async function inspect(settings: MysqlConnection, signal: AbortSignal): Promise<ServerFacts> {
  await using session = await openSession(settings, signal)
  const [row] = await session.query<{ version: string; comment: string; user: string; log: number }>(
    'SELECT VERSION() AS version, @@version_comment AS comment, CURRENT_USER() AS user, @@log_bin AS log',
  )
  if (!row) throw new AppError('database_error', 'The server does not say what it is.')
  const flavour = /mariadb/i.test(row.version + row.comment) ? 'mariadb' : 'mysql'
  const grants = await grantsOf(session)
  const mayAsk = holds(grants, 'REPLICATION CLIENT') || holds(grants, 'BINLOG MONITOR')
  return {
    flavour,
    version: /^(?:5\.5\.5-)?(\d+(?:\.\d+)*)/.exec(row.version)?.[1] ?? row.version,
    tls: session.tls,
    user: row.user,
    superuser: holds(grants, 'SUPER'),
    details: {
      binaryLog: row.log === 1,
      // Whether the dump can tell its position in the binary log. The tool locks all tables for a moment to learn it.
      position: row.log === 1 && mayAsk && holds(grants, 'RELOAD'),
    },
  }
}

export async function listDatabases(settings: MysqlConnection, signal: AbortSignal): Promise<string[]> {
  await using session = await openSession(settings, signal)
  return (await allDatabases(session)).filter((name) => !SYSTEM.has(name.toLowerCase())).sort()
}

/** By their names alone, whose case does not count on every server. */
export async function checkTarget(_: MysqlConnection, database: string): Promise<void> {
  if (!SYSTEM.has(database.toLowerCase())) return
  throw new AppError(
    'invalid_input',
    `“${database}” is a database of the server itself: nothing is restored into it, or into its place.`,
    {
      hint: `Restore under another name, such as ${database}_restored, and take from there what is needed.`,
    },
  )
}

/** For each pattern, in which `*` stands for anything, whether the database has such a table or view. */
export async function tablesLike(
  settings: MysqlConnection,
  database: string,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<boolean[]> {
  await using session = await openSession(settings, signal)
  const rows = await session.query<{ name: string }>(
    'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [database],
  )
  return patterns.map((pattern) => rows.some(({ name }) => patternOf([pattern])(name)))
}

export async function databaseExists(
  settings: MysqlConnection,
  database: string,
  signal: AbortSignal,
): Promise<boolean> {
  await using session = await openSession(settings, signal)
  return await exists(session, database)
}

export async function describe(
  settings: MysqlConnection,
  database: string,
  signal: AbortSignal,
): Promise<DatabaseFacts> {
  await using session = await openSession(settings, signal)
  if (!(await exists(session, database))) throw notFound(database)
  const [facts] = await session.query<{ encoding: string; collation: string }>(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS encoding, DEFAULT_COLLATION_NAME AS collation
       FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?`,
    [database],
  )
  const [size] = await session.query<{ bytes: string | number | null }>(
    'SELECT SUM(DATA_LENGTH + INDEX_LENGTH) AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [database],
  )
  return {
    bytes: Number(size?.bytes ?? 0),
    encoding: facts?.encoding,
    collation: facts?.collation,
    warnings: await warningsFor(session, database),
  }
}

/** Exact numbers, all of the same moment where the tables' engines know moments. */
export async function countRows(
  settings: MysqlConnection,
  database: string,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  await using session = await openSession(settings, signal, database)
  await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT')
  const tables = await session.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME <> ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME`,
    [database, MARK],
  )
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    const [row] = await session.query<{ rows: number | string }>(
      `SELECT COUNT(*) AS ${quoteName('rows')} FROM ${quoteName(name)}`,
    )
    counts[name] = Number(row?.rows)
  }
  return counts
}

export async function createDatabase(
  settings: MysqlConnection,
  database: string,
  like: Partial<DatabaseFacts>,
  signal: AbortSignal,
): Promise<void> {
  await using session = await openSession(settings, signal)
  if (await exists(session, database)) {
    throw new AppError('database_exists', `There is a database “${database}” already.`, {
      hint: 'Choose another name, or the mode that replaces it.',
    })
  }
  const characters = like.encoding === undefined ? '' : ` CHARACTER SET ${word(like.encoding)}`
  const collation = like.collation === undefined ? '' : ` COLLATE ${word(like.collation)}`
  await session.query(`CREATE DATABASE ${quoteName(database)}${characters}${collation}`)
}

export async function dropDatabase(
  settings: MysqlConnection,
  database: string,
  signal: AbortSignal,
  { endSessions = false }: { endSessions?: boolean } = {},
): Promise<void> {
  await using session = await openSession(settings, signal)
  if (!(await exists(session, database))) return
  const others = await session.query<{ id: number; user: string }>(
    'SELECT ID AS id, USER AS user FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()',
    [database],
  )
  if (others.length > 0 && !endSessions) {
    const users = [...new Set(others.map(({ user }) => user))].join(', ')
    throw new AppError(
      'database_in_use',
      `“${database}” is in use by ${others.length} sessions (${users}).`,
      {
        hint: 'Stop the application, or choose to end its sessions.',
      },
    )
  }
  for (const { id } of others) await endSession(session, id)
  await session.query('SET SESSION lock_wait_timeout = 30')
  await session.query(`DROP DATABASE IF EXISTS ${quoteName(database)}`)
}

async function endSession(session: Session, id: number): Promise<void> {
  try {
    await session.query(`KILL ${id}`)
  } catch (error) {
    if (!/Unknown thread id/.test(String(error))) throw error // it has ended by itself
  }
}

async function warningsFor(session: Session, database: string): Promise<string[]> {
  const missing = await missingPrivileges(session, database)
  const unsafe = await session.query<{ name: string; engine: string }>(
    `SELECT t.TABLE_NAME AS name, t.ENGINE AS engine
       FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
      WHERE t.TABLE_SCHEMA = ? AND t.TABLE_TYPE = 'BASE TABLE' AND (e.TRANSACTIONS IS NULL OR e.TRANSACTIONS <> 'YES')
      ORDER BY t.TABLE_NAME`,
    [database],
  )
  const broken = await brokenViews(session, database)
  return [
    ...((await isMarked(session, database))
      ? [
          'A restore into this database was interrupted, or is running: it may be only half of what it is to be.',
        ]
      : []),
    ...missing.map(
      ({ what, grant }) => `The user may not ${what}; what it cannot see is not in the dump: ${grant}`,
    ),
    ...unsafe.map(
      ({ name, engine }) =>
        `Table ${name} is ${engine}: not part of the consistent snapshot if it is written to meanwhile.`,
    ),
    ...broken.map(({ name, why }) => `View ${name} makes the dump fail: ${why}`),
  ]
}

/** The views that cannot be read, asked as the dump tools ask. */
async function brokenViews(session: Session, database: string): Promise<{ name: string; why: string }[]> {
  const views = await session.query<{ name: string }>(
    'SELECT TABLE_NAME AS name FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME',
    [database],
  )
  const broken: { name: string; why: string }[] = []
  for (const { name } of views) {
    try {
      await session.query(`SHOW FIELDS FROM ${quoteName(database)}.${quoteName(name)}`)
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'database_unreachable') throw error
      broken.push({ name, why: error.message })
    }
  }
  return broken
}

/** Names are compared here: the server would take A and a for the same, whatever lower_case_table_names says. */
async function exists(session: Session, database: string): Promise<boolean> {
  const names = await allDatabases(session)
  if (names.includes(database)) return true
  const [row] = await session.query<{ folding: number }>('SELECT @@lower_case_table_names AS folding')
  return row?.folding !== 0 && names.some((name) => name.toLowerCase() === database.toLowerCase())
}

async function allDatabases(session: Session): Promise<string[]> {
  const rows = await session.query<Record<string, string>>('SHOW DATABASES')
  return rows.map((row) => Object.values(row)[0] ?? '')
}

/** The name of a character set or collation, which cannot be quoted. */
function word(name: string): string {
  if (/^\w+$/.test(name)) return name
  throw new AppError('invalid_input', `“${name}” is no character set or collation.`)
}

function notFound(database: string): AppError {
  return new AppError(
    'database_not_found',
    `There is no database “${database}”, or the user may not see it.`,
    {
      hint: 'Check the name; on most servers case matters.',
    },
  )
}
