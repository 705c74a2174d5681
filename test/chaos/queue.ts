import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore, type Store } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { cancelJob, enqueueJob, setCapacity } from '../../src/store/queue.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { type Bench, type Group, oneOf } from './suite.ts'

/** A runner that stands still for so long, in milliseconds, is taken for dead. Killed ones are. */
export const LEASE = 3_000

const WORKERS = 6
const NODE_CAPACITY = 5
const JOBS = 250
const KEYS = 3
/** How many jobs may run at once on each server. */
const servers: Record<string, number> = { a: 1, b: 2, c: 3 }

export interface Work {
  server: string
}

/** What a worker wrote down. Times are those of the machine's clock. */
export interface Note {
  at: number
  what: 'start' | 'end' | 'succeeded' | 'lost'
  job: string
  attempt: number
  key: string
  server: string
}

/**
 * Several processes claim, fail, are killed and are started anew, while jobs come in and are cancelled. In the end every
 * job has come to its end, no two of one key ever ran at once, and no server ever had more than it may.
 */
export function queue({ sources }: Bench): Group[] {
  const common = { few: 1 }
  return [
    {
      ...common,
      name: 'the queue in SQLite: runners are killed',
      needs: [],
      async round(_n, isShort) {
        await using folder = await tempFolder('queue')
        await torture({ path: join(folder.path, 'queue.db') }, isShort ? JOBS / 5 : JOBS)
      },
    },
    {
      ...common,
      name: 'the queue in PostgreSQL: runners are killed',
      needs: ['postgres15'],
      async round(_n, isShort) {
        const server = await sources.postgres()
        const { user, password, host, port } = server
        const database = `queue_${randomBytes(6).toString('hex')}`
        await server.query(`create database ${database}`)
        await torture(
          { url: `postgres://${user}:${password}@${host}:${port}/${database}` },
          isShort ? JOBS / 5 : JOBS,
        )
        await server.query(`drop database ${database} with (force)`)
      },
    },
  ]
}

async function torture(place: { path: string } | { url: string }, count: number): Promise<void> {
  await using store = await openStore(place)
  await migrate(store)
  await using folder = await tempFolder('queue-notes')
  await prepare(store)

  const deaths = new Map<string, number>()
  const workers = new Map<string, ChildProcess>()
  let started = 0
  const startWorker = () => {
    const name = `worker-${++started}`
    const program = join(import.meta.dirname, 'queue-worker.ts')
    const args = [program, name, join(folder.path, name), JSON.stringify(place), String(NODE_CAPACITY)]
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    workers.set(name, child)
  }
  const killWorker = async (name: string, child: ChildProcess) => {
    workers.delete(name)
    assert.equal(child.exitCode, null, `${name} has ended by itself`)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    deaths.set(name, Date.now())
  }

  try {
    for (let n = 0; n < WORKERS; n++) startWorker()
    const ids: string[] = []
    for (let n = 0; n < count; n++) {
      ids.push(await enqueue(store, n))
      if (randomInt(10) === 0) await cancel(store, oneOf(ids))
      if (randomInt(12) === 0) {
        await killWorker(...oneOf([...workers]))
        startWorker()
      }
      await sleep(randomInt(20))
    }
    await allEnded(store, () => {
      for (const [name, child] of workers) assert.equal(child.exitCode, null, `${name} has ended by itself`)
    })
    await check(store, await readNotes(folder.path), deaths)
  } finally {
    await Promise.all([...workers].map(([name, child]) => killWorker(name, child)))
  }
}

async function prepare(store: Store): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await trx.insertInto('organizations').values({ id: 'o', name: 'Ours', createdAt: store.now }).execute()
    for (const [name, capacity] of Object.entries(servers)) await setCapacity(trx, `server:${name}`, capacity)
  })
}

async function enqueue(store: Store, n: number): Promise<string> {
  const server = oneOf(Object.keys(servers))
  const payload: Work = { server }
  const { id } = await store.db.transaction().execute((trx) =>
    enqueueJob(store, trx, {
      organizationId: 'o',
      kind: 'work',
      key: `${server}${randomInt(KEYS)}`,
      payload,
      resources: [`server:${server}`],
      priority: n % 3,
      delay: randomInt(50),
      maxAttempts: 4,
      backoff: 10,
    }),
  )
  return id
}

async function cancel(store: Store, id: string): Promise<void> {
  await store.db.transaction().execute((trx) => cancelJob(store, trx, id))
}

async function allEnded(store: Store, look: () => void): Promise<void> {
  for (;;) {
    look()
    const open = await store.db
      .selectFrom('jobs')
      .select(['id', 'state'])
      .where('state', 'in', ['queued', 'running'])
      .execute()
    if (open.length === 0) return
    await sleep(50)
  }
}

async function readNotes(folder: string): Promise<Map<string, Note[]>> {
  const notes = new Map<string, Note[]>()
  for (const name of await readdir(folder)) {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n').slice(0, -1)
    notes.set(
      name,
      lines.map((line) => JSON.parse(line) as Note),
    )
  }
  return notes
}

interface Span {
  from: number
  to: number
  key: string
  server: string
}

async function check(
  store: Store,
  notes: Map<string, Note[]>,
  deaths: ReadonlyMap<string, number>,
): Promise<void> {
  const jobs = await store.db.selectFrom('jobs').selectAll().execute()
  const all = [...notes.values()].flat()
  for (const { id, state, attempt, maxAttempts } of jobs) {
    assert.ok(attempt <= maxAttempts, `job ${id} was tried ${attempt} times`)
    const successes = all.filter(({ job, what }) => job === id && what === 'succeeded')
    assert.ok(successes.length <= 1, `job ${id} succeeded ${successes.length} times`)
    if (successes[0]) {
      assert.equal(state, 'succeeded')
      assert.equal(successes[0].attempt, attempt)
    }
    const starts = all.filter(({ job, what }) => job === id && what === 'start').map(({ attempt }) => attempt)
    assert.equal(new Set(starts).size, starts.length, `an attempt at job ${id} was made twice`)
  }
  assert.deepEqual(await store.db.selectFrom('jobSlots').selectAll().execute(), [], 'slots are still held')

  const spans = [...notes].flatMap(([worker, lines]) => spansOf(lines, deaths.get(worker) ?? Date.now()))
  assert.ok(spans.length >= jobs.length / 2, 'next to nothing was done')
  for (const [moment, running] of moments(spans)) {
    const keys = running.map(({ key }) => key)
    assert.equal(new Set(keys).size, keys.length, `at ${moment} two jobs of one key ran: ${keys.join(', ')}`)
    for (const [server, cap] of Object.entries(servers)) {
      const there = running.filter((span) => span.server === server).length
      assert.ok(there <= cap, `at ${moment} server ${server} had ${there} jobs`)
    }
    assert.ok(running.length <= NODE_CAPACITY, `at ${moment} ${running.length} jobs ran on one node`)
  }
}

/** From when to when a worker was at a job: to its end, or its own. */
function spansOf(notes: readonly Note[], death: number): Span[] {
  return notes.flatMap(({ what, at, job, attempt, key, server }, i) => {
    if (what !== 'start') return []
    const end = notes.slice(i + 1).find((note) => note.job === job && note.attempt === attempt)
    return [{ from: at, to: end?.at ?? death, key, server }]
  })
}

/** What ran in the same milliseconds, looked at whenever something begins. One may end in the millisecond the next begins. */
function* moments(spans: readonly Span[]): Generator<[number, Span[]], void> {
  for (const { from } of spans) {
    yield [from, spans.filter((span) => span.from <= from && from < span.to)]
  }
}
