import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeSample } from '../../src/app/demo/sample.ts'
import type { Plan } from '../../src/shared/plans.ts'
import type { Server } from '../../src/shared/servers.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import type { Volume } from '../../src/shared/volumes.ts'
import type { Bed } from './bed.ts'

const DAY = 24 * 60 * 60 * 1000
/** How many days of history there are. Backups are made for every third; of those between, jobs are all that is left. */
const DAYS = 34
const REAL_EVERY = 3

/** One of each, to put into addresses: `/servers/{server}`. */
export type Things = Record<
  'server' | 'plan' | 'database' | 'snapshot' | 'job' | 'volume' | 'restore' | 'scheduledRestore',
  string
>

interface Started {
  jobId: string
}
interface Thing {
  id: string
}

/**
 * A small company's installation, as it is after a month: servers, plans, volumes, snapshots of many days, failures,
 * restores, people. Everything is made by the API; then the days are moved into the past, in the store.
 */
export async function seed(bed: Bed): Promise<Things> {
  const { api, data, beside } = bed
  const post = <T>(path: string, body: object = {}) => api.get<T>('POST', `/api/v1/${path}`, body)
  // All this comes faster than people click.
  await api.get('PATCH', '/api/v1/settings', { apiRateLimit: 0 })
  const folder = join(beside, 'databases')
  await mkdir(folder, { recursive: true })
  const file = (name: string) => {
    const path = join(folder, `${name}.db`)
    makeSample(path)
    return path
  }
  const server = (name: string, path: string, more: object = {}) =>
    post<Server>('servers', { name, engine: 'sqlite', connection: { path }, ...more })

  const [local] = await api.all<Volume>('/api/v1/volumes')
  const archive = await post<Volume>('volumes', {
    name: 'Archive in the cellar',
    kind: 'local',
    settings: { path: join(beside, 'archive') },
    quota: 2 * 1024 ** 3,
  })
  const nightly = await post<Thing>('schedules', {
    name: 'Every night',
    rule: { type: 'daily', times: ['03:00'], timeZone: 'Europe/Berlin' },
  })
  const hourly = await post<Thing>('schedules', {
    name: 'Working hours',
    rule: { type: 'cron', expression: '15 8-18 * * 1-5', timeZone: 'Europe/Berlin' },
  })
  await post('schedules', { name: 'Before a release', rule: { type: 'migration' } })

  const shop = await server('shop-production', file('shop'), {
    labels: { env: 'production', team: 'commerce' },
    isProduction: true,
  })
  const accounts = await server('accounting', file('accounting'), {
    labels: { env: 'production', team: 'finance' },
  })
  const staging = await server('shop-staging', file('staging'), { labels: { env: 'staging' } })
  const warehouse = await post<Server>('servers', {
    name: 'warehouse-eu-central',
    engine: 'postgresql',
    connection: { host: '127.0.0.1', port: 9, user: 'backup', password: 'never-answers-1' },
    labels: { env: 'production', team: 'logistics' },
  })
  const volumes = [{ id: local?.id }, { id: archive.id }]
  const plan = (given: object) => post<Plan>('plans', { volumes: [{ id: local?.id }], ...given })
  const shopPlan = await plan({
    name: 'shop, nightly',
    serverId: shop.id,
    schedules: [nightly.id],
    volumes,
    retention: { daily: 7, weekly: 4, monthly: 12 },
  })
  const accountsPlan = await plan({
    name: 'accounting, working hours',
    serverId: accounts.id,
    schedules: [hourly.id],
    retention: { keepLast: 0 },
  })
  const warehousePlan = await plan({
    name: 'warehouse, nightly',
    serverId: warehouse.id,
    databases: { mode: 'selected', names: ['stock', 'deliveries'] },
    schedules: [nightly.id],
    tries: 1,
  })
  await plan({ name: 'staging, by hand', serverId: staging.id })

  const run = async (id: string) => {
    const { jobId } = await post<Started>(`plans/${id}/run`)
    await api.jobOver(jobId)
    await waitForBackups(api, jobId)
    return jobId
  }
  const store = join(data, 'holdfast.db')
  for (let day = DAYS; day > 0; day -= REAL_EVERY) {
    const plans = [shopPlan, accountsPlan, ...(day % 9 === 4 ? [warehousePlan] : [])]
    const jobs = await Promise.all(plans.map(({ id }) => run(id)))
    grow(join(folder, 'shop.db'), 400 + day * 17)
    if (day <= REAL_EVERY) break
    moveBack(store, jobs, day * DAY - 5 * 60 * 60 * 1000)
    for (let later = 1; later < REAL_EVERY; later++) repeat(store, jobs, later * DAY)
  }
  await run(warehousePlan.id)

  const snapshots = await api.all<Snapshot>(`/api/v1/snapshots?server=${shop.id}`)
  const [newest, second] = snapshots
  await api.get('PATCH', `/api/v1/snapshots/${second?.id}`, {
    locked: true,
    comment: 'Before the move to the new tax rates. Do not delete.',
  })
  const restore = await post<Started>('restores', {
    snapshotId: newest?.id,
    serverId: staging.id,
    database: join(folder, 'shop-restored.db'),
  })
  await api.jobOver(restore.jobId)
  const scheduledRestore = await post<Thing>('scheduled-restores', {
    name: 'Fresh staging every morning',
    sourceServerId: shop.id,
    sourceDatabase: newest?.database,
    targetServerId: staging.id,
    targetDatabase: join(folder, 'staging.db'),
    scheduleId: nightly.id,
    mode: 'replace',
  })
  await configure(bed)
  return {
    server: shop.id,
    plan: shopPlan.id,
    database: newest?.database ?? '',
    snapshot: newest?.id ?? '',
    job: restore.jobId,
    volume: local?.id ?? '',
    restore: restore.jobId,
    scheduledRestore: scheduledRestore.id,
  }
}

