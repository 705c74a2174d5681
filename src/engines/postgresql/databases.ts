import { AppError, messageOf } from '../../shared/errors.ts'
import type { DatabaseFacts, ServerFacts } from '../engine.ts'
import { nameReader, roughly } from './encodings.ts'
import { besideName, quoteName, quoteText, tableName } from './names.ts'
import { withSession, type Session } from './session.ts'
import type { PostgresConnection } from './settings.ts'

/** Databases of PostgreSQL itself and of the clouds, which no user can or would back up. */
const SYSTEM_DATABASES = new Set([
  'template0',
  'template1',
  'rdsadmin',
  'cloudsqladmin',
  'alloydbadmin',
  'azure_maintenance',
  'azure_sys',
])

/** The size of a database is the sum of all its files, which takes its time when there are a million. */
const SIZE_LIMIT = 60_000

/** Settings of a database that a restored one should have too. Others could hold secrets: `app.jwt_secret`. */
const ORDINARY_SETTING = /^[A-Za-z_]+$/

export function inspect(connection: PostgresConnection, signal: AbortSignal): Promise<ServerFacts> {
  return withSession(connection, connection.maintenanceDatabase, signal, async (session) => {
    const [facts] = await session.query<{
      version: string
      user: string
      superuser: boolean
      standby: boolean
    }>(
      `select current_setting('server_version') as version, current_user as user,
              current_setting('is_superuser') = 'on' as superuser, pg_is_in_recovery() as standby`,
    )
    if (!facts) throw new AppError('database_error', 'The server does not say what it is.')
    return {
      flavour: 'postgresql',
      version: /^\d+(\.\d+)*/.exec(facts.version)?.[0] ?? facts.version,
      tls: session.tls,
      user: facts.user,
      superuser: facts.superuser,
      details: { standby: facts.standby },
    }
  })
}

export function listDatabases(connection: PostgresConnection, signal: AbortSignal): Promise<string[]> {
  return withSession(connection, connection.maintenanceDatabase, signal, async ({ query }) => {
    const rows = await query<{ name: string }>(
      `select datname::text as name from pg_database where datallowconn order by datname::text collate "C"`,
    )
    return rows.map(({ name }) => name).filter((name) => !SYSTEM_DATABASES.has(name))
  })
}

