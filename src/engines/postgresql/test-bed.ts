import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { certifiedUser } from '../../../test/servers/certificates.ts'
import type { EngineBed } from '../conformance.ts'
import { postgresql } from './index.ts'
import { quoteName } from './names.ts'

const awkward = readFileSync(new URL('./fixtures/awkward.sql', import.meta.url), 'utf8')

/** A server of this version for the conformance suite; with TLS, one that lets nobody in without. */
export async function startBed({ major, tls }: { major: 15 | 17 | 18; tls: boolean }): Promise<EngineBed> {
  await using stack = new AsyncDisposableStack()
  const password = `pa:ss w'or"d\\%40${Math.random()}`
  const server = stack.use(await startPostgres({ major, password, ...(tls && { tls: true }) }))
  const silent = stack.use(await listenInSilence())
  process.env['HOLDFAST_TOOL_PATH'] = server.programs
  const { host, port, user } = server
  const connection = { host, port, user, password, ...(tls && { tls: 'require' }) }
  const create = (database: string) => server.query(`create database ${quoteName(database)}`)
  const unprivileged = 'nobody "in" particular'
  await server.query([
    `create role ${quoteName(unprivileged)} login password '${password.replaceAll("'", "''")}'`,
    `create role full_house login connection limit 0 password '${password.replaceAll("'", "''")}'`,
    `create role owner_of_things`,
  ])
  const cleanUp = stack.move()
  return {
    engine: postgresql,
    connection,
    secrets: [password],
    formats: [
      { title: 'custom', options: {} },
      { title: 'plain', options: { format: 'plain' } },
      ...(isEverything ? [{ title: 'directory', options: { format: 'directory', jobs: 2 } }] : []),
    ],
    async fill(database) {
      await server.query(
        `create database ${quoteName(database)} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8' owner owner_of_things`,
      )
      await server.query(awkward, database)
      await server.query([
        `alter database ${quoteName(database)} set search_path to "Sales & Co", "$user", public`,
        `alter database ${quoteName(database)} set timezone to 'Asia/Kathmandu'`,
        `alter database ${quoteName(database)} set app.secret to 'not to be copied'`,
      ])
    },
    async createEmpty(database) {
      await create(database)
    },
    async fillWithHugeRow(database) {
      await create(database)
      // 20 MB, which are 40 MB as text.
      await server.query(
        [
          'create table huge (id int primary key, bytes bytea)',
          `insert into huge select 1, decode(repeat(string_agg(md5(n::text), ''), 1280), 'hex') from generate_series(1, 1024) n`,
        ],
        database,
      )
    },
    async fillLarge(database) {
      await create(database)
      await server.query(
        [
          `create table a_first as select n as id, md5(n::text) || repeat('.', 200) as note from generate_series(1, 38000) n`,
          `create table b_second as select n as id, md5(n::text) || repeat('.', 200) as note from generate_series(1, 20000) n`,
        ],
        database,
      )
    },
    fingerprint: (database) => fingerprint(server, database),
    async dropTableDuring(database) {
      await server.query('drop table b_second', database)
    },
    async killServer() {
      await server.process.kill()
    },
    connections: [
      {
        title: 'a wrong password',
        connection: { ...connection, password: 'wrong' },
        fails: 'authentication_failed',
      },
      { title: 'no password', connection: { ...connection, password: '' }, fails: 'authentication_failed' },
      {
        title: 'an unknown role',
        connection: { ...connection, user: 'no one' },
        fails: 'authentication_failed',
      },
      {
        title: 'no free connection',
        connection: { ...connection, user: 'full_house' },
        fails: 'database_unreachable',
      },
      {
        title: 'a port where nothing listens',
        connection: { ...connection, port: 1 },
        fails: 'database_unreachable',
      },
      {
        title: 'an unknown host',
        connection: { ...connection, host: 'no-such-host.invalid' },
        fails: 'database_unreachable',
      },
      {
        title: 'a server that never answers',
        connection: { ...connection, port: silent.port, connectTimeout: 1 },
        fails: 'database_unreachable',
      },
      ...(tls ? connectionsWithTls(server, connection) : connectionsInTheClear(connection)),
    ],
    unprivileged: {
      connection: { ...connection, user: unprivileged },
      run: async (database, statement) => void (await server.query(statement, database)),
    },
    refused: [
      '--file=/tmp/x',
      '-f /tmp/x',
      '-f/tmp/x',
      '--fi=/tmp/x',
      '--filter=/etc/passwd',
      '--dbname=elsewhere',
      '--host=elsewhere',
      'elsewhere',
      '--help',
      '--version',
      '-Z 9',
      '-xf/tmp/x',
      '--',
      '--enable-row-security',
      '--no-such-option',
      '--schema',
    ].map((extra) => ({ title: extra, options: { extra } })),
    intrusions: (path) => [
      `\\! echo yours > ${path}`,
      `select 1 \\g ${path}`,
      `\\o ${path}\nselect 1;`,
      `\\copy marks from '${path}'`,
      `\\unrestrict 0\n\\! echo yours > ${path}`,
      `select 'echo yours > ${path}' \\g |sh`,
    ],
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

function connectionsInTheClear(connection: object): NonNullable<EngineBed['connections']> {
  return [
    { title: 'tls=prefer without TLS', connection: { ...connection, tls: 'prefer' } },
    { title: 'tls=disable', connection: { ...connection, tls: 'disable' } },
    { title: 'tls=require without TLS', connection: { ...connection, tls: 'require' }, fails: 'tls_failed' },
    {
      title: 'tls=verify-full without TLS',
      connection: { ...connection, tls: 'verify-full' },
      fails: 'tls_failed',
    },
  ]
}

function connectionsWithTls(
  server: PostgresServer,
  connection: object,
): NonNullable<EngineBed['connections']> {
  const { ca, otherCa, client } = server.certificates ?? {}
  const certified = {
    user: certifiedUser,
    password: '',
    tlsCa: ca,
    tlsCertificate: client?.certificate,
    tlsKey: client?.key,
  }
  return [
    { title: 'tls=prefer', connection: { ...connection, tls: 'prefer' } },
    { title: 'tls=disable', connection: { ...connection, tls: 'disable' }, fails: 'permission_denied' },
    { title: 'tls=require', connection: { ...connection, tls: 'require' } },
    {
      title: 'tls=require with another CA',
      connection: { ...connection, tlsCa: otherCa },
      fails: 'tls_failed',
    },
    { title: 'tls=verify-ca', connection: { ...connection, tls: 'verify-ca', tlsCa: ca } },
    { title: 'tls=verify-full', connection: { ...connection, tls: 'verify-full', tlsCa: ca } },
    {
      title: 'tls=verify-full, by name',
      connection: { ...connection, host: 'localhost', tls: 'verify-full', tlsCa: ca },
    },
    {
      title: 'tls=verify-ca with another CA',
      connection: { ...connection, tls: 'verify-ca', tlsCa: otherCa },
      fails: 'tls_failed',
    },
    {
      title: 'tls=verify-full without a CA',
      connection: { ...connection, tls: 'verify-full' },
      fails: 'tls_failed',
    },
    { title: 'a client certificate', connection: { ...connection, ...certified, tls: 'verify-full' } },
    {
      title: 'a client certificate that is missing',
      connection: { ...connection, user: certifiedUser },
      fails: 'authentication_failed',
    },
  ]
}

/** Takes connections and says nothing, like a host behind a firewall. */
async function listenInSilence(): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const user = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`
const own = (catalogue: string, alias: string) =>
  `not exists (select from pg_depend where classid = '${catalogue}'::regclass and objid = ${alias}.oid and deptype = 'e')`

/** What there is in a database, by its catalogue; each a query for one column of text. */
const catalogue: Record<string, string> = {
  schema: `select format('%s owner %s acl %s', nspname, nspowner::regrole, (select array_agg(a order by a::text) from unnest(nspacl) a)) from pg_namespace n where ${user}`,
  relation: `select format('%s.%s kind %s persistence %s owner %s acl %s rls %s/%s options %s partition %s of %s', nspname, relname, relkind, relpersistence, relowner::regrole,
      (select array_agg(a order by a::text) from unnest(relacl) a), relrowsecurity, relforcerowsecurity, reloptions, pg_get_expr(relpartbound, c.oid), (select inhparent::regclass from pg_inherits where inhrelid = c.oid))
      from pg_class c join pg_namespace n on n.oid = relnamespace where ${user} and relkind <> 't' and ${own('pg_class', 'c')}`,
  column: `select format('%s.%s %s %s type %s collation %s notnull %s identity %s generated %s default %s', nspname, relname,
      (select count(*) from pg_attribute b where b.attrelid = c.oid and b.attnum between 1 and a.attnum and not b.attisdropped), attname, format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
      from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where ${user} and attnum > 0 and not attisdropped`,
  constraint: `select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(c.oid)) from pg_constraint c join pg_namespace n on n.oid = connamespace where ${user}`,
  index: `select pg_get_indexdef(indexrelid) || indisvalid from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = relnamespace where ${user}`,
  view: `select format('%s %s', c.oid::regclass, pg_get_viewdef(c.oid)) from pg_class c join pg_namespace n on n.oid = relnamespace where ${user} and relkind in ('v', 'm')`,
  routine: `select case prokind when 'a' then proname || pg_get_function_identity_arguments(f.oid) else pg_get_functiondef(f.oid) end from pg_proc f join pg_namespace n on n.oid = pronamespace where ${user} and ${own('pg_proc', 'f')}`,
  trigger: `select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = relnamespace where ${user} and not tgisinternal`,
  rule: `select pg_get_ruledef(r.oid) from pg_rewrite r join pg_class c on c.oid = ev_class join pg_namespace n on n.oid = relnamespace where ${user}`,
  policy: `select format('%s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid)) from pg_policy`,
  sequence: `select format('%s.%s %s start %s min %s max %s by %s cycle %s last %s', schemaname, sequencename, data_type, start_value, min_value, max_value, increment_by, cycle, last_value) from pg_sequences`,
  type: `select format('%s.%s %s %s %s', nspname, typname, typtype, (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid), typnotnull)
      from pg_type t join pg_namespace n on n.oid = typnamespace where ${user} and typtype in ('e', 'd') and ${own('pg_type', 't')}`,
  extension: `select format('%s %s in %s', extname, extversion, extnamespace::regnamespace) from pg_extension`,
  statistics: `select pg_get_statisticsobjdef(s.oid) from pg_statistic_ext s`,
  comment: `select format('%s %s', pg_describe_object(classoid, objoid, objsubid), description) from pg_description
      where objoid >= 16384 or classoid = 'pg_largeobject'::regclass`,
  collation: `select format('%s %s %s', collname, collprovider, collcollate) from pg_collation c join pg_namespace n on n.oid = collnamespace where ${user}`,
  configuration: `select cfgname from pg_ts_config c join pg_namespace n on n.oid = cfgnamespace where ${user}`,
  'large object': `select format('%s owner %s acl %s md5 %s', oid, lomowner::regrole, lomacl, md5(lo_get(oid))) from pg_largeobject_metadata`,
  setting: `select s from pg_db_role_setting join pg_database d on d.oid = setdatabase, unnest(setconfig) s where datname = current_database() and s !~ '^app.secret'`,
}

/** The whole schema by the catalogue, and every row of every table, sorted. */
async function fingerprint(server: PostgresServer, database: string): Promise<string[]> {
  const lines: string[] = []
  for (const [what, query] of Object.entries(catalogue)) {
    const rows = await server.query(query, database)
    lines.push(...rows.map((row) => `${what}: ${String(Object.values(row)[0])}`).sort())
  }
  const tables = await server.query(
    `select format('%I.%I', nspname, relname) as name, relkind as kind from pg_class c join pg_namespace n on n.oid = relnamespace
      where ${user} and relkind in ('r', 'm', 'S') order by 1`,
    database,
  )
  for (const { name, kind } of tables) {
    const row = kind === 'S' ? `last_value || ' ' || is_called` : 'md5(t::text)'
    const rows = await server.query(`select ${row} as row from only ${String(name)} t order by 1`, database)
    lines.push(...rows.map(({ row }) => `row of ${String(name)}: ${String(row)}`))
  }
  return lines
}
