import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from '../../shared/jobs.ts'
import type { Plan } from '../../shared/plans.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import type { AppContext } from '../context.ts'
import { openApp } from '../test-bed.ts'
import { AppError } from '../../shared/errors.ts'
import { weekdays } from '../../shared/schedules.ts'
import type { JobKind, Work } from '../jobs/job-kind.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { runSchedule } from './run-schedule.ts'
import { fireDaily, fireSchedules, startScheduler } from './scheduler.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const fire = (context: AppContext) => fireSchedules(context, (message) => assert.fail(message))

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
    post,
    serverId,
    scheduleId: schedule.id,
    plans: made,
    /** As if the schedule had fired so many milliseconds ago for the last time. */
    async pretendLast(ago: number) {
      const since = Date.now() - ago
      await app.store.db
        .updateTable('schedules')
        .set({ since, nextAt: since + 1 })
        .execute()
    },
    /** So many of this kind wait or have run. */
    count: async (kind: string) =>
      (await app.store.db.selectFrom('jobs').select('id').where('kind', '=', kind).execute()).length,
    /** What has been started, when all that has fired has been followed. */
    async runs() {
      await runJobs(app.context, { kinds: { 'run-schedule': runSchedule } })
      return (await app.ask('GET', '/api/v1/jobs?kind=run-plan&limit=200')).json<{ items: Job[] }>().items
    },
    nextAt: async () =>
      (await app.store.db.selectFrom('schedules').select('nextAt').executeTakeFirstOrThrow()).nextAt ?? 0,
  }
}

describeBothStores('what is due', (makePlace) => {
  it('happens once, however many nodes look at the same time', async () => {
    await using app = await openSchedule(makePlace, { plans: 3 })
    await app.pretendLast(2 * HOUR)
    const fired = await Promise.all(Array.from({ length: 8 }, () => fire(app.context)))
    assert.equal(
      fired.reduce((sum, count) => sum + count, 0),
      1,
    )
    assert.deepEqual(
      (await app.runs()).map(({ planId }) => planId ?? '').toSorted(),
      app.plans.map(({ id }) => id).toSorted(),
    )
    assert.equal(await fire(app.context), 0)
    assert.equal((await app.store.db.selectFrom('firings').selectAll().execute()).length, 1)
    assert.ok((await app.nextAt()) > Date.now())
  })

  it('is caught up once after a pause, and not at all if that was too long', async () => {
    await using app = await openSchedule(makePlace, { more: { catchUpHours: 2 } })
    await app.pretendLast(90 * MINUTE)
    assert.equal(await fire(app.context), 1)
    assert.equal((await app.runs()).length, 1)
    // Due ten minutes ago: that is not punctual any more.
    const minute = (new Date().getUTCMinutes() + 50) % 60
    const rule = { type: 'hourly', every: 1, minute, timeZone: 'UTC' }
    await using late = await openSchedule(makePlace, { more: { rule, catchUpHours: 0 } })
    await late.pretendLast(3 * HOUR)
    assert.equal(await fire(late.context), 0)
    assert.equal((await late.runs()).length, 0)
    assert.ok((await late.nextAt()) > Date.now())
  })

  it('starts no plan that is disabled', async () => {
    await using app = await openSchedule(makePlace, { plans: 2 })
    const [first] = app.plans
    const changed = await app.ask('PATCH', `/api/v1/plans/${first?.id}`, { isEnabled: false })
    assert.equal(changed.statusCode, 200, changed.body)
    await app.pretendLast(2 * HOUR)
    await fire(app.context)
    assert.deepEqual(
      (await app.runs()).map(({ planId }) => planId),
      [app.plans[1]?.id],
    )
  })

  it('starts each of many plans once, also if that is interrupted in the middle', async () => {
    await using app = await openSchedule(makePlace, { plans: 120 })
    await app.pretendLast(2 * HOUR)
    await fire(app.context)
    let remembered = 0
    const interrupted: JobKind = {
      ...runSchedule,
      run: (work) =>
        runSchedule.run({
          ...(work as Work<never>),
          async remember(trx, payload) {
            // The first hundred plans, and then the process dies.
            if (++remembered === 2) throw new AppError('store_unavailable', 'It is cut off.')
            await work.remember(trx, payload)
          },
        }),
    }
    await runJobs(app.context, { kinds: { 'run-schedule': interrupted } })
    const { store } = app
    assert.equal(await app.count('run-plan'), 100)
    // They are over by then: nothing that waits could be joined.
    await store.db.updateTable('jobs').set({ state: 'succeeded' }).where('kind', '=', 'run-plan').execute()
    await runJobs(app.context, { kinds: { 'run-schedule': runSchedule }, evenLater: true })
    const runs = await store.db.selectFrom('jobs').select('planId').where('kind', '=', 'run-plan').execute()
    assert.equal(runs.length, 120)
    assert.equal(new Set(runs.map(({ planId }) => planId)).size, 120)
  })

  it('goes on when a clock that was ahead for long has been set right, and misses nothing that it fired then', async () => {
    await using app = await openSchedule(makePlace)
    const { db } = app.store
    // As it was left by a clock that was a month ahead.
    const ahead = Date.now() + 30 * DAY
    const firings = [ahead, ahead - HOUR].map((fireAt) => ({
      schedule: app.scheduleId,
      fireAt,
      firedAt: fireAt,
    }))
    await db.insertInto('firings').values(firings).execute()
    await db
      .updateTable('schedules')
      .set({ since: ahead, nextAt: ahead + HOUR })
      .execute()
    await fire(app.context)
    const { since, nextAt } = await db.selectFrom('schedules').selectAll().executeTakeFirstOrThrow()
    assert.ok(since <= Date.now())
    assert.ok((nextAt ?? 0) <= Date.now() + HOUR)
    const left = await db.selectFrom('firings').select('fireAt').where('fireAt', '>', Date.now()).execute()
    assert.deepEqual(left, [])
  })

  it('starts all that is not broken, and says what is', async () => {
    await using app = await openSchedule(makePlace, { plans: 2 })
    const [broken, good] = app.plans
    await app.store.db
      .updateTable('plans')
      .set({ settings: '{"databases":7}' })
      .where('id', '=', broken?.id ?? '')
      .execute()
    const restores: string[] = []
    for (const name of ['first', 'second']) {
      const { id } = await app.post<{ id: string }>('scheduled-restores', {
        name,
        sourceServerId: app.serverId,
        sourceDatabase: '/nowhere.db',
        targetServerId: app.serverId,
        targetDatabase: `/nowhere/${name}.db`,
        scheduleId: app.scheduleId,
      })
      restores.push(id)
    }
    await app.store.db
      .updateTable('scheduledRestores')
      .set({ settings: '{}' })
      .where('id', '=', restores[0] ?? '')
      .execute()
    await app.pretendLast(2 * HOUR)
    await fire(app.context)
    assert.deepEqual(
      (await app.runs()).map(({ planId }) => planId),
      [good?.id],
    )
    const second = await app.ask('GET', `/api/v1/scheduled-restores/${restores[1]}`)
    assert.match(second.json().lastSkipReason, /no snapshot/)
    const [job] = (await app.ask('GET', '/api/v1/jobs?kind=run-schedule')).json<{ items: Job[] }>().items
    assert.deepEqual([job?.state, job?.error?.code], ['failed', 'unsupported'])
    assert.match(job?.error?.message ?? '', /the plan “p0”/)
    const log = (await app.ask('GET', `/api/v1/jobs/${job?.id}/log?as=text`)).body
    assert.match(log, /the scheduled restore “first”/)
    const byHand = await app.ask('POST', `/api/v1/schedules/${app.scheduleId}/run`)
    assert.equal(byHand.json().code, 'unsupported', 'by hand all or none')
  })

  it('is fired by a loop that goes on after an error, and tells the same one once', async () => {
    await using app = await openSchedule(makePlace)
    const { db } = app.store
    const broken = await app.post<{ id: string }>('schedules', {
      name: 'broken',
      rule: { type: 'hourly', every: 1, timeZone: 'UTC' },
    })
    await db.updateTable('schedules').set({ rule: '{}' }).where('id', '=', broken.id).execute()
    await app.pretendLast(2 * HOUR)
    await db.schema.alterTable('schedules').renameTo('hidden').execute()
    const troubles: string[] = []
    await using _scheduler = startScheduler(app.context, (message) => troubles.push(message))
    await sleep(1_500)
    assert.equal(troubles.length, 1, troubles.join('\n'))
    assert.match(troubles[0] ?? '', /could not be started: .*schedules/)
    await db.schema.alterTable('hidden').renameTo('schedules').execute()
    for (let i = 0; i < 100 && (await app.count('run-schedule')) === 0; i++) await sleep(100)
    assert.equal(await app.count('run-schedule'), 1)
    await sleep(1_500)
    assert.equal(troubles.length, 2, troubles.join('\n'))
    assert.match(troubles[1] ?? '', /“broken” could not be fired/)
  })
})

