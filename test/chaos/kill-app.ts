import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AppBackup } from '../../src/shared/app-backups.ts'
import type { Job } from '../../src/shared/jobs.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import { type AppProcess, type Client, client, startApp } from '../e2e/app.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { processesWith } from '../e2e/processes.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { type Bench, type Group, momentIn, oneOf } from './suite.ts'

const VOLUMES = ['one', 'two'] as const
const ROWS = 3_000
/** In milliseconds: what a round begins is over by then if nobody kills it. */
const LONGEST = 2_500
const SETTLED_WITHIN = 120_000
const TIDY_WITHIN = 20_000

/**
 * `kill -9` of the app at any moment of a backup, a restore, a deletion, pruning, an app backup and its own start. When it is back, no
 * job is stuck; what the catalogue knows and what is on the volumes are the same, object by object; what was
 * acknowledged is there; and no half restored database is left.
 */
export function killApp({ stack }: Bench): Group[] {
  return [
    { name: 'the app with its store in SQLite', needs: [], few: 1, round: rounds(stack, false) },
    {
      name: 'the app with its store in PostgreSQL',
      needs: ['postgres15'],
      few: 1,
      round: rounds(stack, true),
    },
    { name: 'the first start of the app', needs: [], few: 1, round: killFirstStart },
  ]
}

/** One installation lives through all rounds, one after another. */
function rounds(stack: AsyncDisposableStack, inPostgresql: boolean): (n: number) => Promise<void> {
  let installation: Promise<Installation> | undefined
  let last: Promise<unknown> = Promise.resolve()
  return async () => {
    installation ??= install(stack, inPostgresql)
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = last
    last = promise
    await before
    try {
      const installed = await installation
      await round(installed).catch((error: Error) => {
        throw new Error(`${error.message}\n${installed.app.said().slice(-4_000)}`, { cause: error })
      })
    } finally {
      resolve()
    }
  }
}

interface Installation {
  folder: string
  env: Record<string, string>
  token: string
  planId: string
  serverId: string
  app: AppProcess
  api: Client
  /** Of the rounds, for names. */
  count: number
}

async function install(stack: AsyncDisposableStack, inPostgresql: boolean): Promise<Installation> {
  const { path: folder } = stack.use(await tempFolder('kill-app'))
  const database = inPostgresql ? stack.use(await startPostgres({ major: 15 })) : undefined
  const env: Record<string, string> = database ? { DATABASE_URL: urlOf(database) } : {}
  makeDatabase(join(folder, 'source.db'))
  await mkdir(join(folder, 'restored'))
  const app = await startApp(join(folder, 'data'), { env })
  assert.ok(app.isUp && app.token, app.said())
  const api = client(app.url, app.token)
  const volumes: { id: string }[] = []
  for (const name of VOLUMES) {
    volumes.push(
      await api.get('POST', '/api/v1/volumes', {
        name,
        kind: 'local',
        settings: { path: join(folder, name) },
      }),
    )
  }
  const { id: serverId } = await api.get<{ id: string }>('POST', '/api/v1/servers', {
    name: 'source',
    engine: 'sqlite',
    connection: { path: join(folder, 'source.db') },
  })
  const { id: planId } = await api.get<{ id: string }>('POST', '/api/v1/plans', {
    serverId,
    name: 'killed',
    volumes: volumes.map(({ id }) => ({ id })),
    retention: { keepLast: 2 },
    backoffSeconds: 1,
    tries: 5,
  })
  const installation = { folder, env, token: app.token, planId, serverId, app, api, count: 0 }
  stack.defer(() => installation.app[Symbol.asyncDispose]())
  return installation
}

async function round(installation: Installation): Promise<void> {
  const { folder, env, token } = installation
  installation.count += 1
  const { begun, deleted } = await beginSomething(installation)
  await sleep(momentIn(LONGEST))
  await installation.app.stop('SIGKILL')

  installation.app = await startApp(join(folder, 'data'), { env })
  assert.ok(installation.app.isUp, installation.app.said())
  installation.api = client(installation.app.url, token)
  await settle(installation.api)
  await untilTidy(() => checkVolumes(installation))
  await untilTidy(() => checkAppBackups(installation))
  await checkAcknowledged(installation, begun)
  // And so it is not on the volumes either, which hold what the catalogue says.
  if (deleted !== undefined) {
    assert.equal((await installation.api.ask('GET', `/api/v1/snapshots/${deleted}`)).status, 404)
  }
  await checkRestores(installation)
}

/** What an app has said it would do. */
interface Acknowledged {
  /** The ids of jobs. */
  begun: string[]
  /** The id of a snapshot. */
  deleted: string | undefined
}

/** Some of what an app does at once. */
async function beginSomething(installation: Installation): Promise<Acknowledged> {
  const { api, planId, serverId, folder, count } = installation
  const begun: string[] = []
  const { jobId } = await api.get<{ jobId: string }>('POST', `/api/v1/plans/${planId}/run`, {})
  begun.push(jobId)
  if (oneOf([true, false])) {
    const [registration] = await api.all<{ id: string }>('/api/v1/app-backup-registrations')
    const job = await api.get<Job>('POST', `/api/v1/app-backup-registrations/${registration?.id}/run`)
    begun.push(job.id)
  }
  const [newest, ...older] = await api.all<Snapshot>('/api/v1/snapshots')
  const last = older.at(-1)
  if (newest && oneOf([true, false])) {
    const mode = oneOf(['new', 'replace'])
    const { jobId } = await api.get<{ jobId: string }>('POST', '/api/v1/restores', {
      snapshotId: newest.id,
      serverId,
      database: join(folder, 'restored', `${mode === 'new' ? count : 'again'}.db`),
      mode,
      safetySnapshot: false,
    })
    begun.push(jobId)
  }
  if (!last || oneOf([true, false])) return { begun, deleted: undefined }
  const { status, text } = await api.ask('DELETE', `/api/v1/snapshots/${last.id}`)
  if (status < 300) return { begun, deleted: last.id }
  assert.ok([404, 409].includes(status), text) // it may be pruned at the same moment
  return { begun, deleted: undefined }
}