/** A template could neither be dropped when another database has its name, nor would that one be a template. */
export async function checkTarget(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<void> {
  if (SYSTEM_DATABASES.has(database)) {
    throw notATarget(`“${database}” is a database of the server itself`, database)
  }
  const templates = await withSession(connection, connection.maintenanceDatabase, signal, ({ query }) =>
    query('select from pg_database where datname = $1 and datistemplate', [database]),
  )
  if (templates.length > 0) throw notATarget(`“${database}” is a template for other databases`, database)
}

export function databaseExists(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<boolean> {
  return withSession(connection, connection.maintenanceDatabase, signal, ({ query }) =>
    exists(query, database),
  )
}

/** Size, character set, owner, settings, and what a backup of the database will not hold. */
export function describe(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<DatabaseFacts> {
  return withSession(
    connection,
    database,
    signal,
    async (session) => {
      const { query, major } = session
      const [facts] = await query<{
        bytes: string
        encoding: string
        collation: string
        ctype: string
        provider: string
        locale: string | null
        rules: string | null
        owner: string
      }>(
        `select pg_database_size(oid)::text as bytes, pg_encoding_to_char(encoding) as encoding,
              datcollate as collation, datctype as ctype, pg_get_userbyid(datdba)::text as owner,
              ${major >= 15 ? `datlocprovider::text` : `'c'`} as provider,
              ${major >= 17 ? 'datlocale' : major >= 15 ? 'daticulocale' : 'null'} as locale,
              ${major >= 16 ? 'daticurules' : 'null'} as rules
         from pg_database where datname = $1`,
        [database],
      )
      if (!facts) throw notFound(database)
      return {
        bytes: Number(facts.bytes),
        encoding: facts.encoding,
        collation: facts.collation,
        locale: {
          ctype: facts.ctype,
          provider: providers[facts.provider] ?? facts.provider,
          ...(facts.locale !== null && { locale: facts.locale }),
          ...(facts.rules !== null && { rules: facts.rules }),
        },
        owner: facts.owner,
        settings: await settingsOf(session, database),
        warnings: await warningsOf(session),
      }
    },
    { limit: SIZE_LIMIT },
  )
}

/**
 * Creates an empty database from template0. The owner is set where the role exists and the user may hand over to it;
 * the collation must exist, because text would be ordered differently without it.
 */
export function createDatabase(
  connection: PostgresConnection,
  database: string,
  like: Partial<DatabaseFacts>,
  signal: AbortSignal,
): Promise<void> {
  return maintain(connection, database, signal, async ({ query, major }) => {
    if (await exists(query, database)) {
      throw new AppError('database_exists', `The server has a database “${database}” already.`, {
        hint: 'Choose another name, or replace the database.',
      })
    }
    const clauses = ['template template0', ...localeClauses(like, major)]
    if (like.owner !== undefined && (await mayBeOwner(query, like.owner))) {
      clauses.push(`owner ${quoteName(like.owner)}`)
    }
    try {
      await query(`create database ${quoteName(database)} ${clauses.join(' ')}`)
    } catch (error) {
      throw cannotCreate(database, like, error)
    }
    try {
      await applySettings(query, database, like.settings ?? {})
    } catch (error) {
      await query(`drop database ${quoteName(database)}`)
      throw error
    }
  })
}

export function dropDatabase(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
  { endSessions = false }: { endSessions?: boolean } = {},
): Promise<void> {
  return maintain(connection, database, signal, async (session) => {
    const statement = `drop database if exists ${quoteName(database)}`
    if (endSessions && session.major >= 13) await session.query(`${statement} with (force)`)
    else await alone(session, database, endSessions, statement)
  })
}

export function renameDatabase(
  connection: PostgresConnection,
  from: string,
  to: string,
  signal: AbortSignal,
  { endSessions = false }: { endSessions?: boolean } = {},
): Promise<void> {
  return maintain(connection, from, signal, async (session) => {
    if (!(await exists(session.query, from))) throw notFound(from)
    if (await exists(session.query, to)) {
      throw new AppError('database_exists', `The server has a database “${to}” already.`)
    }
    await alone(session, from, endSessions, `alter database ${quoteName(from)} rename to ${quoteName(to)}`)
  })
}

/**
 * In one step, `target` becomes `former` and `incoming` becomes `target`: both statements go in one message, which the
 * server takes for one transaction.
 */
export function exchangeDatabases(
  connection: PostgresConnection,
  { incoming, target, former }: { incoming: string; target: string; former: string },
  signal: AbortSignal,
  { endSessions = false }: { endSessions?: boolean } = {},
): Promise<void> {
  return maintain(connection, target, signal, async (session) => {
    const rename = (from: string, to: string) =>
      `alter database ${quoteName(from)} rename to ${quoteName(to)}`
    await alone(session, target, endSessions, `${rename(target, former)}; ${rename(incoming, target)}`)
  })
}

/**
 * Exact numbers of rows per table at one moment, for the tables whose rows pg_dump writes: not those that belong to an
 * extension, foreign or temporary tables, nor views of any kind. Partitions count for themselves. Tables whose names
 * are not certain, which are not counted in dumps either, are left out.
 */
export function countRows(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  return withSession(
    connection,
    database,
    signal,
    async ({ query, major }) => {
      // Counting goes on for a long time after we have gone, unless the server looks whether we are still there.
      if (major >= 14) await query(`set client_connection_check_interval = '5s'`).catch(() => [])
      await query('begin isolation level repeatable read read only')
      const tables = await query<{ encoding: string; schema: Buffer; name: Buffer }>(
        `select getdatabaseencoding() as encoding, ${asBytes('nspname')} as schema, ${asBytes('relname')} as name
           from pg_class join pg_namespace on pg_namespace.oid = relnamespace
          where relkind = 'r' and relpersistence <> 't' and ${USER_SCHEMA}
            and not exists (${memberOfExtension('pg_class')})
          order by 1, 2`,
      )
      const rows: Record<string, number> = {}
      for (const table of tables) {
        const read = nameReader(table.encoding)
        const [schema, name] = [read(table.schema), read(table.name)]
        if (schema === undefined || name === undefined) continue
        const [counted] = await query<{ rows: string }>(
          `select count(*)::text as rows from only ${quoteName(schema)}.${quoteName(name)}`,
        )
        rows[tableName(schema, name)] = Number(counted?.rows)
      }
      await query('commit')
      return rows
    },
    { limit: Infinity },
  )
}

/** Schemas that are the user's, as a condition on pg_namespace. */
export const USER_SCHEMA = `nspname !~ '^pg_' and nspname <> 'information_schema'`

/**
 * A name as the bytes that it is stored as. As text it makes a whole query fail where it has no equivalent in UTF-8.
 */
export function asBytes(column: string): string {
  return `convert_to(${column}::text, getdatabaseencoding())`
}

/** A subquery with a row if the object of this catalogue belongs to an extension. */
export function memberOfExtension(catalogue: string): string {
  return `select from pg_depend where classid = '${catalogue}'::regclass and objid = ${catalogue}.oid and deptype = 'e'`
}

const providers: Record<string, string> = { c: 'libc', i: 'icu', b: 'builtin' }

function notATarget(reason: string, database: string): AppError {
  return new AppError('invalid_input', `${reason}: nothing is restored into it, or into its place.`, {
    hint: `Restore under another name, such as ${besideName(database, 'restored')}, and take from there what is needed.`,
  })
}

function notFound(database: string): AppError {
  return new AppError('database_not_found', `The server has no database “${database}”.`, {
    hint: 'Check the name; upper and lower case count.',
  })
}

async function exists(query: Session['query'], database: string): Promise<boolean> {
  return (await query('select from pg_database where datname = $1', [database])).length > 0
}

/** Work on databases, from a database that is not the one it is about. May take long: the server copies files. */
function maintain<T>(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { maintenanceDatabase } = connection
  const from =
    maintenanceDatabase !== database
      ? maintenanceDatabase
      : database === 'postgres'
        ? 'template1'
        : 'postgres'
  return withSession(connection, from, signal, work, { limit: Infinity })
}

/** Runs a statement that nobody else may be connected for, and ends the others first if told to. */
async function alone(
  session: Session,
  database: string,
  endSessions: boolean,
  statement: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (endSessions) {
      await session.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
        [database],
      )
    }
    try {
      await session.query(statement)
      return
    } catch (error) {
      if (sqlState(error) !== '55006') throw error
      // A client that reconnects at once may be faster than we are; so may one that is still leaving.
      if (endSessions && attempt < 10) {
        await session.query('select pg_sleep(0.1)')
        continue
      }
      throw new AppError('database_in_use', `Others are connected to database “${database}”.`, {
        hint: endSessions
          ? 'They come back as fast as they are ended: stop the program that uses it.'
          : 'Close these sessions, or let Holdfast end them.',
        cause: error,
      })
    }
  }
}

/** The SQLSTATE of what the server said, also when it has been explained already. */
function sqlState(error: unknown): string | undefined {
  const original = error instanceof AppError ? error.cause : error
  return (original as { code?: string } | undefined)?.code
}

/** Servers before 15 know only the locale of the operating system. */
function localeClauses(like: Partial<DatabaseFacts>, major: number): string[] {
  const clauses: string[] = []
  if (like.encoding !== undefined) clauses.push(`encoding ${quoteText(like.encoding)}`)
  if (like.collation !== undefined) clauses.push(`lc_collate ${quoteText(like.collation)}`)
  const { ctype, provider, locale, rules } = like.locale ?? {}
  if (ctype !== undefined) clauses.push(`lc_ctype ${quoteText(ctype)}`)
  if (provider === undefined || provider === 'libc') {
    // The template's own provider is inherited from 15 on, and may be another one.
    return major >= 15 && provider === 'libc' ? [...clauses, 'locale_provider libc'] : clauses
  }
  if (major < (provider === 'builtin' ? 17 : 15)) {
    throw new AppError(
      'unsupported',
      `The database uses the locale provider ${provider}, which PostgreSQL ${major} does not have.`,
      {
        hint: 'Restore into a newer server, or create the database yourself and restore into the existing one.',
      },
    )
  }
  clauses.push(`locale_provider ${provider}`)
  if (locale !== undefined)
    clauses.push(`${provider === 'icu' ? 'icu_locale' : 'builtin_locale'} ${quoteText(locale)}`)
  if (rules !== undefined && major >= 16) clauses.push(`icu_rules ${quoteText(rules)}`)
  return clauses
}

/** Those that this server knows and this user may set. */
async function applySettings(
  query: Session['query'],
  database: string,
  settings: Record<string, string>,
): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    if (!ORDINARY_SETTING.test(name)) continue
    const may = await query(
      `select from pg_settings where lower(name) = lower($1)
        and (context = 'user' or current_setting('is_superuser') = 'on')`,
      [name],
    )
    if (may.length === 0) continue
    await query(
      `alter database ${quoteName(database)} set ${quoteName(name)} to ${settingValue(name, value)}`,
    )
  }
}

