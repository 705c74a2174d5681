import type { MissingPrivilege, ServerFacts } from '../engine.ts'
import { compareVersions } from '../../lib/tools.ts'
import { quoteName, type Session } from './session.ts'

/** One line of SHOW GRANTS. */
export interface Grant {
  privileges: Set<string>
  /** A pattern for names, `*` for all of them. */
  database: string
  table: string
}

/** What the signed-in user was granted, by itself or through its active roles. */
export async function grantsOf(session: Session): Promise<Grant[]> {
  const rows = await session.query<Record<string, string>>('SHOW GRANTS')
  return rows.flatMap((row) => parseGrant(Object.values(row)[0] ?? ''))
}

/** Whether a global privilege is held. */
export function holds(grants: Grant[], privilege: string): boolean {
  return grants.some(({ privileges, database }) => database === '*' && covers(privileges, privilege))
}

/** What the signed-in user lacks for a complete dump of the database. */
export async function missingPrivileges(session: Session, database: string): Promise<MissingPrivilege[]> {
  return (await missingPrivilegesOfAll(session, [database])).get(database) ?? []
}

/** The same for each of the databases: what the user was granted is asked once. */
export async function missingPrivilegesOfAll(
  session: Session,
  databases: readonly string[],
): Promise<ReadonlyMap<string, MissingPrivilege[]>> {
  const [user, grants] = [await whoIs(session), await grantsOf(session)]
  return new Map(databases.map((database) => [database, missingFor(user, grants, database)]))
}

function missingFor(
  { grantee, flavour, version }: User,
  grants: Grant[],
  database: string,
): MissingPrivilege[] {
  const missing = missingOn(ON_THE_DATABASE, grants, database, grantee)
  const routines = routineGrants(flavour, version)
  if (!routines.some(({ privilege, on }) => holds(grants, privilege) || holdsTable(grants, privilege, on))) {
    const [first] = routines
    if (first)
      missing.push({
        what: 'read routines of other users',
        grant: `GRANT ${first.privilege} ON ${first.on} TO ${grantee}`,
      })
  }
  return missing
}

/** What the signed-in user lacks to make the database, or what is in it. */
export async function missingForRestore(session: Session, database: string): Promise<MissingPrivilege[]> {
  const { grantee } = await whoIs(session)
  return missingOn(FOR_A_RESTORE, await grantsOf(session), database, grantee)
}

function missingOn(
  needs: { privilege: string; what: string }[],
  grants: Grant[],
  database: string,
  grantee: string,
): MissingPrivilege[] {
  return needs
    .filter(({ privilege }) => !holds(grants, privilege) && !holdsOn(grants, privilege, database))
    .map(({ privilege, what }) => ({
      what,
      grant: `GRANT ${privilege} ON ${pattern(database)}.* TO ${grantee}`,
    }))
}

interface User {
  grantee: string
  flavour: string
  version: string
}

async function whoIs(session: Session): Promise<User> {
  const [who] = await session.query<{ user: string; version: string }>(
    'SELECT CURRENT_USER() AS user, VERSION() AS version',
  )
  const grantee = (who?.user ?? '').replace(
    /^(.*)@(.*)$/s,
    (_, user: string, host: string) => `${text(user)}@${text(host)}`,
  )
  const flavour = /mariadb/i.test(who?.version ?? '') ? 'mariadb' : 'mysql'
  const version = /^(?:5\.5\.5-)?([\d.]+)/.exec(who?.version ?? '')?.[1] ?? '0'
  return { grantee, flavour, version }
}

/** The statements that create a user who can back up the database and change nothing. */
export function backupUserStatements(user: string, database: string, server: ServerFacts): string[] {
  const grantee = `${text(user)}@'%'`
  const [routines] = routineGrants(server.flavour, server.version)
  const position = server.flavour === 'mariadb' ? 'RELOAD, BINLOG MONITOR' : 'RELOAD, REPLICATION CLIENT'
  return [
    `CREATE USER ${grantee} IDENTIFIED BY 'choose a password'`,
    `GRANT ${ON_THE_DATABASE.map(({ privilege }) => privilege).join(', ')} ON ${pattern(database)}.* TO ${grantee}`,
    ...(routines ? [`GRANT ${routines.privilege} ON ${routines.on} TO ${grantee}`] : []),
    ...(server.details?.['binaryLog'] === true ? [`GRANT ${position} ON *.* TO ${grantee}`] : []),
  ]
}

