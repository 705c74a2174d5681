import assert from 'node:assert/strict'
import { it } from 'node:test'
import { enqueueJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { appendLog } from '../jobs/store.ts'
import { type Catalogue, openCatalogue } from '../snapshots/test-bed.ts'

const DAY = 86_400_000

interface Made {
  days: number
  state?: 'succeeded' | 'partial' | 'failed' | 'cancelled' | 'queued'
  database?: string | null
  planId?: string | null
  kind?: string
}

async function addJob(app: Catalogue, { days, ...made }: Made): Promise<string> {
  const { store, organizationId } = app
  const { id } = await store.db.transaction().execute((trx) =>
    enqueueJob(store, trx, {
      organizationId,
      kind: made.kind ?? 'backup',
      key: `${Math.random()}`,
      payload: {},
      subject: {
        planId: made.planId === undefined ? app.plan.id : made.planId,
        database: made.database === undefined ? 'shop' : made.database,
      },
      resources: ['something'],
    }),
  )
  const at = (await nowOf(store)) - days * DAY
  const state = made.state ?? 'succeeded'
  const finishedAt = state === 'queued' ? null : at
  await store.db.updateTable('jobs').set({ state, createdAt: at, finishedAt }).where('id', '=', id).execute()
  await appendLog(store, id, [{ at: new Date(at).toISOString(), level: 'info', message: 'x' }])
  return id
}

async function cleanUp(app: Catalogue): Promise<unknown> {
  const { store, organizationId } = app
  const { id } = await store.db
    .transaction()
    .execute((trx) =>
      enqueueJob(store, trx, { organizationId, kind: 'clean-up', key: 'clean-up', payload: {} }),
    )
  await app.run({ kinds: { 'clean-up': (await import('./clean-up.ts')).cleanUp } })
  const job = await app.get<{ state: string; result: unknown }>(`jobs/${id}`)
  assert.equal(job.state, 'succeeded')
  return job.result
}

describeStores('the daily clean-up', (makePlace) => {
  it('lets safety snapshots go whose time is over, but no locked one, and not the last of its database', async () => {
    await using app = await openCatalogue(makePlace)
    const now = await nowOf(app.store)
    const safety = async (
      database: string,
      days: number,
      more: { isLocked?: number; until?: number } = {},
    ) => {
      const id = await app.add({ database, plan: null, takenAt: new Date(now - days * DAY) })
      const { isLocked = 0, until = now - 1 } = more
      await app.store.db
        .updateTable('snapshots')
        .set({ cause: 'safety', lockedUntil: until, isLocked })
        .where('id', '=', id)
        .execute()
      return id
    }
    await safety('shop', 9)
    const locked = await safety('shop', 9, { isLocked: 1 })
    const young = await safety('shop', 2, { until: now + DAY })
    const last = await safety('crm', 30)
    const other = await app.add({ database: 'shop', plan: null, takenAt: new Date(now - 40 * DAY) })
    assert.deepEqual(await cleanUp(app), { jobs: 0, safetySnapshots: 1 })
    await app.run()
    const left = await app.get<{ items: { id: string }[] }>('snapshots')
    assert.deepEqual(new Set(left.items.map(({ id }) => id)), new Set([locked, young, last, other]))
    assert.deepEqual(await cleanUp(app), { jobs: 0, safetySnapshots: 0 })
  })

  it('forgets old jobs, but for the last success and the last failure of each database', async () => {
    await using app = await openCatalogue(makePlace)
    const old = await addJob(app, { days: 300 })
    const lastSuccess = await addJob(app, { days: 200, state: 'partial' })
    const oldFailure = await addJob(app, { days: 299, state: 'failed' })
    const lastFailure = await addJob(app, { days: 100, state: 'failed' })
    const cancelled = await addJob(app, { days: 190, state: 'cancelled' })
    const crm = await addJob(app, { days: 400, database: 'crm' })
    const run = await addJob(app, { days: 200, database: null, kind: 'run-plan' })
    const other = await addJob(app, { days: 181, kind: 'restore', planId: null })
    const failedOther = await addJob(app, { days: 91, kind: 'restore', planId: null, state: 'failed' })
    const young = await addJob(app, { days: 179, kind: 'restore', planId: null })
    const youngFailure = await addJob(app, { days: 89, kind: 'restore', planId: null, state: 'failed' })
    const waiting = await addJob(app, { days: 500, kind: 'later', state: 'queued' })
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: 0 })
      .execute()
    const strange = await addJob(app, { days: 500, kind: 'restore', planId: null })
    await app.store.db
      .updateTable('jobs')
      .set({ organizationId: 'other' })
      .where('id', '=', strange)
      .execute()

    assert.deepEqual(await cleanUp(app), { jobs: 6, safetySnapshots: 0 })
    const rows = await app.store.db.selectFrom('jobs').select('id').where('kind', '<>', 'clean-up').execute()
    const left = [lastSuccess, lastFailure, crm, young, youngFailure, waiting, strange]
    assert.deepEqual(rows.map(({ id }) => id).sort(), left.sort())
    const logs = await app.store.db.selectFrom('jobLogs').select('jobId').distinct().execute()
    const logged = logs.map(({ jobId }) => jobId)
    assert.ok([old, oldFailure, cancelled, run, other, failedOther].every((id) => !logged.includes(id)))
    assert.ok(left.every((id) => logged.includes(id)))
    assert.deepEqual(await cleanUp(app), { jobs: 0, safetySnapshots: 0 })
  })

  it('forgets no job by which a scheduled restore tells how it went last', async () => {
    await using app = await openCatalogue(makePlace)
    const { store, organizationId, serverId } = app
    const restore = async () =>
      await addJob(app, { days: 300, kind: 'restore', planId: null, state: 'failed' })
    const earlier = await restore()
    const lastJobId = await restore()
    await store.db
      .insertInto('scheduledRestores')
      .values({
        id: 'weekly',
        organizationId,
        name: 'weekly',
        sourceServerId: serverId,
        sourceDatabase: 'shop',
        targetServerId: serverId,
        isEnabled: 1,
        settings: '{}',
        lastJobId,
        revision: 1,
        createdAt: 0,
        updatedAt: 0,
      })
      .execute()
    assert.deepEqual(await cleanUp(app), { jobs: 1, safetySnapshots: 0 })
    assert.equal((await app.ask('GET', `/api/v1/jobs/${earlier}`)).statusCode, 404)
    assert.equal((await app.ask('GET', `/api/v1/jobs/${lastJobId}`)).statusCode, 200)
    await store.db.deleteFrom('scheduledRestores').execute()
    assert.deepEqual(await cleanUp(app), { jobs: 1, safetySnapshots: 0 })
  })

  it('forgets deliveries sooner, and those that wait never', async () => {
    await using app = await openCatalogue(makePlace)
    const kind = 'deliver-notice'
    for (const state of ['succeeded', 'failed', 'cancelled'] as const) {
      await addJob(app, { days: 15, kind, state, planId: null })
    }
    const left = [
      await addJob(app, { days: 13, kind, planId: null }),
      await addJob(app, { days: 15, kind, state: 'queued', planId: null }),
      await addJob(app, { days: 15, kind: 'restore', planId: null }),
    ]
    assert.deepEqual(await cleanUp(app), { jobs: 3, safetySnapshots: 0 })
    const rows = await app.store.db.selectFrom('jobs').select('id').where('kind', '<>', 'clean-up').execute()
    assert.deepEqual(rows.map(({ id }) => id).sort(), left.sort())
  })

  it('goes by the settings, through more jobs than it looks at once', async () => {
    await using app = await openCatalogue(makePlace)
    await app.ask('PATCH', '/api/v1/settings', { historyDays: 10, failedHistoryDays: 5 })
    const id = await addJob(app, { days: 11 })
    const row = await app.store.db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    const many = Array.from({ length: 1200 }, (_, n) => ({
      ...row,
      id: `${n}`,
      key: `${n}`,
      // Each is the last of its database, so that they stay, but for every other one.
      database: n % 2 === 0 ? `database ${n}` : null,
    }))
    for (let n = 0; n < many.length; n += 200) {
      await app.store.db
        .insertInto('jobs')
        .values(many.slice(n, n + 200))
        .execute()
    }
    assert.deepEqual(await cleanUp(app), { jobs: 600, safetySnapshots: 0 })
  })

  it('forgets old firings, but for the last of each schedule, old answers, and what nobody noted for long', async () => {
    await using app = await openCatalogue(makePlace)
    const { db } = app.store
    const now = await nowOf(app.store)
    const { id: organizationId } = await db.selectFrom('organizations').select('id').executeTakeFirstOrThrow()
    await db
      .insertInto('notificationThreads')
      .values(
        [500, 300].map((days) => {
          const lastAt = now - days * DAY
          return { organizationId, key: `${days}`, count: 1, firstAt: now - 900 * DAY, lastAt, told: '[]' }
        }),
      )
      .execute()
    const firings = [
      ['a', 200],
      ['a', 100],
      ['a', 10],
      ['b', 300],
      ['b', 200],
    ] as const
    await db
      .insertInto('firings')
      .values(firings.map(([schedule, days]) => ({ schedule, fireAt: now - days * DAY, firedAt: now })))
      .execute()
    await db
      .insertInto('idempotencyKeys')
      .values(
        [2, 0.5].map((days) => ({ tokenId: 't', key: `${days}`, request: 'x', createdAt: now - days * DAY })),
      )
      .execute()
    await cleanUp(app)
    const left = await db.selectFrom('firings').selectAll().orderBy('schedule').orderBy('fireAt').execute()
    assert.deepEqual(
      left.map(({ schedule, fireAt }) => [schedule, Math.round((now - fireAt) / DAY)]),
      [
        ['a', 10],
        ['b', 200],
      ],
    )
    const keys = await db.selectFrom('idempotencyKeys').select('key').execute()
    assert.deepEqual(
      keys.map(({ key }) => key),
      ['0.5'],
    )
    const threads = await db.selectFrom('notificationThreads').select('key').execute()
    assert.deepEqual(threads, [{ key: '300' }])
  })
})
