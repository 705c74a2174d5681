import { randomBytes } from 'node:crypto'
import { copyFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fingerprintOf as sqliteFingerprint } from '../../src/engines/sqlite/test-data.ts'
import { startMariadb } from '../servers/mariadb.ts'
import type { MysqlLikeServer } from '../servers/mysql-like.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type TempFolder, tempFolder } from '../servers/temp-folder.ts'
import { fingerprintOf as mysqlFingerprint } from '../../src/engines/mysql/test-data.ts'

export const databaseKinds = ['postgresql', 'mysql', 'sqlite'] as const
export type DatabaseKind = (typeof databaseKinds)[number]

/** A server with one filled database, which stays as it is. */
export interface Source {
  kind: DatabaseKind
  /** The tool that dumps it; empty where there is none. */
  tool: string
  /** Of a database on that server; the filled one if no name is given. */
  url(database?: string): string
  env: Record<string, string>
  password: string
  /** The names of all databases. */
  names(): Promise<string[]>
  /** Rows and schema of a database, so that two that are equal are the same data. */
  fingerprint(database?: string): Promise<string[]>
  drop(database: string): Promise<void>
  /** Makes a database with one table `mine`, which says that it is nobody's copy. */
  createOther(database: string): Promise<void>
}

export interface Sources extends AsyncDisposable {
  source(kind: DatabaseKind): Promise<Source>
  postgres(): Promise<PostgresServer>
  mariadb(): Promise<MysqlLikeServer>
}

/** The servers; each is started, and its database filled, when it is first wanted. `rows` of about a kilobyte. */
export function openSources({ rows = 3_000 }: { rows?: number } = {}): Sources {
  const stack = new AsyncDisposableStack()
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => (made ??= make())
  }
  const postgres = once(async () => stack.use(await startPostgres({ major: 15 })))
  const mariadb = once(async () => stack.use(await startMariadb({ version: '10.11' })))
  const made = {
    postgresql: once(async () => await postgresSource(await postgres(), rows)),
    mysql: once(async () => await mysqlSource(await mariadb(), rows)),
    sqlite: once(async () => sqliteSource(stack.use(await tempFolder('sqlite')), rows)),
  }
  return {
    source: (kind) => made[kind](),
    postgres,
    mariadb,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function postgresSource(server: PostgresServer, rows: number): Promise<Source> {
  await server.query('create database shop')
  await server.query(
    [
      'create table orders (id int primary key, note text not null)',
      `insert into orders select n, (select string_agg(md5(n::text || m::text), '') from generate_series(1, 32) m) from generate_series(1, ${rows}) n`,
      'create table customers (id int primary key, name text)',
      `insert into customers select n, 'customer ' || n from generate_series(1, 500) n`,
    ],
    'shop',
  )
  return {
    kind: 'postgresql',
    tool: 'pg_dump',
    url: (database = 'shop') => `postgresql://${server.user}@${server.host}:${server.port}/${database}`,
    env: { HOLDFAST_DATABASE_PASSWORD: server.password },
    password: server.password,
    async names() {
      const found = await server.query('select datname from pg_database where not datistemplate order by 1')
      return found.map(({ datname }) => String(datname))
    },
    async fingerprint(database = 'shop') {
      const tables = await server.query(
        `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
        database,
      )
      const lines: string[] = []
      for (const { relname } of tables) {
        const [row] = await server.query(
          `select count(*) || ' ' || md5(string_agg(md5(t::text), ',' order by t::text)) as all from "${String(relname)}" t`,
          database,
        )
        lines.push(`${String(relname)}: ${String(row?.['all'])}`)
      }
      return lines
    },
    drop: async (database) => void (await server.query(`drop database if exists "${database}" with (force)`)),
    async createOther(database) {
      await server.query(`create database "${database}"`)
      await server.query(['create table mine (id int)', 'insert into mine values (1), (2)'], database)
    },
  }
}

async function mysqlSource(server: MysqlLikeServer, rows: number): Promise<Source> {
  await server.query([
    'create database shop',
    'use shop',
    'create table shop.orders (id int primary key, note text not null)',
    `insert into shop.orders select seq, concat(${Array.from({ length: 32 }, (_, m) => `md5(concat(seq, '${m}'))`).join(', ')}) from seq_1_to_${rows}`,
    'create table shop.customers (id int primary key, name text)',
    `insert into shop.customers select seq, concat('customer ', seq) from seq_1_to_500`,
  ])
  return {
    kind: 'mysql',
    tool: 'mariadb-dump',
    url: (database = 'shop') => `mariadb://${server.user}@${server.host}:${server.port}/${database}`,
    env: { HOLDFAST_DATABASE_PASSWORD: server.password },
    password: server.password,
    names: async () =>
      (await server.query('select schema_name as name from information_schema.schemata order by 1')).map(
        ({ name }) => String(name),
      ),
    fingerprint: (database = 'shop') => mysqlFingerprint((sql) => server.query(sql), database),
    drop: async (database) => void (await server.query(`drop database if exists \`${database}\``)),
    async createOther(database) {
      await server.query([
        `create database \`${database}\``,
        `create table \`${database}\`.mine (id int)`,
        `insert into \`${database}\`.mine values (1), (2)`,
      ])
    },
  }
}

function sqliteSource(folder: TempFolder, rows: number): Source {
  const pathOf = (database: string) => join(folder.path, `${database}.db`)
  const db = new DatabaseSync(pathOf('shop'))
  db.exec('create table orders (id integer primary key, note text not null)')
  db.exec('create table customers (id integer primary key, name text)')
  db.exec('begin')
  const insert = db.prepare('insert into orders values (?, ?)')
  for (let id = 1; id <= rows; id++) insert.run(id, randomBytes(512).toString('hex'))
  db.exec("insert into customers values (1, 'one'), (2, 'two')")
  db.exec('commit')
  db.close()
  return {
    kind: 'sqlite',
    tool: '',
    url: (database = 'shop') => `sqlite:${pathOf(database)}`,
    env: {},
    password: '',
    async names() {
      return (await readdir(folder.path)).sort()
    },
    fingerprint: async (database = 'shop') => sqliteFingerprint(pathOf(database)),
    async drop(database) {
      await rm(pathOf(database), { force: true })
    },
    async createOther(database) {
      await copyFile(pathOf('shop'), pathOf(database))
      const other = new DatabaseSync(pathOf(database))
      other.exec('drop table orders; create table mine (id int); insert into mine values (1), (2); vacuum')
      other.close()
    },
  }
}
