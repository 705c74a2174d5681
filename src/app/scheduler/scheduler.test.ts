import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Job } from '../../shared/jobs.ts'
import type { Plan } from '../../shared/plans.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { AppError } from '../../shared/errors.ts'
import type { JobKind, Work } from '../jobs/job-kind.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { runSchedule } from './run-schedule.ts'
import { fireSchedules } from './scheduler.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** An app with plans of one schedule, which fires each hour. */
async function openSchedule(makePlace: Parameters<typeof openApp>[0], { plans = 1, more = {} } = {}) {
  const app = await openApp(makePlace)
  const post = async <T>(path: string, body: object) => {
    const answer = await app.ask('POST', `/api/v1/${path}`, body)
    assert.ok(answer.statusCode < 300, answer.body)
    return answer.json<T>()
  }
  const { id: volumeId } = await post<{ id: string }>('volumes', {
    name: 'v',
    kind: 'local',
    settings: { path: `${app.context.dataDirectory}/backups` },
  })
  const { id: serverId } = await post<{ id: string }>('servers', {
    name: 's',
    engine: 'sqlite',
    connection: { path: '/nowhere.db' },
  })
  const schedule = await post<{ id: string }>('schedules', {
    name: 'hourly',
    rule: { type: 'hourly', every: 1, minute: 0, timeZone: 'UTC' },
    ...more,
  })
  const made: Plan[] = []
  for (let i = 0; i < plans; i++) {
    made.push(
      await post<Plan>('plans', {
        serverId,
        name: `p${i}`,
        schedules: [schedule.id],
        volumes: [{ id: volumeId }],
      }),
    )
  }
  return {
    ...app,
    plans: made,
    /** As if the schedule had fired so many milliseconds ago for the last time. */
    async pretendLast(ago: number) {
      const since = Date.now() - ago
      await app.store.db
        .updateTable('schedules')
        .set({ since, nextAt: since + 1 })
        .execute()
    },
    /** What has been started, when all that has fired has been followed. */
    async runs() {
      await runJobs(app.context, { kinds: { 'run-schedule': runSchedule } })
      return (await app.ask('GET', '/api/v1/jobs?kind=run-plan&limit=200')).json<{ items: Job[] }>().items
    },
    nextAt: async () =>
      (await app.store.db.selectFrom('schedules').select('nextAt').executeTakeFirstOrThrow()).nextAt ?? 0,
  }
}

describeStores('what is due', (makePlace) => {
  it('happens once, however many nodes look at the same time', async () => {
    await using app = await openSchedule(makePlace, { plans: 3 })
    await app.pretendLast(2 * HOUR)
    const fired = await Promise.all(Array.from({ length: 8 }, () => fireSchedules(app.context)))
    assert.equal(
      fired.reduce((sum, count) => sum + count, 0),
      1,
    )
    assert.deepEqual(
      (await app.runs()).map(({ planId }) => planId ?? '').toSorted(),
      app.plans.map(({ id }) => id).toSorted(),
    )
    assert.equal(await fireSchedules(app.context), 0)
    assert.equal((await app.store.db.selectFrom('firings').selectAll().execute()).length, 1)
    assert.ok((await app.nextAt()) > Date.now())
  })

  it('is caught up once after a pause, and not at all if that was too long', async () => {
    await using app = await openSchedule(makePlace, { more: { catchUpHours: 2 } })
    await app.pretendLast(90 * MINUTE)
    assert.equal(await fireSchedules(app.context), 1)
    assert.equal((await app.runs()).length, 1)
    // Due ten minutes ago: that is not punctual any more.
    const minute = (new Date().getUTCMinutes() + 50) % 60
    const rule = { type: 'hourly', every: 1, minute, timeZone: 'UTC' }
    await using late = await openSchedule(makePlace, { more: { rule, catchUpHours: 0 } })
    await late.pretendLast(3 * HOUR)
    assert.equal(await fireSchedules(late.context), 0)
    assert.equal((await late.runs()).length, 0)
    assert.ok((await late.nextAt()) > Date.now())
  })

  it('starts no plan that is disabled', async () => {
    await using app = await openSchedule(makePlace, { plans: 2 })
    const [first] = app.plans
    const changed = await app.ask('PATCH', `/api/v1/plans/${first?.id}`, { isEnabled: false })
    assert.equal(changed.statusCode, 200, changed.body)
    await app.pretendLast(2 * HOUR)
    await fireSchedules(app.context)
    assert.deepEqual(
      (await app.runs()).map(({ planId }) => planId),
      [app.plans[1]?.id],
    )
  })

  it('starts each of many plans once, also if that is interrupted in the middle', async () => {
    await using app = await openSchedule(makePlace, { plans: 120 })
    await app.pretendLast(2 * HOUR)
    await fireSchedules(app.context)
    let remembered = 0
    const interrupted: JobKind = {
      ...runSchedule,
      run: (work) =>
        runSchedule.run({
          ...(work as Work<never>),
          async remember(trx, payload) {
            // The restores, the first hundred plans, and then the process dies.
            if (++remembered === 3) throw new AppError('store_unavailable', 'It is cut off.')
            await work.remember(trx, payload)
          },
        }),
    }
    await runJobs(app.context, { kinds: { 'run-schedule': interrupted } })
    const { store } = app
    const count = async () =>
      (await store.db.selectFrom('jobs').select('id').where('kind', '=', 'run-plan').execute()).length
    assert.equal(await count(), 100)
    // They are over by then: nothing that waits could be joined.
    await store.db.updateTable('jobs').set({ state: 'succeeded' }).where('kind', '=', 'run-plan').execute()
    await runJobs(app.context, { kinds: { 'run-schedule': runSchedule }, evenLater: true })
    const runs = await store.db.selectFrom('jobs').select('planId').where('kind', '=', 'run-plan').execute()
    assert.equal(runs.length, 120)
    assert.equal(new Set(runs.map(({ planId }) => planId)).size, 120)
  })
})
