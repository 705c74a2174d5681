import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { type SqlBool, sql, type Transaction } from 'kysely'
import { AppError, messageOf } from '../shared/errors.ts'
import type { Store } from './database.ts'
import type { Tables } from './tables.ts'

/** Tables whose rows belong to one place: what was migrated there, and who holds it now. */
export const notCopied = ['migrations', 'leases'] as const
export type CopiedTable = Exclude<keyof Tables, (typeof notCopied)[number]>

interface TableShape<T extends CopiedTable> {
  /** Its primary key. */
  key: readonly (keyof Tables[T] & string)[]
  /** Columns of JSON, which each engine writes in its own way. */
  json?: readonly (keyof Tables[T] & string)[]
}

/** Every table, behind those that it refers to. A test compares it with the schema. */
export const copiedTables: { readonly [T in CopiedTable]: TableShape<T> } = {
  organizations: { key: ['id'], json: ['mergedIds'] },
  users: { key: ['id'] },
  sessions: { key: ['id'] },
  accounts: { key: ['id'] },
  verifications: { key: ['id'] },
  twoFactors: { key: ['id'] },
  passkeys: { key: ['id'], json: ['transports'] },
  signInFailures: { key: ['key'] },
  setup: { key: ['id'] },
  identitySecret: { key: ['id'], json: ['content'] },
  identityProviders: { key: ['id'], json: ['settings', 'rules'] },
  roles: { key: ['id'], json: ['abilities', 'servers'] },
  memberships: { key: ['organizationId', 'userId'] },
  invitations: { key: ['id'] },
  auditEntries: { key: ['number'], json: ['actor', 'target', 'details'] },
  auditChain: { key: ['id'] },
  tokens: { key: ['id'], json: ['scopes', 'networks'] },
  settings: { key: ['organizationId'], json: ['content'] },
  servers: { key: ['id'], json: ['connection', 'labels'] },
  volumes: { key: ['id'], json: ['settings'] },
  encryptionKeys: { key: ['id'], json: ['material'] },
  schedules: { key: ['id'], json: ['rule'] },
  firings: { key: ['schedule', 'fireAt'] },
  plans: { key: ['id'], json: ['settings'] },
  planSchedules: { key: ['planId', 'scheduleId'] },
  planVolumes: { key: ['planId', 'volumeId'], json: ['retention'] },
  planDatabases: { key: ['planId', 'database'], json: ['lastError'] },
  snapshots: { key: ['id'], json: ['manifest'] },
  copies: { key: ['snapshotId', 'volumeId'], json: ['error'] },
  scheduledRestores: { key: ['id'], json: ['settings'] },
  jobs: { key: ['id'], json: ['payload', 'progress', 'result', 'error'] },
  jobLogs: { key: ['jobId', 'number'], json: ['lines'] },
  resources: { key: ['name'] },
  jobResources: { key: ['jobId', 'resource'] },
  jobSlots: { key: ['resource', 'slot'] },
  idempotencyKeys: { key: ['tokenId', 'key'], json: ['headers'] },
  appKey: { key: ['id'] },
  instanceSettings: { key: ['id'], json: ['content'] },
  appBackupRegistrations: { key: ['id'], json: ['settings', 'schedules'] },
  appBackups: { key: ['id'], json: ['error'] },
  hooks: { key: ['id'], json: ['settings'] },
  channels: { key: ['id'], json: ['settings', 'lastError'] },
  notificationRules: { key: ['id'], json: ['events', 'servers', 'channels'] },
  notificationThreads: { key: ['organizationId', 'key'], json: ['told'] },
}

export interface CopiedRows {
  table: CopiedTable
  rows: number
}

const tableNames = Object.keys(copiedTables) as CopiedTable[]
const BATCH = 500

/**
 * Copies everything that one store knows into another, all or nothing, and compares what arrived row by row. Both must
 * have the schema of this release. Throws `object_exists` if the target has any row already, and `checksum_mismatch` if
 * it does not say what the source says. The source is only read, as it was when this began, and nobody migrates it
 * meanwhile, as every app does at its start; `check` is asked at the end, and nothing is kept if it throws.
 */
