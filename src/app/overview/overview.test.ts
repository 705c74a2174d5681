import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { it } from 'node:test'
import { overview, type Overview } from '../../shared/overview.ts'
import { problem } from '../../shared/problems.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { backup } from '../backups/backup.ts'
import { runPlan } from '../backups/run-plan.ts'
import { nowOf } from '../clock.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { openPlans } from '../plans/test-bed.ts'

type App = Awaited<ReturnType<typeof openPlans>>

const url = '/api/v1/overview'
const HOUR = 3_600_000

async function read(app: App, query = ''): Promise<Overview> {
  const response = await app.ask('GET', `${url}?${query}`)
  assert.equal(response.statusCode, 200, response.body)
  return overview.parse(response.json())
}

/** By plan. */
function fares({ items }: Overview): string[] {
  return items.map(({ planName, database, standing }) => `${planName}: ${database} ${standing}`).sort()
}

interface History {
  database: string
  /** Hours ago. */
  success?: number
  failure?: number
}

/** What backups would have noted of the databases of a plan, all seen a hundred hours ago. */
async function note(app: App, planId: string, histories: History[]): Promise<void> {
  const now = await nowOf(app.store)
  const ago = (hours: number | undefined) => (hours === undefined ? null : now - Math.round(hours * HOUR))
  await app.store.db
    .insertInto('planDatabases')
    .values(
      histories.map(({ database, success, failure }) => ({
        planId,
        database,
        firstSeenAt: now - 100 * HOUR,
        lastSeenAt: now,
        lastSuccessAt: ago(success),
        lastFailureAt: ago(failure),
        lastError:
          failure === undefined ? null : JSON.stringify({ code: 'tool_failed', message: 'It stumbled.' }),
      })),
    )
    .execute()
}

