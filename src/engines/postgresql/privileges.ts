import { AppError } from '../../shared/errors.ts'
import type { MissingPrivilege, ServerFacts } from '../engine.ts'
import { majorOf } from '../../lib/tools.ts'
import { memberOfExtension, USER_SCHEMA } from './databases.ts'
import { quoteName, quoteText, tableName } from './names.ts'
import { withSession, type Session } from './session.ts'
import type { PostgresConnection } from './settings.ts'

/**
 * What the user of the connection lacks for a complete backup: what pg_dump would stumble over, or, worse, leave out.
 * Each with the statement that an administrator runs in this database.
 */
export async function missingPrivileges(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<MissingPrivilege[]> {
  try {
    return await withSession(connection, database, signal, missingInside)
  } catch (error) {
    signal.throwIfAborted()
    const missing = await missingToConnect(connection, database, signal)
    if (!missing) throw error
    return [missing]
  }
}

async function missingInside(session: Session): Promise<MissingPrivilege[]> {
  const [user] = await session.query<{ name: string }>('select current_user::text as name')
  const role = quoteName(user?.name ?? '')
  return [
    ...(await schemas(session, role)),
    ...(await tables(session, role)),
    ...(await sequences(session, role)),
    ...(await largeObjects(session, role)),
    ...(await hiddenRows(session, role)),
  ]
}

/** Undefined if that is not what keeps the user out. Throws `database_not_found`. */
async function missingToConnect(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
): Promise<MissingPrivilege | undefined> {
  const [row] = await withSession(connection, connection.maintenanceDatabase, signal, ({ query }) =>
    query<{ may: boolean; role: string }>(
      `select has_database_privilege(oid, 'CONNECT') as may, current_user::text as role
         from pg_database where datname = $1`,
      [database],
    ),
  )
  if (!row) throw new AppError('database_not_found', `The server has no database “${database}”.`)
  if (row.may) return undefined
  return {
    what: 'connect (what else is missing shows after that)',
    grant: `GRANT CONNECT ON DATABASE ${quoteName(database)} TO ${quoteName(row.role)}`,
  }
}

/**
 * The statements, for an administrator connected to the database, that create a user who can back it up and change
 * nothing. `<password>` stands for the password.
 */
export function backupUserStatements(user: string, database: string, server: ServerFacts): string[] {
  const role = quoteName(user)
  const statements = [
    `CREATE ROLE ${role} LOGIN PASSWORD '<password>'`,
    `ALTER ROLE ${role} SET default_transaction_read_only = on`,
    `GRANT CONNECT ON DATABASE ${quoteName(database)} TO ${role}`,
    // Row security would hide rows, and pg_dump then refuses. Only a superuser can run this one.
    `ALTER ROLE ${role} BYPASSRLS`,
  ]
  if (majorOf(server.version) >= 14) return [...statements, `GRANT pg_read_all_data TO ${role}`]
  const eachSchema = [
    `GRANT USAGE ON SCHEMA %1$I TO ${role}`,
    `GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO ${role}`,
    `GRANT SELECT ON ALL SEQUENCES IN SCHEMA %1$I TO ${role}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA %1$I GRANT SELECT ON TABLES TO ${role}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA %1$I GRANT SELECT ON SEQUENCES TO ${role}`,
  ]
  const loop = eachSchema.map((grant) => `EXECUTE format(${quoteText(grant)}, name);`).join(' ')
  return [
    ...statements,
    `DO $holdfast$ DECLARE name text; BEGIN FOR name IN SELECT nspname FROM pg_namespace WHERE ${USER_SCHEMA} LOOP ${loop} END LOOP; END $holdfast$`,
  ]
}

/** What the user lacks to create databases, or to rename and drop the one that is replaced, or to add to it. */
export async function missingForRestore(
  connection: PostgresConnection,
  { database, mode, exists }: { database: string; mode: 'new' | 'replace' | 'existing'; exists: boolean },
  signal: AbortSignal,
): Promise<MissingPrivilege[]> {
  const [user] = await withSession(connection, connection.maintenanceDatabase, signal, ({ query }) =>
    query<{ role: string; mayCreate: boolean; owns: boolean; mayAdd: boolean }>(
      `select current_user::text as role, rolsuper or rolcreatedb as "mayCreate",
              not exists (select from pg_database where datname = $1 and not pg_has_role(datdba, 'USAGE')) as owns,
              not exists (select from pg_database where datname = $1
                             and not has_database_privilege(oid, 'CREATE')) as "mayAdd"
         from pg_roles where rolname = current_user`,
      [database],
    ),
  )
  if (!user) return []
  const [role, name] = [quoteName(user.role), quoteName(database)]
  if (mode === 'existing') {
    const grant = `GRANT CREATE ON DATABASE ${name} TO ${role}`
    return user.mayAdd ? [] : [{ what: `create schemas in ${database}`, grant }]
  }
  const missing: MissingPrivilege[] = []
  if (!user.mayCreate) missing.push({ what: 'create databases', grant: `ALTER ROLE ${role} CREATEDB` })
  if (exists && !user.owns) {
    missing.push({ what: `rename or drop ${database}`, grant: `ALTER DATABASE ${name} OWNER TO ${role}` })
  }
  return missing
}

async function schemas({ query }: Session, role: string): Promise<MissingPrivilege[]> {
  const rows = await query<{ name: string }>(
    `select nspname::text as name from pg_namespace
      where ${USER_SCHEMA} and not has_schema_privilege(oid, 'USAGE')
        and not exists (${memberOfExtension('pg_namespace')}) order by 1`,
  )
  return rows.map(({ name }) => ({
    what: `use schema ${name}`,
    grant: `GRANT USAGE ON SCHEMA ${quoteName(name)} TO ${role}`,
  }))
}

/** Also tables of extensions, where the extension says that its rows are the user's. */
async function tables({ query }: Session, role: string): Promise<MissingPrivilege[]> {
  const rows = await query<{ schema: string; name: string }>(
    `select nspname::text as schema, relname::text as name
       from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p') and relpersistence <> 't' and ${USER_SCHEMA}
        and not has_table_privilege(pg_class.oid, 'SELECT')
        and (not exists (${memberOfExtension('pg_class')})
             or exists (select from pg_extension where pg_class.oid = any (extconfig)))
      order by 1, 2`,
  )
  return rows.map(({ schema, name }) => ({
    what: `read table ${tableName(schema, name)}`,
    grant: `GRANT SELECT ON TABLE ${quoteName(schema)}.${quoteName(name)} TO ${role}`,
  }))
}

async function sequences({ query }: Session, role: string): Promise<MissingPrivilege[]> {
  const rows = await query<{ schema: string; name: string }>(
    `select nspname::text as schema, relname::text as name
       from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind = 'S' and relpersistence <> 't' and ${USER_SCHEMA}
        and not has_table_privilege(pg_class.oid, 'SELECT')
        and not exists (${memberOfExtension('pg_class')})
      order by 1, 2`,
  )
  return rows.map(({ schema, name }) => ({
    what: `read sequence ${tableName(schema, name)}`,
    grant: `GRANT SELECT ON SEQUENCE ${quoteName(schema)}.${quoteName(name)} TO ${role}`,
  }))
}

/** has_largeobject_privilege came with 18, and pg_read_all_data does not cover large objects: read the list itself. */
async function largeObjects({ query }: Session, role: string): Promise<MissingPrivilege[]> {
  const rows = await query<{ oid: string }>(
    `select oid::text from pg_largeobject_metadata
      where current_setting('is_superuser') <> 'on' and not pg_has_role(lomowner, 'USAGE')
        and not exists (select from aclexplode(lomacl)
                         where privilege_type = 'SELECT' and (grantee = 0 or pg_has_role(grantee, 'USAGE')))
      order by oid`,
  )
  const missing: MissingPrivilege[] = []
  for (let i = 0; i < rows.length; i += 1000) {
    const oids = rows.slice(i, i + 1000).map(({ oid }) => oid)
    const which = oids.length === 1 ? `large object ${oids[0]}` : `${oids.length} large objects`
    missing.push({
      what: `read ${which}`,
      grant: `GRANT SELECT ON LARGE OBJECT ${oids.join(', ')} TO ${role}`,
    })
  }
  return missing
}

async function hiddenRows({ query }: Session, role: string): Promise<MissingPrivilege[]> {
  const rows = await query<{ schema: string; name: string }>(
    `select nspname::text as schema, relname::text as name
       from pg_class join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p') and relrowsecurity and ${USER_SCHEMA}
        and not exists (select from pg_roles where rolname = current_user and (rolsuper or rolbypassrls))
        and (relforcerowsecurity or not pg_has_role(relowner, 'USAGE'))
      order by 1, 2`,
  )
  if (rows.length === 0) return []
  const names = rows.map(({ schema, name }) => tableName(schema, name))
  return [
    {
      what: `see all rows of ${names.join(', ')}, which row security hides`,
      grant: `ALTER ROLE ${role} BYPASSRLS`,
    },
  ]
}