export async function copyStore(
  source: Store,
  target: Store,
  signal: AbortSignal,
  onTable: (copied: CopiedRows) => void | Promise<void> = () => {},
  check: () => Promise<void> = async () => {},
): Promise<CopiedRows[]> {
  const reading = source.db.transaction().setAccessMode('read only').setIsolationLevel('repeatable read')
  return await reading.execute((from) =>
    target.db.transaction().execute(async (to) => {
      await target.lockMigrations(to)
      await refuseRows(target, to)
      await source.lockMigrations(from)
      const copied: CopiedRows[] = []
      for (const table of tableNames) {
        const rows = await copyTable(from, to, table, signal)
        copied.push({ table, rows })
        await onTable({ table, rows })
      }
      await check()
      signal.throwIfAborted()
      return copied
    }),
  )
}

async function refuseRows(target: Store, trx: Transaction<Tables>): Promise<void> {
  for (const table of tableNames) {
    const [row] = await nextRows(trx, table, undefined, 1)
    if (!row) continue
    throw new AppError('object_exists', `The store ${target.location} is not empty: it has ${table}.`, {
      hint: 'Name a new one. Nothing was changed.',
    })
  }
}

async function copyTable(
  from: Transaction<Tables>,
  to: Transaction<Tables>,
  table: CopiedTable,
  signal: AbortSignal,
): Promise<number> {
  const sent = new Digest(table)
  for await (const rows of batches(from, table)) {
    signal.throwIfAborted()
    sent.add(rows)
    await insert(to, table, rows)
  }
  const arrived = new Digest(table)
  for await (const rows of batches(to, table)) {
    signal.throwIfAborted()
    arrived.add(rows)
  }
  if (arrived.rows !== sent.rows || arrived.sum !== sent.sum) {
    throw new AppError(
      'checksum_mismatch',
      `The table ${table} did not arrive as it was: ${sent.rows} rows were sent, ${arrived.rows} came.`,
      { hint: 'Nothing was kept of it. Please report this.' },
    )
  }
  return sent.rows
}

type Row = Record<string, unknown>

async function insert(to: Transaction<Tables>, table: CopiedTable, rows: Row[]): Promise<void> {
  try {
    await to.insertInto(table).values(rows).execute()
  } catch (error) {
    throw new AppError('store_unavailable', `Rows of the table ${table} were refused: ${messageOf(error)}.`, {
      hint: 'Nothing was changed.',
      cause: error,
      retryable: false,
    })
  }
}

/** All rows, some at a time, in the order of their keys, which differs from engine to engine. */
async function* batches(trx: Transaction<Tables>, table: CopiedTable): AsyncGenerator<Row[], void> {
  let last: Row | undefined
  do {
    await setImmediate() // SQLite lets nothing else happen: neither a lease renewed, nor an interruption heard
    const rows = await nextRows(trx, table, last, BATCH)
    if (rows.length > 0) yield rows
    last = rows.length < BATCH ? undefined : rows.at(-1)
  } while (last)
}

async function nextRows(
  trx: Transaction<Tables>,
  table: CopiedTable,
  behind: Row | undefined,
  limit: number,
): Promise<Row[]> {
  const key = copiedTables[table].key as readonly string[]
  const columns = key.map((column) => sql.ref(column))
  let query = trx.selectFrom(table).selectAll()
  if (behind) {
    const values = key.map((column) => sql`${behind[column]}`)
    query = query.where(sql<SqlBool>`(${sql.join(columns)}) > (${sql.join(values)})`)
  }
  return await query
    .orderBy(sql.join(columns) as never)
    .limit(limit)
    .execute()
}

/** A sum over the rows of a table that does not depend on their order: that of the SHA-256 of each. */
class Digest {
  rows = 0
  sum = 0n
  readonly #json: readonly string[]

  constructor(table: CopiedTable) {
    this.#json = copiedTables[table].json ?? []
  }

  add(rows: Row[]): void {
    for (const row of rows) {
      const hash = createHash('sha256').update(canonicalRow(row, this.#json)).digest('hex')
      this.sum = (this.sum + BigInt(`0x${hash}`)) % 2n ** 256n
    }
    this.rows += rows.length
  }
}

/** The same text for what both engines give of the same row. */
function canonicalRow(row: Row, json: readonly string[]): string {
  const values = Object.keys(row)
    .sort()
    .map((column) => {
      const value = row[column]
      const isJson = typeof value === 'string' && json.includes(column)
      return [column, isJson ? canonical(JSON.parse(value)) : value]
    })
  return JSON.stringify(values)
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, child]) => [name, canonical(child)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
