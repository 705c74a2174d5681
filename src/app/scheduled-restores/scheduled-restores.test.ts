import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { problem, type Problem } from '../../shared/problems.ts'
import { describeSkip, scheduledRestore, type ScheduledRestore } from '../../shared/scheduled-restores.ts'
import { describeStores, type StorePlace } from '../../store/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { emailsIn, fillFile, openRestores } from '../restores/test-bed.ts'
import { type Started, scheduledRestoresOf, startScheduledRestore } from './scheduled-restores.ts'

const URL = '/api/v1/scheduled-restores'
const HOUR = 3_600_000

/** The app with a server `staging`, which is a SQLite file with one order. */
async function openStaging(makePlace: () => Promise<StorePlace>) {
  const app = await openRestores(makePlace)
  const source = app.file('shop.db')
  const target = app.file('staging.db')
  fillFile(target, 1)
  const staging = await app.addServer('staging', 'sqlite', { path: target })
  const body = {
    name: 'to staging',
    sourceServerId: app.shop,
    sourceDatabase: source,
    targetServerId: staging,
    targetDatabase: target,
  }
  return {
    ...app,
    source,
    target,
    staging,
    body,
    async add(more: object = {}): Promise<ScheduledRestore> {
      const added = await app.ask('POST', URL, { ...body, ...more })
      assert.equal(added.statusCode, 201, added.body)
      return scheduledRestore.parse(added.json())
    },
    async show(id: string): Promise<ScheduledRestore> {
      return scheduledRestore.parse((await app.ask('GET', `${URL}/${id}`)).json())
    },
    /** As the scheduler does. */
    async fire(id: string): Promise<Started> {
      return await app.store.db
        .transaction()
        .execute((trx) => startScheduledRestore(app.context, trx, id, { byHand: false }))
    },
    [Symbol.asyncDispose]: app[Symbol.asyncDispose],
  }
}

function reasonOf(started: Started): string {
  return 'skipped' in started ? describeSkip(started.skipped, 'UTC') : assert.fail('it was not skipped')
}

