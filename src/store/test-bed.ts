import { after, before, describe } from 'node:test'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../../test/servers/postgres.ts'
import { skipUnless } from '../../test/servers/needs.ts'
import { isEverything } from '../../test/servers/share.ts'
import { type TempFolder, tempFolder } from '../../test/servers/temp-folder.ts'
import { openStore, type Store, type StoreEngine } from './database.ts'
import { migrate } from './migrate.ts'

/** A new, empty store of one engine, which several processes may open. */
export interface StorePlace {
  engine: StoreEngine
  /** For `openStore`. */
  place: { path: string } | { url: string }
  open(): Promise<Store>
  /** Opens it with all its tables. */
  openMigrated(): Promise<Store>
}

type StoreSuite = (makePlace: () => Promise<StorePlace>) => void

/**
 * Runs the suite on each engine; `makePlace` gives a store of its own to each test. What the suite is about is not the
 * store, so the fast share tries it on one of them, `enough`, and leaves the other one to the long run.
 */
export function describeStores(name: string, suite: StoreSuite, enough: StoreEngine = 'sqlite'): void {
  if (isEverything || enough === 'sqlite') describeOnSqlite(name, suite)
  if (isEverything || enough === 'postgresql') describeOnPostgresql(name, suite)
}

/** Runs the suite on each engine always: it is about the store, how the engines differ, or what several do at once. */
export function describeBothStores(name: string, suite: StoreSuite): void {
  describeOnSqlite(name, suite)
  describeOnPostgresql(name, suite)
}

function describeOnSqlite(name: string, suite: StoreSuite): void {
  describe(`${name}, in SQLite`, () => {
    let folder: TempFolder
    let count = 0
    before(async () => (folder = await tempFolder('store')))
    after(() => folder[Symbol.asyncDispose]())
    suite(async () => {
      const path = join(folder.path, `${++count}.db`)
      const place = placeOf('sqlite', { path })
      let made: Promise<unknown> | undefined
      const make = async () => {
        if (!existsSync(path)) await writeFile(path, await (migratedFile ??= makeMigratedFile()))
      }
      return {
        ...place,
        async openMigrated() {
          await (made ??= make())
          return await place.openMigrated()
        },
      }
    })
  })
}

/** A database with all tables, of which the others are copies: that is quicker than to migrate each. */
let migratedFile: Promise<Buffer> | undefined

async function makeMigratedFile(): Promise<Buffer> {
  await using folder = await tempFolder('store')
  const path = join(folder.path, 'template.db')
  await (await placeOf('sqlite', { path }).openMigrated())[Symbol.asyncDispose]()
  return await readFile(path)
}

/** For what only a server can do. */
export function describeOnPostgresql(name: string, suite: StoreSuite): void {
  // Not beside `sharedPostgres`: this file is also loaded where no tests run.
  if (!endsPostgres) after(async () => await (await postgres)?.[Symbol.asyncDispose]())
  endsPostgres = true
  describe(`${name}, in PostgreSQL`, { skip: skipUnless('postgres15') }, () => {
    const databases: string[] = []
    let server: PostgresServer
    before(async () => (server = await sharedPostgres()))
    after(async () => {
      for (const database of databases) await server.query(`drop database if exists ${database} with (force)`)
    })
    suite(async () => {
      const database = `store_${++stores}`
      const place = placeOf('postgresql', { url: urlOf(server, database) })
      let made: Promise<unknown> | undefined
      const make = (from: string) => {
        databases.push(database)
        return server.query(`create database ${database} template ${from} strategy file_copy`)
      }
      return {
        ...place,
        async open() {
          await (made ??= make('template1'))
          return await place.open()
        },
        async openMigrated() {
          await (made ??= migratedTemplate().then(make))
          return await place.openMigrated()
        },
      }
    })
  })
}

/** One server for all suites of a process: to start one takes longer than most suites. */
let postgres: Promise<PostgresServer> | undefined
let template: Promise<string> | undefined
let stores = 0
let endsPostgres: true | undefined
const sharedPostgres = () => (postgres ??= startPostgres({ major: 15, settings: { max_connections: '200' } }))

/** As `migratedFile`. */
function migratedTemplate(): Promise<string> {
  return (template ??= (async () => {
    const [server, name] = [await sharedPostgres(), 'store_template']
    await server.query(`create database ${name}`)
    await using store = await openStore({ url: urlOf(server, name) })
    await migrate(store)
    return name
  })())
}

function urlOf({ user, password, host, port }: PostgresServer, database: string): string {
  return `postgres://${user}:${password}@${host}:${port}/${database}`
}

export function placeOf(engine: StoreEngine, place: StorePlace['place']): StorePlace {
  const open = () => openStore(place)
  return {
    engine,
    place,
    open,
    async openMigrated() {
      const store = await open()
      await migrate(store)
      return store
    },
  }
}
