import { randomInt } from 'node:crypto'
import { closeSync, openSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CamelCasePlugin,
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { AppError, messageOf } from '../shared/errors.ts'
import type { Store } from './database.ts'
import type { Tables } from './tables.ts'

/** Milliseconds for which a write waits in SQLite while another process writes: as long as nobody notices. */
const BUSY_TIMEOUT = 20
/** Milliseconds for which it then tries again, between other things: SQLite would hold up the whole process. */
const BUSY_PATIENCE = 10_000
const SQLITE_BUSY = 5
/** A transaction lasts some milliseconds. Who waits so long waits for itself. */
const PATIENCE = 30_000
const STATEMENTS_KEPT = 256

/** From linux/magic.h. On these, SQLite's locks and its shared memory are not to be relied upon. */
const networkFileSystems: Record<number, string> = {
  0x6969: 'NFS',
  0xff534d42: 'SMB',
  0xfe534d42: 'SMB',
  0x517b: 'SMB',
  0x5346414f: 'AFS',
  0x01021997: '9P',
  0x00c36400: 'Ceph',
  0x013111a8: 'IBRIX',
  0x0bd00bd0: 'Lustre',
  0x01161970: 'GFS2',
  0x7461636f: 'OCFS2',
}

/** Opens, or makes, the file. Every commit is on the disk when it returns (WAL, synchronous=FULL). */
export function openSqliteStore(path: string): Store {
  refuseNetwork(path)
  const database = openDatabase(path)
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new NodeSqliteDriver(database),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    plugins: [new CamelCasePlugin()],
  })
  return {
    engine: 'sqlite',
    db,
    now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    location: path,
    place: { path },
    isUniqueViolation: (error) => [1555, 2067].includes((error as { errcode?: number }).errcode ?? 0),
    isAmong: (value, among) => sql`${value} in (select value from json_each(${JSON.stringify(among)}))`,
    dialect: { integer: 'integer', json: 'text', bytes: 'blob', strict: 'strict' },
    otherSessions: async () => 0, // the lease of the app tells
    lockMigrations: async () => {}, // every transaction is the only one that writes, from its beginning
    async [Symbol.asyncDispose]() {
      await db.destroy()
      if (database.isOpen) database.close() // Kysely closes only what it has used
    },
  }
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    // Nobody else's to read; the files of the write-ahead log get the same mode.
    closeSync(openSync(path, 'a', 0o600))
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true })
    database.exec('pragma journal_mode = wal; pragma synchronous = full')
    return database
  } catch (error) {
    database?.close()
    throw new AppError('store_unavailable', `The store ${path} cannot be opened: ${messageOf(error)}.`, {
      hint: 'The data directory must exist and belong to the user that Holdfast runs as.',
      cause: error,
    })
  }
}

function refuseNetwork(path: string): void {
  let type: number
  try {
    type = statfsSync(dirname(path)).type
  } catch (error) {
    throw new AppError('store_unavailable', `The store ${path} cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  const name = networkFileSystems[type]
  if (name === undefined) return
  throw new AppError('store_unavailable', `The store ${path} would lie on a network file system (${name}).`, {
    hint: 'SQLite cannot lock files there, and would lose data. Use a local directory, or PostgreSQL by DATABASE_URL.',
  })
}

/**
 * One connection, which one transaction has for itself from beginning to end: Kysely's own driver for SQLite would let
 * the queries of others slip in between. Transactions begin as writers (`immediate`); those that begin as readers fail
 * with SQLITE_BUSY when two processes want to write.
 */
class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync
  readonly #connection: NodeSqliteConnection
  #isTaken = false
  readonly #waiting: (() => void)[] = []

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#connection = new NodeSqliteConnection(database)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#isTaken) await this.#turn()
    this.#isTaken = true
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#isTaken = false
  }

  async beginTransaction(connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
    // Who only reads sees the file as it was when it began, and keeps no writer waiting.
    const begin = accessMode === 'read only' ? 'begin' : 'begin immediate'
    await connection.executeQuery(CompiledQuery.raw(begin))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // Some errors, as of a full disk, have rolled it back already.
    if (this.#database.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }

  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1)
        const message =
          'A query has waited for half a minute: is it made within a transaction, but not on it?'
        reject(new AppError('internal', message))
      }, PATIENCE)
      this.#waiting.push(take)
    })
  }
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  /** The latest last. */
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const until = Date.now() + BUSY_PATIENCE
    for (;;) {
      try {
        return this.#execute(query)
      } catch (error) {
        // Nothing has happened yet. Within a transaction, which has the right to write, it cannot be.
        const isBusy =
          (error as { errcode?: number }).errcode === SQLITE_BUSY && !this.#database.isTransaction
        if (!isBusy || Date.now() > until) throw error
        await sleep(randomInt(2, 20))
      }
    }
  }

  #execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const statement = this.#prepare(sql)
    const values = parameters as SQLInputValue[]
    if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncGenerator<QueryResult<R>, void> {
    // A statement of its own: the kept one may be asked again before this one has been read to its end.
    const statement = this.#database.prepare(sql)
    for (const row of statement.iterate(...(parameters as SQLInputValue[]))) yield { rows: [row as R] }
  }

  #prepare(sql: string): StatementSync {
    const kept = this.#statements.get(sql)
    const statement = kept ?? this.#database.prepare(sql)
    if (kept) this.#statements.delete(sql)
    this.#statements.set(sql, statement)
    if (this.#statements.size > STATEMENTS_KEPT) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    return statement
  }
}