async function mayBeOwner(query: Session['query'], owner: string): Promise<boolean> {
  const [role] = await query<{ may: boolean }>(
    `select pg_has_role(oid, 'MEMBER') as may from pg_roles where rolname = $1`,
    [owner],
  )
  return role?.may === true
}

function cannotCreate(database: string, like: Partial<DatabaseFacts>, error: unknown): AppError {
  const text = messageOf(error)
  if (sqlState(error) === '42P04') {
    return new AppError('database_exists', `The server has a database “${database}” already.`, {
      cause: error,
    })
  }
  if (/locale|collat|encoding/i.test(text)) {
    return new AppError(
      'unsupported',
      `The server cannot create a database with encoding ${like.encoding} and collation ${like.collation}: ${text}`,
      {
        hint: 'Install the locale on the server, or create the database yourself and restore into the existing one.',
        cause: error,
      },
    )
  }
  if (sqlState(error) === '42501') {
    return new AppError('permission_denied', `The user may not create databases: ${text}`, {
      hint: 'ALTER ROLE the user CREATEDB; to hand a database over to its owner, also membership in the owner’s role.',
      cause: error,
    })
  }
  return error instanceof AppError ? error : new AppError('database_error', text, { cause: error })
}

async function settingsOf({ query }: Session, database: string): Promise<Record<string, string>> {
  const rows = await query<{ setting: string }>(
    `select unnest(setconfig) as setting from pg_db_role_setting
       join pg_database on pg_database.oid = setdatabase where setrole = 0 and datname = $1`,
    [database],
  )
  return Object.fromEntries(
    rows
      .map(
        ({ setting }) =>
          [setting.slice(0, setting.indexOf('=')), setting.slice(setting.indexOf('=') + 1)] as const,
      )
      .filter(([name]) => ORDINARY_SETTING.test(name)),
  )
}