describeBothStores('the overview', (makePlace) => {
  it('says of every database of every enabled plan how it fares, and counts them', async () => {
    await using app = await openPlans(makePlace)
    const schedules = [app.scheduleId]
    const nightly = await app.addPlan({ name: 'nightly', schedules })
    const byHand = await app.addPlan({ name: 'by hand' })
    const off = await app.addPlan({ name: 'off', isEnabled: false })
    await note(app, nightly.id, [
      { database: 'a', success: 1 },
      { database: 'b', success: 30 },
      { database: 'c', success: 3, failure: 2 },
      { database: 'd' },
    ])
    await note(app, byHand.id, [
      { database: 'a', success: 90 },
      { database: 'e', failure: 1 },
    ])
    await note(app, off.id, [{ database: 'a' }])
    const all = await read(app)
    assert.deepEqual(fares(all), [
      'by hand: a protected',
      'by hand: e failing',
      'nightly: a protected',
      'nightly: b overdue',
      'nightly: c failing',
      'nightly: d never',
    ])
    assert.deepEqual(all.counts, { protected: 2, overdue: 1, failing: 2, never: 1 })
    assert.deepEqual(
      all.items.map(({ database }) => database),
      ['a', 'a', 'b', 'c', 'd', 'e'],
    )
    const b = all.items.find(({ database }) => database === 'b') ?? assert.fail()
    assert.equal(b.serverName, 'shop')
    assert.equal(Date.parse(b.overdueAt ?? ''), Date.parse(b.lastSuccessAt ?? '') + 26 * HOUR)
    assert.match(b.nextRunAt ?? '', /T03:00:00/)
    const e = all.items.find(({ database }) => database === 'e') ?? assert.fail()
    assert.deepEqual(e.lastError, { code: 'tool_failed', message: 'It stumbled.' })
    assert.deepEqual([e.overdueAt, e.nextRunAt], [null, null])
  })

  it('is filtered by standing, server, plan and words, and read page by page, each database once', async () => {
    await using app = await openPlans(makePlace)
    const serverId = await app.addServer('other')
    const first = await app.addPlan({ name: 'first', overdueMinutes: 60 })
    const second = await app.addPlan({ name: 'second', serverId })
    const databases = ['Z', 'a', 'b', 'ä', '🐘']
    for (const { id } of [first, second]) {
      await note(
        app,
        id,
        databases.map((database, n) => ({ database, success: n + 0.5 })),
      )
    }
    const overdue = await read(app, `standing=overdue`)
    assert.equal(overdue.items.length, 4)
    assert.deepEqual(overdue.counts, { protected: 6, overdue: 4, failing: 0, never: 0 }, 'counts are of all')
    assert.equal((await read(app, 'standing=overdue,protected')).items.length, 10)
    assert.deepEqual((await read(app, `server=${serverId}`)).counts, {
      protected: 5,
      overdue: 0,
      failing: 0,
      never: 0,
    })
    assert.equal((await read(app, `plan=${first.id}`)).items.length, 5)
    const called = async (search: string) =>
      (await read(app, new URLSearchParams({ search }).toString())).items.map(
        ({ database, planName }) => `${database} ${planName}`,
      )
    assert.deepEqual(await called('SECOND 🐘'), ['🐘 second'], 'each word, whatever its case, in any name')
    assert.equal((await called(' other ')).length, 5, 'also in the server’s')
    assert.deepEqual(await called('second first'), [])
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Overview = await read(app, `limit=3${cursor && `&cursor=${cursor}`}`)
      assert.ok(page.items.length <= 3)
      seen.push(...page.items.map(({ database, planName }) => `${database} ${planName}`))
      cursor = page.nextCursor
    }
    assert.equal(new Set(seen).size, 10)
    assert.equal(seen.length, 10)
    for (const wrong of ['standing=good', 'limit=0', 'cursor=nonsense']) {
      const response = await app.ask('GET', `${url}?${wrong}`)
      assert.equal(response.statusCode, 400, wrong)
      assert.equal(problem.parse(response.json()).code, 'invalid_input')
    }
  })

  it('counts a selected database that was never seen, and none that is not wanted any more', async () => {
    await using app = await openPlans(makePlace)
    const databases = { mode: 'selected', names: ['a', 'b', 'c', 'x*'] }
    const plan = await app.addPlan({ name: 'some', databases, excludedDatabases: ['c'] })
    await note(app, plan.id, [
      { database: 'a', success: 1 },
      { database: 'former', success: 90 },
      { database: 'x1' },
    ])
    assert.deepEqual(fares(await read(app)), ['some: a protected', 'some: b never', 'some: x1 never'])
  })

  it('shows a plan of which no database is known as itself, also if its runs have failed', async () => {
    await using app = await openPlans(makePlace)
    const fresh = await app.addPlan({ name: 'fresh' })
    const failed = await app.addPlan({ name: 'failed' })
    await note(app, failed.id, [{ database: '*', failure: 1 }])
    const all = await read(app)
    assert.deepEqual(fares(all), ['failed: null failing', 'fresh: null never'])
    await note(app, failed.id, [{ database: 'a', success: 0 }])
    assert.deepEqual(fares(await read(app, `plan=${failed.id}`)), ['failed: a protected'])
    assert.deepEqual(fares(await read(app, `plan=${fresh.id}`)), ['fresh: null never'])
  })

  it('shows nothing away for a pattern that takes too long', async () => {
    await using app = await openPlans(makePlace)
    const databases = { mode: 'pattern', include: '(x+)+y' }
    const plan = await app.addPlan({ databases })
    const database = 'x'.repeat(60)
    await note(app, plan.id, [{ database, success: 1 }])
    assert.deepEqual(
      (await read(app)).items.map((item) => item.database),
      [database],
    )
  })

  it('tells what real backups, and real failures, have noted', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan({ name: 'mine', tries: 1 })
    const kinds = { 'run-plan': runPlan, backup }
    const run = async () => {
      await app.ask('POST', `/api/v1/plans/${id}/run`)
      await runJobs(app.context, { kinds })
    }
    await rename(app.path, `${app.path}.away`)
    await run()
    const itself = await read(app)
    assert.deepEqual(fares(itself), ['mine: null failing'])
    assert.equal(itself.items[0]?.lastError?.code, 'database_not_found')
    await rename(`${app.path}.away`, app.path)
    await run()
    const good = await read(app)
    assert.deepEqual(fares(good), [`mine: ${app.path} protected`])
    assert.ok((good.items[0]?.lastRawBytes ?? 0) > 0)
    await rename(app.path, `${app.path}.away`)
    await run()
    const [item] = (await read(app)).items
    assert.deepEqual([item?.database, item?.standing], [app.path, 'failing'])
    assert.equal(item?.lastSnapshotId, good.items[0]?.lastSnapshotId)
  })

  it('tells how large the newest dumps of each database were, in the plan that made them', async () => {
    await using app = await openPlans(makePlace)
    const one = await app.addPlan({ name: 'one' })
    const two = await app.addPlan({ name: 'two' })
    const fresh = await app.addPlan({ name: 'fresh' })
    const organizationId = await app.organizationId()
    await note(app, one.id, [{ database: 'a', success: 1 }, { database: 'b' }])
    await note(app, two.id, [{ database: 'a', success: 1 }])
    const add = async (planId: string, database: string, rawBytes: number, takenAt: number) =>
      await app.store.db
        .insertInto('snapshots')
        .values({
          id: `${planId} ${database} ${rawBytes}`,
          organizationId,
          serverId: app.serverId,
          serverName: 'shop',
          engine: 'sqlite',
          database,
          planId,
          takenAt,
          finishedAt: takenAt,
          format: 'sqlite',
          rawBytes,
          storedBytes: 1,
          sha256: 'x',
          cause: 'schedule',
          isLocked: 0,
          isPartial: 0,
          isForeign: 0,
          revision: 1,
          manifest: '{}',
        })
        .execute()
    for (let size = 20; size > 0; size--) await add(one.id, 'a', size, size * HOUR)
    await add(two.id, 'a', 7, 5 * HOUR)
    await add(two.id, 'a', 8, 4 * HOUR)
    const { items } = await read(app)
    const sizes = (planId: string, database: string | null) =>
      items.find((item) => item.planId === planId && item.database === database)?.recentRawBytes
    assert.deepEqual(sizes(one.id, 'a'), [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
    assert.deepEqual(sizes(one.id, 'b'), [])
    assert.deepEqual(sizes(two.id, 'a'), [8, 7])
    assert.deepEqual(sizes(fresh.id, null), [])
  })

  it('tells what runs now, and what runs next', async () => {
    await using app = await openPlans(makePlace)
    const schedules = [app.scheduleId]
    await app.addPlan({ name: 'one', schedules })
    const { id } = await app.addPlan({ name: 'two', schedules })
    await app.addPlan({ name: 'off', schedules, isEnabled: false })
    await app.addSchedule('unused', { type: 'hourly', every: 1 })
    const migration = await app.addSchedule('releases', { type: 'migration' })
    await app.addPlan({ name: 'three', schedules: [migration] })
    const { nextRuns, running } = await read(app)
    assert.deepEqual(
      nextRuns.map(({ scheduleName, plans, at }) => [scheduleName, plans, at.slice(10)]),
      [['nightly', 2, 'T03:00:00.000Z']],
    )
    assert.deepEqual(running, { count: 0, jobs: [] })
    const { jobId } = (await app.ask('POST', `/api/v1/plans/${id}/run`)).json()
    await app.store.db.updateTable('jobs').set({ state: 'running', startedAt: 5 }).execute()
    assert.deepEqual((await read(app)).running, {
      count: 1,
      jobs: [
        {
          id: jobId,
          kind: 'run-plan',
          serverId: app.serverId,
          planId: id,
          database: null,
          startedAt: '1970-01-01T00:00:00.005Z',
          progress: null,
        },
      ],
    })
  })

  it('shows nothing of another organization', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan({ schedules: [app.scheduleId] })
    await note(app, id, [{ database: 'a' }])
    await app.ask('POST', `/api/v1/plans/${id}/run`)
    await app.giveAway('plans')
    for (const table of ['schedules', 'jobs', 'servers'] as const) {
      await app.store.db.updateTable(table).set({ organizationId: 'other' }).execute()
    }
    await app.store.db.updateTable('jobs').set({ state: 'running' }).execute()
    assert.deepEqual(await read(app), {
      counts: { protected: 0, overdue: 0, failing: 0, never: 0 },
      items: [],
      nextCursor: null,
      nextRuns: [],
      troubles: [],
      running: { count: 0, jobs: [] },
    })
    assert.deepEqual((await read(app, `plan=${id}`)).items, [])
  })
})
