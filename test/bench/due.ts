/**
 * Lets the plans of one schedule all be due in the same minute, and measures the tick of the scheduler that sees it, how
 * long it takes until a run of each is ordered, and how quickly jobs are claimed and ended by workers that do nothing.
 *
 *   node test/bench/due.ts [--plans 10000] [--store sqlite|postgresql] [--workers 50]
 *
 * Wants an idle machine.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import type { AppContext } from '../../src/app/context.ts'
import { defineJob } from '../../src/app/jobs/job-kind.ts'
import { startJob } from '../../src/app/jobs/run-job.ts'
import { runSchedule } from '../../src/app/scheduler/run-schedule.ts'
import { fireSchedules } from '../../src/app/scheduler/scheduler.ts'
import { makeKey, sealer } from '../../src/lib/sealing.ts'
import { planSettings } from '../../src/shared/plans.ts'
import { openStore } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { claimJob } from '../../src/store/queue.ts'
import { z } from 'zod'
import { startPostgres } from '../servers/postgres.ts'
import { temporary } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    plans: { type: 'string', default: '10000' },
    store: { type: 'string', default: 'sqlite' },
    workers: { type: 'string', default: '50' },
  },
})
const total = Number(options.plans)
const workers = Number(options.workers)
const ORGANIZATION = 'organization'
const PER_STATEMENT = 500

await using stack = new AsyncDisposableStack()
const folder = stack.use(await temporary('holdfast-due-'))
const store = stack.use(await openStore(await placeOf()))
await migrate(store)
const context: AppContext = {
  store,
  sealer: sealer({ current: makeKey() }),
  instanceKeys: [],
  timeZone: 'UTC',
  dataDirectory: folder.path,
  workDirectory: folder.path,
  heartbeats: new Map(),
}
await fill()

const tick = await timed(() => fireSchedules(context, console.error))
console.log(`the tick that sees ${total} plans due: ${tick.toFixed(0)} ms`)
const ordered = await timed(() => runAll({ 'run-schedule': runSchedule }, 1))
console.log(
  `until each run is ordered: ${(ordered / 1000).toFixed(1)} s, ${(total / (ordered / 1000)).toFixed(0)} a second`,
)
const idle = defineJob({ payload: z.unknown(), async run() {} })
const claimed = await timed(() => runAll({ 'run-plan': idle }, workers))
console.log(
  `claimed and ended by ${workers} workers: ${(claimed / 1000).toFixed(1)} s, ${(total / (claimed / 1000)).toFixed(0)} a second`,
)
const { count } = await store.db
  .selectFrom('jobs')
  .select((eb) => eb.fn.countAll<number>().as('count'))
  .where('kind', '=', 'run-plan')
  .where('state', '=', 'succeeded')
  .where('attempt', '=', 1)
  .executeTakeFirstOrThrow()
console.log(`done once: ${count} of ${total}`)
if (count !== total) process.exitCode = 1

async function placeOf(): Promise<{ path: string } | { url: string }> {
  if (options.store === 'sqlite') return { path: join(folder.path, 'due.db') }
  const server = stack.use(await startPostgres({ major: 15 }))
  const { user, password, host, port } = server
  return { url: `postgres://${user}:${password}@${host}:${port}/postgres` }
}

async function fill(): Promise<void> {
  const now = Date.now()
  const always = { organizationId: ORGANIZATION, revision: 1, createdAt: now, updatedAt: now }
  await store.db
    .insertInto('organizations')
    .values({ id: ORGANIZATION, name: 'Organization', createdAt: now })
    .execute()
  await store.db
    .insertInto('servers')
    .values({
      ...always,
      id: 'server',
      name: 'server',
      engine: 'sqlite',
      connection: '{}',
      labels: '{}',
      isProduction: 0,
      isProtected: 0,
      maxRunning: 2,
    })
    .execute()
  const rule = JSON.stringify({ type: 'hourly', every: 1, minute: 0, timeZone: 'UTC' })
  await store.db
    .insertInto('schedules')
    .values({
      ...always,
      id: 'schedule',
      name: 's',
      rule,
      catchUpHours: 24,
      nextAt: 1,
      since: now - 7_200_000,
    })
    .execute()
  const settings = JSON.stringify(planSettings.parse({}))
  for (let i = 0; i < total; i += PER_STATEMENT) {
    const plans = Array.from({ length: Math.min(PER_STATEMENT, total - i) }, (_, n) => ({
      ...always,
      id: uuidv7(),
      serverId: 'server',
      name: `plan ${i + n}`,
      isEnabled: 1,
      settings,
    }))
    await store.db.insertInto('plans').values(plans).execute()
    await store.db
      .insertInto('planSchedules')
      .values(plans.map(({ id }) => ({ planId: id, scheduleId: 'schedule' })))
      .execute()
  }
}

/** Claims and runs jobs of these kinds, so many at once, until there are none. */
async function runAll(kinds: Parameters<typeof startJob>[1], atOnce: number): Promise<void> {
  const runner = { name: 'bench', node: 'bench', capacity: atOnce, kinds: Object.keys(kinds) }
  const worker = async () => {
    for (let misses = 0; misses < 5;) {
      const job = await claimJob(store, runner)
      if (!job) {
        misses += 1
        continue
      }
      misses = 0
      await startJob(context, kinds, job, (error) => {
        throw error
      }).over
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await act()
  return performance.now() - from
}