describeBothStores('what happens each day by itself', (makePlace) => {
  /** The app on a day on which all of it has been due, and was fired so many milliseconds before now for the last time. */
  const openDaily = async (ago: number) => {
    const app = await openSchedule(makePlace)
    const { db } = app.store
    await fireDaily(app.context)
    return {
      ...app,
      started: async () => [await app.count('clean-up'), await app.count('file-check')],
      /** Of those two. */
      firings: () =>
        db
          .selectFrom('firings')
          .select(['schedule', 'fireAt'])
          .where((eb) =>
            eb.or([eb('schedule', 'like', 'clean-up:%'), eb('schedule', 'like', 'file-check:%')]),
          )
          .orderBy('schedule')
          .execute(),
      async pretend() {
        await db
          .updateTable('firings')
          .set({ fireAt: Date.now() - ago })
          .execute()
      },
    }
  }

  it('begins with the first time that comes, and happens once a day', async () => {
    await using app = await openDaily(25 * HOUR)
    assert.deepEqual(await app.started(), [0, 0])
    assert.equal((await app.firings()).length, 2)
    await app.pretend()
    await Promise.all([fireDaily(app.context), fireDaily(app.context), fireDaily(app.context)])
    assert.deepEqual(await app.started(), [1, 1])
    await fireDaily(app.context)
    assert.deepEqual(await app.started(), [1, 1])
    assert.equal((await app.firings()).length, 4)
  })

  it('tells how the week went, once a week', async () => {
    await using app = await openDaily(8 * DAY)
    const digestWeekday = weekdays[(new Date().getUTCDay() + 6) % 7]
    await app.ask('PATCH', '/api/v1/settings', { digestWeekday, digestTime: '00:00' })
    assert.equal(await app.count('weekly-digest'), 0)
    await app.pretend()
    await Promise.all([fireDaily(app.context), fireDaily(app.context)])
    assert.equal(await app.count('weekly-digest'), 1)
    await fireDaily(app.context)
    assert.equal(await app.count('weekly-digest'), 1)
  })

  it('goes on when a clock that was ahead for long has been set right', async () => {
    await using app = await openDaily(-30 * DAY)
    await app.pretend()
    await fireDaily(app.context)
    const firings = await app.firings()
    assert.equal(firings.length, 2)
    assert.ok(firings.every(({ fireAt }) => fireAt <= Date.now()))
  })
})