describeStores(
  'scheduled restores',
  (makePlace) => {
    it('are added with all their defaults, read, listed by name, changed and deleted', async () => {
      await using app = await openStaging(makePlace)
      const { id: scheduleId } = await app.post('schedules', {
        name: 'nightly',
        rule: { type: 'daily', times: ['03:00'] },
      })
      const added = await app.ask('POST', URL, { ...app.body, scheduleId, tables: undefined })
      assert.equal(added.statusCode, 201, added.body)
      const first = scheduledRestore.parse(added.json())
      assert.equal(added.headers['location'], `${URL}/${first.id}`)
      assert.deepEqual(first, {
        ...app.body,
        id: first.id,
        planId: null,
        scheduleId,
        isEnabled: true,
        mode: 'replace',
        options: {},
        endSessions: false,
        safetySnapshot: true,
        runAfter: null,
        newestWithinHours: 48,
        skipUnchanged: true,
        lastJobId: null,
        lastSnapshotId: null,
        lastSkippedAt: null,
        lastSkipReason: null,
        lastSkip: null,
        createdAt: first.createdAt,
        updatedAt: first.updatedAt,
      })
      assert.deepEqual(await app.show(first.id), first)
      const second = await app.add({ name: 'a part', mode: 'new', tables: ['orders'], isEnabled: false })
      assert.deepEqual(second.options, { tables: ['orders'] })
      const list = async (query = '') => (await app.ask('GET', `${URL}${query}`)).json().items
      assert.deepEqual(await list(), [second, first])
      assert.deepEqual(await list(`?schedule=${scheduleId}`), [first])
      assert.deepEqual(await list(`?server=${app.staging}`), [second, first])
      assert.deepEqual(await list('?server=nonesuch'), [])

      const etag = String(added.headers['etag'])
      const change = (body: object, ifMatch: string) =>
        app.ask('PATCH', `${URL}/${first.id}`, body, { 'if-match': ifMatch })
      const changed = await change({ runAfter: 'select 1', isEnabled: false, scheduleId: null }, etag)
      assert.equal(changed.statusCode, 200, changed.body)
      assert.deepEqual(changed.json(), {
        ...first,
        runAfter: 'select 1',
        isEnabled: false,
        scheduleId: null,
        updatedAt: changed.json().updatedAt,
      })
      assert.equal((await change({ name: 'too late' }, etag)).statusCode, 412)
      assert.equal((await change({ runAfter: null }, '*')).json().runAfter, null)
      const twin = await app.ask('POST', URL, app.body)
      assert.deepEqual([twin.statusCode, twin.json().code], [409, 'name_taken'])
      assert.equal((await app.ask('PATCH', `${URL}/${second.id}`, { name: first.name })).statusCode, 409)

      assert.equal((await app.ask('DELETE', `${URL}/${first.id}`)).statusCode, 204)
      assert.equal((await app.ask('DELETE', `${URL}/${first.id}`)).statusCode, 404)
      assert.deepEqual(await list(), [second])
    })

    it('are seen by nobody else', async () => {
      await using app = await openStaging(makePlace)
      const { id } = await app.add()
      await app.store.db
        .insertInto('organizations')
        .values({ id: 'other', name: 'Other', createdAt: app.store.now })
        .execute()
      await app.store.db.updateTable('scheduledRestores').set({ organizationId: 'other' }).execute()
      assert.deepEqual((await app.ask('GET', URL)).json().items, [])
      for (const response of [
        await app.ask('GET', `${URL}/${id}`),
        await app.ask('PATCH', `${URL}/${id}`, { name: 'mine' }),
        await app.ask('DELETE', `${URL}/${id}`),
        await app.ask('POST', `${URL}/${id}/run`),
      ]) {
        assert.equal(response.statusCode, 404)
      }
      await app.store.db.updateTable('servers').set({ organizationId: 'other' }).execute()
      const refused = await app.ask('POST', URL, app.body)
      assert.deepEqual(
        problem.parse(refused.json()).errors?.map(({ field }) => field),
        ['sourceServerId', 'targetServerId'],
      )
    })

    it('with anything wrong change nothing, and every field is named', async () => {
      await using app = await openStaging(makePlace)
      const pg = await app.addServer('pg', 'postgresql', { host: '127.0.0.1', port: 1, user: 'x' })
      const { id: planId } = await app.post('plans', {
        serverId: app.staging,
        name: 'other',
        volumes: [{ id: app.volumeId }],
      })
      const wrong: [more: object, field: string][] = [
        [{ name: ' ' }, 'name'],
        [{ nonesuch: 1 }, ''],
        [{ newestWithinHours: 0 }, 'newestWithinHours'],
        [{ sourceServerId: 'nonesuch' }, 'sourceServerId'],
        [{ scheduleId: 'nonesuch' }, 'scheduleId'],
        [{ planId: 'nonesuch' }, 'planId'],
        [{ planId }, 'planId'],
        [{ targetServerId: pg, targetDatabase: 'x' }, 'targetServerId'],
        [{ targetServerId: app.shop, targetDatabase: app.source }, 'targetDatabase'],
        [{ targetServerId: app.shop, targetDatabase: 'shop.db' }, 'targetDatabase'],
        [{ targetDatabase: app.source }, 'targetDatabase'],
        [{ options: { jobs: 2 } }, 'options.jobs'],
        [{ tables: ['orders'] }, 'mode'],
        [{ mode: 'existing', runAfter: 'select 1' }, 'mode'],
      ]
      for (const [more, field] of wrong) {
        const refused = await app.ask('POST', URL, { ...app.body, ...more })
        assert.equal(refused.statusCode, 400, JSON.stringify(more))
        const { errors = [] } = problem.parse(refused.json())
        assert.ok(
          errors.some((error) => error.field === field),
          `${JSON.stringify(more)}: ${refused.body}`,
        )
      }
      assert.deepEqual((await app.ask('GET', URL)).json().items, [])
      const { id } = await app.add()
      const before = await app.show(id)
      const same = { targetServerId: app.shop, targetDatabase: app.source }
      assert.equal((await app.ask('PATCH', `${URL}/${id}`, same)).statusCode, 400)
      assert.deepEqual(await app.show(id), before)
    })

    it('are refused for a protected target, and for one in production until its name is typed', async () => {
      await using app = await openStaging(makePlace)
      const saved = async (method: 'POST' | 'PATCH', url: string, body: object): Promise<Problem> =>
        problem.parse((await app.ask(method, url, body)).json())
      const setTarget = (change: object) => app.ask('PATCH', `/api/v1/servers/${app.staging}`, change)
      await setTarget({ isProtected: true })
      assert.equal((await saved('POST', URL, app.body)).code, 'target_protected')
      await setTarget({ isProtected: false, isProduction: true })
      assert.equal((await saved('POST', URL, app.body)).code, 'confirmation_needed')
      assert.equal(
        (await saved('POST', URL, { ...app.body, confirmation: 'yes' })).code,
        'confirmation_needed',
      )
      const { id } = await app.add({ confirmation: app.target })
      assert.equal((await app.ask('PATCH', `${URL}/${id}`, { name: 'renamed' })).statusCode, 200)

      const other = { targetDatabase: app.file('other.db') }
      assert.equal((await saved('PATCH', `${URL}/${id}`, other)).code, 'confirmation_needed')
      const confirmed = { ...other, confirmation: other.targetDatabase }
      assert.equal((await app.ask('PATCH', `${URL}/${id}`, confirmed)).statusCode, 200)
      for (const confirmation of ['short.db', app.file('short.db')]) {
        const short = { targetDatabase: 'short.db', confirmation, name: confirmation.slice(-30) }
        assert.equal((await app.add(short)).targetDatabase, app.file('short.db'))
      }

      await app.takeSnapshot(app.shop, app.source)
      await setTarget({ isProtected: true })
      assert.equal((await saved('POST', `${URL}/${id}/run`, {})).code, 'target_protected')
      await app.fire(id)
      await runJobs(app.context)
      const { lastJobId } = await app.show(id)
      assert.equal((await app.restoreOf(lastJobId ?? '')).error?.code, 'target_protected')
    })

    it('can be switched off, and renamed, whatever is wrong with them', async () => {
      await using app = await openStaging(makePlace)
      const { id: scheduleId } = await app.post('schedules', {
        name: 'nightly',
        rule: { type: 'daily', times: ['03:00'] },
      })
      const { id } = await app.add({ scheduleId })
      await app.ask('PATCH', `/api/v1/servers/${app.staging}`, { isProtected: true })
      const change = async (body: object) => (await app.ask('PATCH', `${URL}/${id}`, body)).statusCode
      assert.equal(await change({ isEnabled: false }), 200)
      assert.equal(await change({ scheduleId: null, name: 'switched off' }), 200)
      for (const more of [{ isEnabled: true }, { scheduleId }, { isEnabled: false, runAfter: 'select 1' }]) {
        assert.equal(await change(more), 403, JSON.stringify(more))
      }
      const { name, isEnabled, scheduleId: shown } = await app.show(id)
      assert.deepEqual([name, isEnabled, shown], ['switched off', false, null])
    })

    it('restore the newest snapshot, each only once', async () => {
      await using app = await openStaging(makePlace)
      const { id } = await app.add({ runAfter: `update orders set email = 'masked'` })
      await app.takeSnapshot(app.shop, app.source, { at: new Date(Date.now() - HOUR) })
      const newest = await app.takeSnapshot(app.shop, app.source)
      const started = await app.fire(id)
      assert.ok('id' in started, JSON.stringify(started))
      assert.match(reasonOf(await app.fire(id)), /still under way/)
      await runJobs(app.context)
      const done = await app.restoreOf(started.id)
      assert.equal(done.state, 'succeeded', JSON.stringify(done.error))
      assert.deepEqual([done.snapshotId, done.scheduledRestoreId], [newest, id])
      assert.deepEqual(emailsIn(app.target), ['masked', 'masked', 'masked'])

      const after = await app.show(id)
      assert.deepEqual([after.lastJobId, after.lastSnapshotId], [started.id, newest])
      assert.match(reasonOf(await app.fire(id)), /was restored before/)
      const skipped = await app.show(id)
      assert.match(skipped.lastSkipReason ?? '', /was restored before/)
      assert.ok(skipped.lastSkippedAt)
      assert.equal(skipped.updatedAt, after.updatedAt, 'that is no change')

      const byHand = await app.ask('POST', `${URL}/${id}/run`)
      assert.equal(byHand.statusCode, 202, byHand.body)
      await runJobs(app.context)
      assert.equal((await app.restoreOf(byHand.json().jobId)).state, 'succeeded', 'by hand also again')
      assert.equal((await app.show(id)).lastSkipReason, null)

      await app.takeSnapshot(app.shop, app.source)
      assert.ok('id' in (await app.fire(id)), 'what is new is restored')
      await runJobs(app.context)
      await app.ask('PATCH', `${URL}/${id}`, { runAfter: `update orders set email = 'other'` })
      assert.ok('id' in (await app.fire(id)), 'and so is what would be masked otherwise')
    })

    it('forget a restore that was ordered before they were to restore something else', async () => {
      await using app = await openStaging(makePlace)
      const { id } = await app.add()
      const newest = await app.takeSnapshot(app.shop, app.source)
      const first = await app.fire(id)
      assert.ok('id' in first, JSON.stringify(first))
      await app.ask('PATCH', `${URL}/${id}`, { targetDatabase: app.file('other.db') })
      const second = await app.fire(id)
      assert.ok('id' in second, JSON.stringify(second))
      await app.ask('POST', `/api/v1/jobs/${second.id}/cancel`)
      await runJobs(app.context)
      assert.equal((await app.restoreOf(first.id)).state, 'succeeded')
      const { lastJobId, lastSnapshotId } = await app.show(id)
      assert.deepEqual([lastJobId, lastSnapshotId], [second.id, null])
      assert.ok('id' in (await app.fire(id)), 'nothing was restored into the other one yet')
      await runJobs(app.context)
      assert.equal((await app.show(id)).lastSnapshotId, newest)
    })

    it('are skipped with the reason, which by hand is the answer', async () => {
      await using app = await openStaging(makePlace)
      const { id } = await app.add({ isEnabled: false, skipUnchanged: false })
      const run = async () => await app.ask('POST', `${URL}/${id}/run`)
      assert.match(reasonOf(await app.fire(id)), /disabled/)
      const none = problem.parse((await run()).json())
      assert.deepEqual([none.code, none.status], ['restore_skipped', 409])
      assert.match(none.title, /no snapshot of “.*shop\.db”/)
      const { lastSkipReason, lastSkip } = await app.show(id)
      assert.match(lastSkipReason ?? '', /no snapshot/)
      assert.equal(lastSkip?.why, 'noSnapshot')
      // As it was noted before it was data.
      for (const message of ['It was so.', '{"why":"later"}', '{cut off']) {
        await app.store.db.updateTable('scheduledRestores').set({ lastSkipReason: message }).execute()
        assert.deepEqual((await app.show(id)).lastSkip, { why: 'refused', message })
      }

      const old = await app.takeSnapshot(app.shop, app.source, { at: new Date(Date.now() - 50 * HOUR) })
      assert.match(problem.parse((await run()).json()).title, /more than 48 hours ago/)
      await app.ask('PATCH', `${URL}/${id}`, { newestWithinHours: 51 })
      const started = await run()
      assert.equal(started.statusCode, 202, started.body)
      assert.match(problem.parse((await run()).json()).title, /still under way/)
      await runJobs(app.context)
      assert.equal((await app.restoreOf(started.json().jobId)).snapshotId, old)
      assert.deepEqual((await app.ask('GET', '/api/v1/jobs?kind=restore')).json().items.length, 1)
    })

    it('take snapshots of their plan only, with a good copy, and none that a restore has made', async () => {
      await using app = await openStaging(makePlace)
      const { id: planId } = await app.post('plans', {
        serverId: app.shop,
        name: 'nightly',
        volumes: [{ id: app.volumeId }],
      })
      const ofPlan = await app.takeSnapshot(app.shop, app.source, { plan: { id: planId, name: 'nightly' } })
      const ofNone = await app.takeSnapshot(app.shop, app.source)
      const corrupt = await app.takeSnapshot(app.shop, app.source)
      await app.store.db
        .updateTable('copies')
        .set({ state: 'corrupt' })
        .where('snapshotId', '=', corrupt)
        .execute()
      const restored = async (id: string) => {
        const started = await app.fire(id)
        assert.ok('id' in started, JSON.stringify(started))
        await runJobs(app.context)
        const done = await app.restoreOf(started.id)
        assert.equal(done.state, 'succeeded', JSON.stringify(done.error))
        return done.snapshotId
      }
      const { id } = await app.add({ planId })
      assert.equal(await restored(id), ofPlan)
      await app.ask('PATCH', `${URL}/${id}`, { planId: null })
      assert.equal(await restored(id), ofNone)
      const back = await app.add({
        name: 'back',
        sourceServerId: app.staging,
        sourceDatabase: app.target,
        targetServerId: app.shop,
        targetDatabase: app.source,
      })
      assert.match(reasonOf(await app.fire(back.id)), /no snapshot/, 'the target was only kept safe')
    })

    it('whose SQL fails leave the target as it was, and try the same snapshot again', async () => {
      await using app = await openStaging(makePlace)
      const { id } = await app.add({ runAfter: 'update nonesuch set a = 1' })
      await app.takeSnapshot(app.shop, app.source)
      for (let time = 1; time <= 2; time++) {
        const started = await app.fire(id)
        assert.ok('id' in started, JSON.stringify(started))
        await runJobs(app.context)
        assert.equal((await app.restoreOf(started.id)).error?.code, 'sql_failed')
        assert.equal(emailsIn(app.target).length, 1)
        assert.equal((await app.show(id)).lastSnapshotId, null)
      }
    })

    it('never go among Holdfast’s own files', async () => {
      await using app = await openStaging(makePlace)
      await app.takeSnapshot(app.shop, app.source)
      const { id } = await app.add({ targetDatabase: join(app.context.dataDirectory, 'staging.db') })
      const started = await app.fire(id)
      assert.ok('id' in started, JSON.stringify(started))
      await runJobs(app.context)
      const { error } = await app.restoreOf(started.id)
      assert.equal(error?.code, 'invalid_input')
      assert.match(error.message, /Holdfast's own data directory/)
    })

    it('are found by their schedule', async () => {
      await using app = await openStaging(makePlace)
      const { id: scheduleId } = await app.post('schedules', {
        name: 'nightly',
        rule: { type: 'daily', times: ['03:00'] },
      })
      const { id } = await app.add({ scheduleId })
      await app.add({ name: 'by hand' })
      const found = await scheduledRestoresOf(app.store.db, scheduleId)
      assert.deepEqual(
        found.map((row) => row.id),
        [id],
      )
    })
  },
  'postgresql',
)