/** Settings that are lists are kept as SQL already (`"$user", public`); quoted, they would be one name. */
function settingValue(name: string, value: string): string {
  const lists = /^(search_path|temp_tablespaces|session_preload_libraries|local_preload_libraries)$/i
  return lists.test(name) && value !== '' ? value : quoteText(value)
}

async function warningsOf({ query }: Session): Promise<string[]> {
  const relations = (condition: string) =>
    `array(select ${asBytes(`format('%s.%s', nspname, relname)`)}
             from pg_class join pg_namespace on pg_namespace.oid = relnamespace where ${condition} order by 1 limit 20)`
  const [found] = await query<{
    encoding: string
    foreign: Buffer[]
    unlogged: Buffer[]
    standby: boolean
  }>(
    `select getdatabaseencoding() as encoding, pg_is_in_recovery() as standby,
            ${relations(`relkind = 'f'`)} as foreign,
            ${relations(`relkind = 'r' and relpersistence = 'u'`)} as unlogged`,
  )
  if (!found) return []
  const read = nameReader(found.encoding)
  const list = (names: Buffer[]) => names.map((name) => roughly(name, read)).join(', ')
  const warnings: string[] = []
  if (found.foreign.length > 0) {
    warnings.push(`The rows of foreign tables are elsewhere and not in the dump: ${list(found.foreign)}.`)
  }
  if (found.unlogged.length > 0 && found.standby) {
    warnings.push(`A standby does not have the rows of unlogged tables: ${list(found.unlogged)}.`)
  }
  return warnings
}
