import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import { overviewHistory, type OverviewHistory } from '../../shared/overview.ts'
import type { JobState } from '../../shared/jobs.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { openPlans } from '../plans/test-bed.ts'
import { lastDays } from './history.ts'

type App = Awaited<ReturnType<typeof openPlans>>

const HOUR = 3_600_000
const DAY = 24 * HOUR

async function read(app: App, query = ''): Promise<OverviewHistory> {
  const response = await app.ask('GET', `/api/v1/overview/history?${query}`)
  assert.equal(response.statusCode, 200, response.body)
  return overviewHistory.parse(response.json())
}

/** A job that ended so. */
async function ended(app: App, state: JobState, finishedAt: number, change: object = {}): Promise<void> {
  const id = uuidv7()
  const times = { runAt: finishedAt, createdAt: finishedAt - DAY, finishedAt, updatedAt: finishedAt }
  const organizationId = await app.organizationId()
  const job = { id, organizationId, kind: 'backup', key: id, state, payload: '{}', ...times, ...change }
  await app.store.db.insertInto('jobs').values(job).execute()
}

/** A copy that the catalogue knows since then. */
async function keep(app: App, volumeId: string, bytes: number, createdAt: number, change: object = {}) {
  const snapshotId = uuidv7()
  const organizationId = await app.organizationId()
  const { serverId } = app
  const { db } = app.store
  const times = { takenAt: createdAt, finishedAt: createdAt }
  await db
    .insertInto('snapshots')
    .values({
      id: snapshotId,
      organizationId,
      serverId,
      serverName: 'shop',
      engine: 'sqlite',
      database: 'shop',
      ...times,
      format: 'sqlite',
      rawBytes: 1,
      storedBytes: bytes,
      sha256: 'x',
      cause: 'manual',
      isLocked: 0,
      isPartial: 0,
      isForeign: 0,
      revision: 1,
      manifest: '{}',
    })
    .execute()
  const copy = { snapshotId, volumeId, key: snapshotId, state: 'stored' as const, bytes, createdAt }
  await db
    .insertInto('copies')
    .values({ ...copy, updatedAt: createdAt, ...change })
    .execute()
  return snapshotId
}

describe('the last days of a time zone', () => {
  it('are all there, the oldest first, today the last', () => {
    const now = Date.parse('2026-03-01T22:30:00Z')
    assert.deepEqual(
      lastDays(now, 'UTC', 3).map(({ date }) => date),
      ['2026-02-27', '2026-02-28', '2026-03-01'],
    )
    assert.deepEqual(
      lastDays(now, 'Asia/Kathmandu', 1),
      [{ date: '2026-03-02', start: Date.parse('2026-03-01T18:15:00Z') }],
      'where it is tomorrow already',
    )
    const year = lastDays(now, 'America/New_York', 366)
    assert.equal(new Set(year.map(({ date }) => date)).size, 366)
    assert.equal(year.at(-1)?.date, '2026-03-01')
  })

  it('have 23 hours, or 25, when the clocks are changed, also at midnight', () => {
    const hoursOf = (date: string, timeZone: string) => {
      const [yesterday, today] = lastDays(Date.parse(`${date}T12:00:00Z`), timeZone, 2)
      assert.equal(today?.date, date)
      return (today.start - (yesterday?.start ?? 0)) / HOUR
    }
    assert.equal(hoursOf('2026-03-29', 'Europe/Berlin'), 24)
    assert.equal(hoursOf('2026-03-30', 'Europe/Berlin'), 23)
    assert.equal(hoursOf('2026-10-26', 'Europe/Berlin'), 25)
    // There, the clocks go from 0:00 to 1:00: the day begins when they do.
    assert.equal(hoursOf('2026-04-24', 'Africa/Cairo'), 24)
    assert.equal(hoursOf('2026-04-25', 'Africa/Cairo'), 23)
  })
})

