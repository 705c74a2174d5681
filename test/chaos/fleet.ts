import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { isOver, type Job } from '../../src/shared/jobs.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import { type AppProcess, client, startApp } from '../e2e/app.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { type Bench, type Group, momentIn } from './suite.ts'

const SERVERS = 2
const PLANS_EACH = 3
const MINUTES = 3
/** How many jobs may run on one server at once. */
const CAP = 1

/**
 * Two apps and three workers on one PostgreSQL, of which some are killed while a schedule fires each minute: every due
 * time happens once, no server has more jobs than it may, and every backup that was ordered is made.
 */
export function fleet(_bench: Bench): Group[] {
  return [
    {
      name: 'two apps and three workers, some of them killed',
      needs: ['postgres15'],
      few: 0,
      most: 3,
      round,
    },
  ]
}

async function round(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path: folder } = stack.use(await tempFolder('fleet'))
  const database = stack.use(await startPostgres({ major: 15, settings: { max_connections: '200' } }))
  const env = { DATABASE_URL: urlOf(database), APP_KEY: `base64:${randomBytes(32).toString('base64')}` }
  const start = async (name: string, command: string[]) => {
    const process = stack.use(await startApp(join(folder, name), { env, command }))
    assert.ok(process.isUp, process.said())
    return process
  }
  const first = await start('app-1', ['serve', '--concurrency', '2'])
  const second = await start('app-2', ['serve', '--concurrency', '2'])
  const workers: AppProcess[] = []
  for (const n of [1, 2, 3]) workers.push(await start(`worker-${n}`, ['worker', '--concurrency', '2']))
  assert.ok(first.token)
  const api = client(second.url, first.token)
  const planIds = await setUp(api, folder)

  await sleep(30_000 + momentIn(30_000))
  await workers[0]?.stop('SIGKILL')
  await sleep(momentIn(30_000))
  await first.stop('SIGKILL')
  await sleep(momentIn(20_000))
  await start('worker-4', ['worker', '--concurrency', '2'])
  await sleep(MINUTES * 60_000 - 90_000)

  await api.get('DELETE', `/api/v1/plans/${planIds[0]}?snapshots=keep`)
  for (const id of planIds.slice(1)) await api.get('PATCH', `/api/v1/plans/${id}`, { isEnabled: false })
  for (const deadline = Date.now() + 180_000; ; await sleep(500)) {
    const busy = await api.all<Job>('/api/v1/jobs?state=queued,running&kind=run-plan,backup')
    if (busy.length === 0) break
    assert.ok(Date.now() < deadline, `Stuck: ${JSON.stringify(busy)}`)
  }
  await checkOnce(database, api, planIds.slice(1))
}

async function setUp(api: ReturnType<typeof client>, folder: string): Promise<string[]> {
  const { id: volumeId } = await api.get<{ id: string }>('POST', '/api/v1/volumes', {
    name: 'shared',
    kind: 'local',
    settings: { path: join(folder, 'shared') },
    maxRunning: 10,
  })
  const { id: scheduleId } = await api.get<{ id: string }>('POST', '/api/v1/schedules', {
    name: 'each minute',
    rule: { type: 'cron', expression: '* * * * *', timeZone: 'UTC' },
  })
  const planIds: string[] = []
  for (let n = 0; n < SERVERS; n++) {
    const path = join(folder, `source-${n}.db`)
    const source = new DatabaseSync(path)
    source.exec('create table things (id integer primary key); insert into things values (1), (2)')
    source.close()
    const { id: serverId } = await api.get<{ id: string }>('POST', '/api/v1/servers', {
      name: `server ${n}`,
      engine: 'sqlite',
      connection: { path },
      maxRunning: CAP,
    })
    for (let p = 0; p < PLANS_EACH; p++) {
      const { id } = await api.get<{ id: string }>('POST', '/api/v1/plans', {
        serverId,
        name: `plan ${n}.${p}`,
        path: `${n}/${p}`,
        schedules: [scheduleId],
        volumes: [{ id: volumeId }],
        tries: 5,
        backoffSeconds: 1,
        retention: { forever: true },
      })
      planIds.push(id)
    }
  }
  return planIds
}

/**
 * Each firing is one run of each plan, or has joined one that waited; each run has ordered one backup, or joined one that
 * waited; and each of those is one snapshot.
 */
async function checkOnce(
  database: PostgresServer,
  api: ReturnType<typeof client>,
  planIds: readonly string[],
): Promise<void> {
  const [{ firings } = { firings: 0 }] = await database.query(
    `select count(*)::int as firings from firings where schedule not like '%:%'`,
  )
  assert.ok(Number(firings) >= MINUTES - 1, `${String(firings)} firings`)
  const jobs = await api.all<Job>('/api/v1/jobs?kind=run-plan,backup')
  const snapshots = await api.all<Snapshot>('/api/v1/snapshots')
  for (const planId of planIds) {
    const ofPlan = jobs.filter((job) => job.planId === planId)
    const runs = ofPlan.filter(({ kind }) => kind === 'run-plan')
    assert.ok(runs.length > 0, `No run of the plan ${planId}.`)
    assert.ok(runs.length <= Number(firings), `${runs.length} runs of ${String(firings)} firings`)
    for (const job of ofPlan) assert.equal(job.state, 'succeeded', JSON.stringify(job))
    const backups = ofPlan.filter(({ kind }) => kind === 'backup')
    const ordered = runs.map(({ result }) => (result as { jobs: { id: string }[] }).jobs.map(({ id }) => id))
    for (const ids of ordered) assert.equal(ids.length, 1, `A run has ordered ${ids.length} backups.`)
    assert.deepEqual([...new Set(ordered.flat())].toSorted(), backups.map(({ id }) => id).toSorted())
    // One that was killed behind its last byte is found, and made once more.
    const made = snapshots.filter((snapshot) => snapshot.planId === planId)
    const retried = backups.reduce((sum, { attempt }) => sum + attempt - 1, 0)
    assert.ok(made.length >= backups.length && made.length <= backups.length + retried)
  }
  assert.ok(jobs.every(({ state }) => isOver(state)))
  checkCap(jobs.filter(({ kind, attempt }) => kind === 'backup' && attempt === 1))
}

/** Those that were begun once: of the others nobody knows when the first attempt ended. */
function checkCap(backups: readonly Job[]): void {
  for (const [serverId, ofServer] of Map.groupBy(backups, ({ serverId }) => serverId)) {
    const moments = ofServer
      .flatMap(({ startedAt, finishedAt }) => [
        { at: Date.parse(startedAt ?? ''), change: 1 },
        { at: Date.parse(finishedAt ?? ''), change: -1 },
      ])
      .toSorted((a, b) => a.at - b.at || a.change - b.change)
    let running = 0
    for (const { change } of moments) {
      running += change
      assert.ok(running <= CAP, `${running} jobs at once on ${serverId}`)
    }
  }
}

function urlOf({ user, password, host, port }: PostgresServer): string {
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/postgres`
}