const ON_THE_DATABASE = [
  { privilege: 'SELECT', what: 'read the tables' },
  { privilege: 'SHOW VIEW', what: 'read the definitions of views' },
  { privilege: 'TRIGGER', what: 'read triggers' },
  { privilege: 'EVENT', what: 'read events' },
]

const FOR_A_RESTORE = [
  { privilege: 'CREATE', what: 'create the database and its tables' },
  { privilege: 'DROP', what: 'drop tables and the database' },
  { privilege: 'ALTER', what: 'alter tables' },
  { privilege: 'INDEX', what: 'create indexes' },
  { privilege: 'INSERT', what: 'insert rows' },
  { privilege: 'SELECT', what: 'count rows' },
  { privilege: 'LOCK TABLES', what: 'lock tables while rows are inserted' },
  { privilege: 'REFERENCES', what: 'create foreign keys' },
  { privilege: 'CREATE VIEW', what: 'create views' },
  { privilege: 'CREATE ROUTINE', what: 'create routines' },
  { privilege: 'TRIGGER', what: 'create triggers' },
  { privilege: 'EVENT', what: 'create events' },
]

/** What lets a user read routines that others defined: the least first, then what does it too. */
function routineGrants(flavour: string, version: string): { privilege: string; on: string }[] {
  const all = { privilege: 'SELECT', on: '*.*' }
  if (flavour === 'mysql' && compareVersions(version, '8.0.20') >= 0) {
    return [{ privilege: 'SHOW_ROUTINE', on: '*.*' }, all]
  }
  return flavour === 'mysql' && compareVersions(version, '8') >= 0
    ? [all]
    : [{ privilege: 'SELECT', on: 'mysql.proc' }, all]
}

/** `GRANT SELECT, SHOW VIEW ON `shop`.* TO …`; anything else (roles, proxies) is left out. */
function parseGrant(line: string): Grant[] {
  const match = /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`)\.(\*|`(?:[^`]|``)*`) TO /s.exec(line)
  if (!match?.[1] || !match[2] || !match[3]) return []
  const plain = match[1].replaceAll(/\s*\([^)]*\)/g, ' (columns)')
  const privileges = new Set(plain.split(',').map((privilege) => privilege.trim().toUpperCase()))
  return [{ privileges, database: unquote(match[2]), table: unquote(match[3]) }]
}

function covers(privileges: Set<string>, privilege: string): boolean {
  return privileges.has(privilege) || privileges.has('ALL PRIVILEGES') || privileges.has('ALL')
}

function holdsOn(grants: Grant[], privilege: string, database: string): boolean {
  return grants.some(
    (grant) =>
      grant.table === '*' && covers(grant.privileges, privilege) && matches(grant.database, database),
  )
}

function holdsTable(grants: Grant[], privilege: string, on: string): boolean {
  const [database = '', table = ''] = on.split('.')
  return grants.some(
    (grant) =>
      covers(grant.privileges, privilege) &&
      matches(grant.database, database) &&
      (grant.table === '*' || grant.table === table),
  )
}

/** As LIKE does: `%` any text, `_` any character, a backslash before either takes that away. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true
  const source = pattern.replaceAll(/\\?[\s\S]/g, (part) => {
    if (part === '%') return '.*'
    if (part === '_') return '.'
    return RegExp.escape(part.length > 1 && /[%_\\]/.test(part[1] ?? '') ? (part[1] ?? '') : part)
  })
  return new RegExp(`^${source}$`, 's').test(name)
}

/** A database's name as GRANT wants it, where `_` and `%` stand for other characters unless escaped. */
function pattern(database: string): string {
  return quoteName(database.replaceAll(/[\\_%]/g, '\\$&'))
}

function unquote(name: string): string {
  return name === '*' ? name : name.slice(1, -1).replaceAll('``', '`')
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