/** What stands under Configuration. */
async function configure({ api }: Bed): Promise<void> {
  const post = (path: string, body: object) => api.get('POST', `/api/v1/${path}`, body)
  await post('keys', { name: 'Company key', kind: 'password', generate: true })
  await post('channels', {
    name: 'On call',
    kind: 'ntfy',
    settings: { url: 'https://ntfy.example.com', topic: 'backups', token: 'tk_never_answers_1' },
  })
  await post('hooks', {
    name: 'Tell the status page',
    kind: 'http',
    around: 'backup',
    moment: 'after',
    settings: { url: 'https://status.example.com/hooks/backup' },
  })
  const roles = await api.all<{ id: string; name: string }>('/api/v1/roles')
  const operator = roles.find(({ name }) => name === 'Operator')
  await post('invitations', { email: 'grace@example.com', roleId: operator?.id })
}

async function waitForBackups(api: Bed['api'], runId: string): Promise<void> {
  for (;;) {
    const open = await api.all(`/api/v1/jobs?parent=${runId}&state=queued,running`)
    if (open.length === 0) return
    await sleep(20)
  }
}

/** Some more orders each day, so that sizes grow. */
function grow(path: string, orders: number): void {
  const database = new DatabaseSync(path)
  try {
    database.exec(`
      with recursive n(i) as (select 1 union all select i + 1 from n where i < ${orders})
      insert into orders (customer, item, cents, ordered_at)
      select 1 + i % 500, 'Item ' || hex(randomblob(8)), 100 + i, datetime('now') from n`)
  } finally {
    database.close()
  }
}

/** Makes the jobs, and all that came of them, so many milliseconds older. */
function moveBack(store: string, runs: readonly string[], milliseconds: number): void {
  const database = new DatabaseSync(store, { timeout: 10_000 })
  try {
    const ids = runs.map((id) => `'${id}'`).join(', ')
    const jobs = `select id from jobs where id in (${ids}) or parent_id in (${ids})`
    database.exec(`
      begin immediate;
      update copies set created_at = created_at - ${milliseconds}, updated_at = updated_at - ${milliseconds}
        where snapshot_id in (select id from snapshots where job_id in (${jobs}));
      update snapshots set taken_at = taken_at - ${milliseconds}, finished_at = finished_at - ${milliseconds}
        where job_id in (${jobs});
      update jobs set created_at = created_at - ${milliseconds}, run_at = run_at - ${milliseconds},
          started_at = started_at - ${milliseconds}, finished_at = finished_at - ${milliseconds},
          updated_at = updated_at - ${milliseconds}
        where id in (${jobs});
      commit`)
  } finally {
    database.close()
  }
}

/** Adds the same jobs once more, so many milliseconds later: their snapshots have been pruned since. */
function repeat(store: string, runs: readonly string[], milliseconds: number): void {
  const database = new DatabaseSync(store, { timeout: 10_000 })
  try {
    const ids = runs.map((id) => `'${id}'`).join(', ')
    const jobs = database
      .prepare(`select * from jobs where id in (${ids}) or parent_id in (${ids})`)
      .all() as Record<string, string | number | null>[]
    const idOf = new Map(jobs.map(({ id }) => [id, randomUUID()]))
    database.exec('begin immediate')
    for (const job of jobs) {
      const later = Object.entries(job).map(([column, value]) =>
        typeof value === 'number' && column.endsWith('_at')
          ? value + milliseconds
          : (idOf.get(value) ?? value),
      )
      const columns = Object.keys(job)
      database
        .prepare(`insert into jobs (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
        .run(...later)
    }
    database.exec('commit')
  } finally {
    database.close()
  }
}