describeBothStores('the history of the overview', (makePlace) => {
  it('counts backups of databases on the day on which they ended, in the display time zone', async () => {
    await using app = await openPlans(makePlace)
    const timeZone = 'Pacific/Auckland'
    const settings = await app.ask('PATCH', '/api/v1/settings', { displayTimeZone: timeZone })
    assert.equal(settings.statusCode, 200, settings.body)
    const days = lastDays(await nowOf(app.store), timeZone, 4)
    const [, first = assert.fail(), second = assert.fail(), third = assert.fail()] = days
    await ended(app, 'succeeded', first.start)
    await ended(app, 'succeeded', second.start - 1)
    await ended(app, 'failed', second.start, { kind: 'run-plan' }) // the server did not answer
    await ended(app, 'partial', second.start + 1)
    await ended(app, 'succeeded', third.start, { createdAt: 0 })
    // None of these.
    await ended(app, 'succeeded', first.start - 1)
    await ended(app, 'cancelled', third.start)
    await ended(app, 'succeeded', third.start, { kind: 'run-plan' })
    await ended(app, 'failed', third.start, { kind: 'restore' })
    await ended(app, 'queued', third.start, { finishedAt: null })
    const history = await read(app, 'days=3')
    const of = ({ date, start }: typeof first) => ({ date, startsAt: new Date(start).toISOString() })
    assert.deepEqual(history.days, [
      { ...of(first), succeeded: 2, partial: 0, failed: 0 },
      { ...of(second), succeeded: 0, partial: 1, failed: 1 },
      { ...of(third), succeeded: 1, partial: 0, failed: 0 },
    ])
    assert.equal(history.successRate, 3 / 5)
    assert.equal((await read(app, 'days=1')).successRate, 1)
    const year = await read(app, 'days=366')
    assert.equal(year.days.length, 366)
    assert.equal(
      year.days.reduce((sum, { succeeded }) => sum + succeeded, 0),
      4,
    )
  })

  it('is thirty days of nothing where nothing has happened', async () => {
    await using app = await openPlans(makePlace)
    const { days, successRate, storedBytes } = await read(app)
    assert.equal(days.length, 30)
    assert.equal(days.at(-1)?.date, new Date(await nowOf(app.store)).toISOString().slice(0, 10))
    assert.equal(successRate, null)
    assert.deepEqual(
      storedBytes.map(({ volumeId, bytes }) => [volumeId, bytes]),
      [[app.volumeId, Array(30).fill(0)]],
    )
    for (const wrong of ['days=0', 'days=367', 'days=1.5', 'days=x', 'days=']) {
      const response = await app.ask('GET', `/api/v1/overview/history?${wrong}`)
      assert.equal(response.statusCode, 400, wrong)
    }
  })

  it('sums up what each volume held at the end of each day', async () => {
    await using app = await openPlans(makePlace)
    const other = await app.addVolume('another')
    const [first, second, third] = lastDays(await nowOf(app.store), 'UTC', 3).map(({ start }) => start)
    assert.ok(first && second && third)
    await keep(app, app.volumeId, 1, first - 400 * DAY)
    await keep(app, app.volumeId, 20, second - 1)
    await keep(app, app.volumeId, 300, second)
    await keep(app, app.volumeId, 4_000, third, { state: 'corrupt' })
    await keep(app, app.volumeId, 50_000, third, { state: 'delete_pending' })
    await keep(app, app.volumeId, 600_000, third, { state: 'missing' })
    await keep(app, app.volumeId, 700_000, third, { state: 'failed' })
    await keep(app, other, 2 ** 40, third)
    const { storedBytes } = await read(app, 'days=3')
    assert.deepEqual(
      storedBytes.map(({ volumeId, name, bytes }) => [volumeId, name, bytes]),
      [
        [other, 'another', [0, 0, 2 ** 40]],
        [app.volumeId, storedBytes[1]?.name, [21, 321, 54_321]],
      ],
    )
    const usage = (await app.ask('GET', `/api/v1/volumes/${app.volumeId}/usage`)).json()
    assert.equal(storedBytes[1]?.bytes.at(-1), usage.occupiedBytes)
  })

  it('shows nothing of another organization', async () => {
    await using app = await openPlans(makePlace)
    const now = await nowOf(app.store)
    await ended(app, 'succeeded', now - 1)
    await keep(app, app.volumeId, 1, now - 1)
    await app.giveAway('plans')
    for (const table of ['jobs', 'snapshots', 'volumes'] as const) {
      await app.store.db.updateTable(table).set({ organizationId: 'other' }).execute()
    }
    const { days, successRate, storedBytes } = await read(app, 'days=2')
    assert.deepEqual(
      days.map(({ succeeded }) => succeeded),
      [0, 0],
    )
    assert.deepEqual([successRate, storedBytes], [null, []])
  })
})