async function settle(api: Client): Promise<void> {
  const deadline = Date.now() + SETTLED_WITHIN
  for (;;) {
    const waiting = await api.all<Job>('/api/v1/jobs?state=queued,running')
    if (waiting.length === 0) return
    assert.ok(Date.now() < deadline, `Stuck: ${JSON.stringify(waiting, null, 2)}`)
    await sleep(100)
  }
}

/** A job has ended when its end is stored; what it tidies up behind that takes another moment. */
async function untilTidy(check: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + TIDY_WITHIN; ; await sleep(200)) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

/** Object by object, the volumes hold what the catalogue says, and nothing else. */
async function checkVolumes({ api, folder }: Installation): Promise<void> {
  const snapshots = await api.all<Snapshot>('/api/v1/snapshots')
  for (const name of VOLUMES) {
    const copies = snapshots.flatMap((snapshot) =>
      snapshot.copies
        .filter((copy) => copy.volumeName === name)
        .map((copy) => ({ ...copy, snapshot: snapshot.id })),
    )
    for (const copy of copies) {
      assert.equal(copy.state, 'stored', `${name}: ${JSON.stringify(copy)}`)
      assert.equal((await stat(join(folder, name, copy.key))).size, copy.bytes)
    }
    const expected = copies.flatMap(({ key }) => [key, `${key}.manifest.json`]).toSorted()
    assert.deepEqual(await filesIn(join(folder, name)), expected, `what is on volume ${name}`)
  }
  for (const { id, copies } of snapshots) assert.equal(copies.length, VOLUMES.length, `the copies of ${id}`)
}

/** File by file, the folder for app backups holds what the registry knows, with its contents, and nothing else. */
async function checkAppBackups({ api, folder }: Installation): Promise<void> {
  const backups = await api.all<AppBackup>('/api/v1/app-backups')
  assert.deepEqual(
    backups.filter(({ state }) => state === 'running'),
    [],
  )
  const good = backups.filter(({ state }) => state === 'succeeded')
  const root = join(folder, 'data', 'app-backups')
  assert.deepEqual(await filesIn(root), good.map(({ key }) => key).toSorted(), 'what is in the folder')
  for (const { key, sha256 } of good) {
    const bytes = await readFile(join(root, key))
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256, key)
  }
}

/** What was answered with success is known, has ended, and has not failed for having been killed. */
async function checkAcknowledged({ api }: Installation, jobs: readonly string[]): Promise<void> {
  for (const id of jobs) {
    const job = await api.get<Job>('GET', `/api/v1/jobs/${id}`)
    if (job.kind === 'restore') continue // never repeated by itself
    assert.equal(job.state, 'succeeded', JSON.stringify(job))
  }
  const [newest] = await api.all<Snapshot>('/api/v1/snapshots')
  assert.ok(newest, 'a snapshot is there')
}

/** Under a target’s name is all of the snapshot or nothing; and nothing lies beside it. */
async function checkRestores({ folder }: Installation): Promise<void> {
  const restored = join(folder, 'restored')
  for (const name of await filesIn(restored)) {
    assert.match(name, /^(\d+|again)\.db$/, 'nothing is left beside a target')
    const database = new DatabaseSync(join(restored, name), { readOnly: true })
    const row = database.prepare('select count(*) as count from things').get()
    database.close()
    assert.equal(row?.['count'], ROWS, name)
  }
}

/**
 * Killed while it makes its key, its store and its first token, it starts the next time all the same. A start that was up
 * before says nothing: then another one is killed sooner.
 */
async function killFirstStart(): Promise<void> {
  await using folder = await tempFolder('first-start')
  for (let within = 2_000; ; within /= 2) {
    const data = join(folder.path, `data-${within}`)
    const isKilled = await killWhileItStarts(data, within)
    await using again = await startApp(data)
    assert.ok(again.isUp, again.said())
    if (isKilled) return
    assert.ok(within > 50, 'No start could be killed before it was up.')
  }
}

async function killWhileItStarts(data: string, within: number): Promise<boolean> {
  const starting = startApp(data)
  await sleep(momentIn(within))
  const isFound = killWhoeverUses(data)
  await using app = await starting
  return isFound && !app.isUp
}

/** By the environment, since the process is not known before it is up. False if there is none yet, or any more. */
function killWhoeverUses(data: string): boolean {
  const found = processesWith(`HOLDFAST_DATA_DIR=${data}`)
  for (const { pid } of found) process.kill(pid, 'SIGKILL')
  return found.length > 0
}

function makeDatabase(path: string): void {
  const database = new DatabaseSync(path)
  database.exec('create table things (id integer primary key, bytes blob)')
  const insert = database.prepare('insert into things (bytes) values (?)')
  database.exec('begin')
  for (let i = 0; i < ROWS; i++) insert.run(randomBytes(4_000))
  database.exec('commit')
  database.close()
}

/** Below the folder, sorted; without RESTORE.txt, which is on every volume. */
async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && entry.name !== 'RESTORE.txt')
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function urlOf({ user, password, host, port }: PostgresServer): string {
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/postgres`
}
