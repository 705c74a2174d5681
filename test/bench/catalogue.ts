/**
 * Fills a store with snapshots and measures the pages of their list, filter by filter, as the API answers them.
 *
 *   node test/bench/catalogue.ts [--snapshots 1000000] [--store sqlite|postgresql] [--rounds 20] [--path keep.db]
 *                                [--servers 200]
 *
 * With --servers the asker's role is limited to so many of the 200 servers.
 *
 * Wants an idle machine, and 4 GB in the temporary folder for a million.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { listSnapshots, type SnapshotFilter } from '../../src/app/snapshots/listing.ts'
import { copiesOf } from '../../src/app/snapshots/store.ts'
import type { Place, PlaceInGroup } from '../../src/app/pages.ts'
import { type SnapshotSort, usualOrders } from '../../src/shared/snapshots-api.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { scoped } from '../../src/store/scope.ts'
import type { Tables } from '../../src/store/tables.ts'
import { startPostgres } from '../servers/postgres.ts'
import { temporary } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    snapshots: { type: 'string', default: '1000000' },
    store: { type: 'string', default: 'sqlite' },
    rounds: { type: 'string', default: '20' },
    path: { type: 'string' },
    servers: { type: 'string' },
  },
})
const total = Number(options.snapshots)
const rounds = Number(options.rounds)

const SERVERS = 200
const DATABASES = 50
const PER_STATEMENT = 500
const PER_TRANSACTION = 20_000
const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 1)
const ORGANIZATION = 'organization'

const ids = {
  servers: Array.from({ length: SERVERS }, (_, n) => `server-${n}`),
  plans: Array.from({ length: SERVERS }, (_, n) => `plan-${n}`),
  volumes: ['all', 'half', 'few', 'old'],
}

interface Case {
  name: string
  filter: SnapshotFilter
  sort?: SnapshotSort
}

const cases: readonly Case[] = [
  { name: 'all', filter: {} },
  { name: 'all, by size', filter: {}, sort: 'storedBytes' },
  { name: 'all, by name', filter: {}, sort: 'database' },
  { name: 'server', filter: { serverId: 'server-7' } },
  { name: 'server, by size', filter: { serverId: 'server-7' }, sort: 'storedBytes' },
  { name: 'server and database', filter: { serverId: 'server-7', database: 'database 7 of 50' } },
  { name: 'database', filter: { database: 'database 7 of 50' } },
  { name: 'database, by size', filter: { database: 'database 7 of 50' }, sort: 'storedBytes' },
  { name: 'database, by name', filter: { database: 'database 7 of 50' }, sort: 'database' },
  { name: 'plan', filter: { planId: 'plan-7' } },
  { name: 'no plan', filter: { planId: null } },
  { name: 'engine', filter: { engine: 'postgresql' } },
  { name: 'engine, rare', filter: { engine: 'sqlite' } },
  { name: 'engine, rare, by size', filter: { engine: 'sqlite' }, sort: 'storedBytes' },
  { name: 'engine, rare, by name', filter: { engine: 'sqlite' }, sort: 'database' },
  { name: 'from and to', filter: { from: START + 1000 * HOUR, to: START + 1100 * HOUR } },
  { name: 'from and to, by size', filter: { from: START, to: START + 10 * HOUR }, sort: 'storedBytes' },
  { name: 'locked', filter: { isLocked: true } },
  { name: 'locked, by size', filter: { isLocked: true }, sort: 'storedBytes' },
  { name: 'not locked', filter: { isLocked: false } },
  { name: 'proven', filter: { isProven: true } },
  { name: 'not proven', filter: { isProven: false } },
  { name: 'server, locked', filter: { serverId: 'server-7', isLocked: true } },
  { name: 'volume of all', filter: { volumeId: 'all' } },
  { name: 'volume of half', filter: { volumeId: 'half' } },
  { name: 'volume of few', filter: { volumeId: 'few' } },
  { name: 'volume of old ones', filter: { volumeId: 'old' } },
  { name: 'copy stored', filter: { copy: 'stored' } },
  { name: 'copy missing', filter: { copy: 'missing' } },
  { name: 'copy corrupt on a volume', filter: { copy: 'corrupt', volumeId: 'all' } },
  { name: 'text in many', filter: { search: 'database' } },
  { name: 'text in some', filter: { search: 'before release 7' } },
  { name: 'text in none', filter: { search: 'there is no such text' } },
  { name: 'text on a server', filter: { serverId: 'server-7', search: 'release' } },
]

await using folder = await temporary('holdfast-catalogue-')
await using place = await placeOf(options.store)
{
  await using store = await openStore(place.place)
  if ((await migrate(store)).length > 0) await fill(store)
}
await using store = await openStore(place.place)
console.log(
  `${total} snapshots, ${store.engine}; milliseconds of ${rounds} pages of 50, each behind the one before`,
)
const few = options.servers === undefined ? null : ids.servers.slice(0, Number(options.servers))
const own = scoped(store, { organizationId: ORGANIZATION, servers: few })
for (const one of cases) await measure(own, one)

async function placeOf(engine: string) {
  if (engine === 'sqlite') {
    const path = options.path ?? join(folder.path, 'catalogue.db')
    return { place: { path }, async [Symbol.asyncDispose]() {} }
  }
  const server = await startPostgres({ major: 15 })
  await server.query('create database catalogue')
  const { user, password, host, port } = server
  const url = `postgres://${user}:${password}@${host}:${port}/catalogue`
  return { place: { url }, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

async function measure(store: Store, { name, filter, sort = 'takenAt' }: Case): Promise<void> {
  const times: number[] = []
  let after: Place | PlaceInGroup | undefined
  let shown = 0
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const { rows, next } = await listSnapshots(store, ORGANIZATION, filter, {
      sort,
      order: usualOrders[sort],
      after,
      limit: 50,
    })
    await copiesOf(
      store.db,
      rows.map(({ id }) => id),
    )
    times.push(performance.now() - started)
    shown += rows.length
    after = next ?? undefined
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.ceil(times.length * share) - 1] ?? 0).toFixed(1).padStart(8)
  console.log(`${name.padEnd(28)} p50 ${at(0.5)}  p95 ${at(0.95)}  max ${at(1)}  ${shown} shown`)
}

async function fill(store: Store): Promise<void> {
  const times = { createdAt: START, updatedAt: START }
  const { db } = store
  await db.insertInto('organizations').values({ id: ORGANIZATION, name: 'Bench', createdAt: START }).execute()
  for (const id of ids.servers) {
    const flags = { isProduction: 0, isProtected: 0, maxRunning: 2, revision: 1 }
    const server = {
      id,
      organizationId: ORGANIZATION,
      name: id,
      engine: 'postgresql',
      labels: '{}',
      connection: '{}',
    }
    await db
      .insertInto('servers')
      .values({ ...server, ...flags, ...times })
      .execute()
  }
  for (const [n, id] of ids.plans.entries()) {
    const plan = { id, organizationId: ORGANIZATION, serverId: `server-${n}`, name: id, settings: '{}' }
    await db
      .insertInto('plans')
      .values({ ...plan, isEnabled: 1, revision: 1, ...times })
      .execute()
  }
  for (const id of ids.volumes) {
    const volume = {
      id,
      organizationId: ORGANIZATION,
      name: id,
      kind: 'local',
      settings: '{}',
      maxRunning: 4,
    }
    await db
      .insertInto('volumes')
      .values({ ...volume, quotaAction: 'warn' as const, isReadOnly: 0, revision: 1, ...times })
      .execute()
  }
  for (let from = 0; from < total; from += PER_TRANSACTION) {
    await db.transaction().execute((trx) => fillPiece(trx, from, Math.min(from + PER_TRANSACTION, total)))
    console.error(`${from} snapshots`)
  }
}

async function fillPiece(trx: Transaction<Tables>, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += PER_STATEMENT) {
    const rows = Array.from({ length: Math.min(PER_STATEMENT, to - n) }, (_, i) => row(n + i))
    const snapshots = rows.map(({ snapshot }) => snapshot)
    const copies = rows.flatMap(({ copies }) => copies)
    await trx.insertInto('snapshots').values(snapshots).execute()
    await trx.insertInto('copies').values(copies).execute()
  }
}

function row(n: number) {
  const takenAt = START + Math.floor(n / (SERVERS * DATABASES)) * HOUR + (n % 3600) * 1000
  const id = uuidv7({ msecs: takenAt })
  const server = n % SERVERS
  const database = `database ${Math.floor(n / SERVERS) % DATABASES} of 50`
  const storedBytes = (n * 7919) % 1_000_000_007
  const key = `server-${server}/${database}/${n}.dump.zst`
  const snapshot = {
    id,
    organizationId: ORGANIZATION,
    serverId: `server-${server}`,
    serverName: `server-${server}`,
    engine: n % 10_000 === 17 ? 'sqlite' : n % 10 === 0 ? 'mysql' : 'postgresql',
    database,
    planId: n % 1000 === 1 ? null : `plan-${server}`,
    planName: `plan-${server}`,
    jobId: randomUUID(),
    takenAt,
    finishedAt: takenAt + 60_000,
    format: 'custom',
    rawBytes: storedBytes * 3,
    storedBytes,
    sha256: 'a'.repeat(64),
    cause: 'schedule',
    releaseVersion: n % 500 === 3 ? `7.${n}` : null,
    comment: n % 500 === 3 ? `before release ${n}` : null,
    isLocked: n % 2000 === 5 ? 1 : 0,
    lockedUntil: n % 2000 === 6 ? START : null,
    provenAt: n % 100 === 0 ? takenAt : null,
    isPartial: 0,
    isForeign: 0,
    revision: 1,
    manifest: JSON.stringify({
      rows: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`public.table_${i}`, n])),
    }),
  }
  const on = [
    'all',
    ...(n % 2 === 0 ? ['half'] : []),
    ...(n % 1000 === 9 ? ['few'] : []),
    ...(n < total / 10 ? ['old'] : []),
  ]
  const copies = on.map((volumeId) => ({
    snapshotId: id,
    volumeId,
    key,
    state:
      n % 1000 === 11 ? ('missing' as const) : n % 1000 === 12 ? ('corrupt' as const) : ('stored' as const),
    bytes: storedBytes,
    checkedAt: takenAt,
    createdAt: takenAt,
    updatedAt: takenAt,
  }))
  return { snapshot, copies }
}
