import assert from 'node:assert/strict'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import type { Notice } from '../../channels/channel.ts'
import type { Snapshot } from '../../shared/snapshots-api.ts'
import { describeStores } from '../../store/test-bed.ts'
import { tellAnomaly, tellRunFailure, tellSuccess } from '../backups/notices.ts'
import { openPlan } from '../backups/test-bed.ts'
import { startReceiver } from '../channels/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { enqueueDigest } from '../overview/digest.ts'
import { watchOverdue } from '../overview/watch.ts'

const HOUR = 3_600_000

/** A plan, and a channel that hears of all that the default rule is about, and of these events. */
async function openHeard(
  makePlace: Parameters<typeof openPlan>[0],
  events: string[] = [],
  plan: object = {},
) {
  await using stack = new AsyncDisposableStack()
  const receiver = stack.use(await startReceiver())
  const app = stack.use(await openPlan(makePlace, { tries: 1, ...plan }))
  await app.post('channels', {
    name: 'ops',
    kind: 'webhook',
    settings: { url: receiver.url, secret: 'of-the-receiver' },
  })
  if (events.length > 0) await app.post('notification-rules', { name: 'more', events })
  const { organizationId } = await app.store.db
    .selectFrom('plans')
    .select('organizationId')
    .executeTakeFirstOrThrow()
  let seen = 0
  const opened = stack.move()
  return {
    ...app,
    organizationId,
    /** Does what is ordered, and returns what was heard since this was asked last. */
    async heard(): Promise<Notice[]> {
      await runJobs(app.context)
      const news = receiver.received.slice(seen)
      seen = receiver.received.length
      return news.map(({ body }) => body as unknown as Notice)
    },
    async events() {
      return (await this.heard()).map(({ event }) => event)
    },
    async hide(path: string) {
      await rename(path, `${path}.away`)
    },
    async bringBack(path: string) {
      await rename(`${path}.away`, path)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

describeStores('people hear of backups', (makePlace) => {
  it('once when they fail, however often, and once when they succeed again', async () => {
    await using app = await openHeard(makePlace)
    await app.run()
    assert.deepEqual(await app.events(), [])
    await app.hide(app.database)
    const all: Notice[] = []
    for (let n = 0; n < 3; n++) {
      await app.run()
      all.push(...(await app.heard()))
    }
    const [failure, ...more] = all
    assert.deepEqual(more, [])
    assert.equal(failure?.event, 'backup.failed')
    assert.match(failure.title, /^The backup of “.*shop\.db” on “shop” failed$/)
    assert.match(failure.text, /\S/)
    assert.deepEqual(
      failure.facts.slice(0, 3).map(({ label, value }) => [label, value.split('/').at(-1)]),
      [
        ['Server', 'shop'],
        ['Database', 'shop.db'],
        ['Plan', 'nightly'],
      ],
    )
    await app.bringBack(app.database)
    await app.run()
    const [recovery, ...others] = await app.heard()
    assert.deepEqual(others, [])
    assert.equal(recovery?.event, 'backup.recovered')
    assert.match(recovery.text, /3 times/)
    assert.equal(recovery.thread, failure.thread)
    await app.run()
    assert.deepEqual(await app.events(), [])
  })

  it('when they begin and succeed, if they want to', async () => {
    await using app = await openHeard(makePlace, ['backup.started', 'backup.succeeded'])
    await app.run()
    assert.deepEqual(await app.events(), ['backup.started', 'backup.succeeded'])
    await app.hide(app.database)
    await app.run()
    assert.equal((await app.events()).at(-1), 'backup.failed')
  })

  it('when a volume has no copy, and when all have one again', async () => {
    await using app = await openHeard(makePlace)
    const [, second] = app.places
    await writeFile(second, 'no folder')
    for (const n of [1, 2]) {
      await app.run()
      const heard = await app.heard()
      assert.deepEqual(
        heard.map(({ event }) => event),
        n === 1 ? ['backup.partial'] : [],
      )
      if (n === 1) assert.match(heard[0]?.text ?? '', /^“two” has no copy: /)
    }
    await rm(second)
    await app.run()
    assert.deepEqual(await app.events(), ['backup.recovered'])
  })

  it('when a dump is much smaller or larger than the one before', async () => {
    await using app = await openHeard(makePlace, ['size.anomaly'])
    const resize = (sql: string) => {
      const database = new DatabaseSync(app.database)
      database.exec(sql)
      database.exec('vacuum')
      database.close()
    }
    resize(`create table big as select randomblob(4000000) as data`)
    await app.run()
    assert.deepEqual(await app.events(), [])
    resize(`insert into big select randomblob(1400000)`)
    await app.run()
    assert.deepEqual(await app.events(), [], 'a third is nothing')
    resize(`delete from big`)
    await app.run()
    const [shrunk] = await app.heard()
    assert.equal(shrunk?.event, 'size.anomaly')
    assert.match(shrunk.title, /shrank by (99|100) %$/)
    resize(`insert into big select randomblob(4000000)`)
    await app.run()
    assert.match((await app.heard())[0]?.title ?? '', /grew by \d+ %$/)
    await app.ask('PATCH', '/api/v1/settings', { sizeAnomalyPercent: 0 })
    resize(`delete from big`)
    await app.run()
    assert.deepEqual(await app.events(), [])
  })

  it('or do not, but no backup fails because settings cannot be read', async () => {
    await using app = await openHeard(makePlace)
    const { store, organizationId } = app
    await app.run()
    await runJobs(app.context)
    const content = '{"sizeAnomalyPercent": "of another release"}'
    await store.db
      .insertInto('settings')
      .values({ organizationId, content, revision: 1, updatedAt: 1 })
      .execute()
    const { planId, database: name } = await store.db
      .selectFrom('planDatabases')
      .select(['planId', 'database'])
      .executeTakeFirstOrThrow()
    const backup = { organizationId, planId, database: name, jobId: 'j' }
    await store.db.transaction().execute(async (trx) => {
      await tellAnomaly(app.context, trx, backup, 4_000_000)
      await trx.insertInto('firings').values({ schedule: 'kept', fireAt: 1, firedAt: 1 }).execute()
    })
    const kept = await store.db.selectFrom('firings').select('schedule').execute()
    assert.deepEqual(kept, [{ schedule: 'kept' }])
  })

  it('once when a server cannot be asked for its databases, and when any of them is backed up again', async () => {
    await using app = await openHeard(makePlace)
    const { organizationId, plan } = app
    const failed = (...databases: string[]) =>
      app.store.db
        .transaction()
        .execute((trx) =>
          tellRunFailure(
            app.context,
            trx,
            { organizationId, planId: plan.id, databases, jobId: 'j' },
            { code: 'database_unreachable', message: 'Nobody answers.' },
          ),
        )
    const succeeded = (database: string) =>
      app.store.db
        .transaction()
        .execute((trx) =>
          tellSuccess(
            app.context,
            trx,
            { organizationId, planId: plan.id, database, jobId: 'j' },
            { id: 's', rawBytes: 1, storedBytes: 1, seconds: 1, missing: [] },
          ),
        )
    await failed('a', 'b', 'c')
    await failed('a', 'b', 'c')
    const [failure, ...others] = await app.heard()
    assert.deepEqual(others, [])
    assert.equal(failure?.title, 'No database of “shop” could be backed up by the plan “nightly”')
    assert.equal(failure.text, 'Nobody answers. Concerned: “a”, “b”, “c”.')
    await succeeded('b')
    assert.deepEqual(await app.events(), ['backup.recovered'])
    await succeeded('a')
    assert.deepEqual(await app.events(), [])

    // Of these, each was told by itself.
    await failed('a')
    await failed('b')
    assert.equal((await app.events()).length, 2)
    for (let n = 0; n < 2; n++) await failed('a', 'b')
    assert.deepEqual(await app.events(), [])
    await failed('a', 'b', 'c')
    assert.deepEqual(await app.events(), ['backup.failed'], 'that of c is news')
    for (let n = 0; n < 6; n++) await failed('a', 'b')
    assert.deepEqual(await app.events(), [])
    await failed('a', 'b')
    assert.deepEqual(await app.events(), ['backup.failed'], 'each tenth time')
  })
})

describeStores(
  'people hear of silence',
  (makePlace) => {
    it('once, when a backup should have been made and was not, and when there is one again', async () => {
      await using app = await openHeard(makePlace, [], { overdueMinutes: 60 })
      const { db } = app.store
      const look = async () => {
        await watchOverdue(app.context)
        return await app.heard()
      }
      assert.deepEqual(await look(), [])
      await db
        .updateTable('plans')
        .set({ createdAt: Date.now() - 2 * HOUR })
        .execute()
      const [never, ...others] = await look()
      assert.deepEqual(others, [])
      assert.equal(never?.event, 'backup.overdue')
      assert.match(
        never.text,
        /^It should have been made 1 h \d+ min ago at the latest\. There has been none yet\./,
      )
      assert.deepEqual(await look(), [], 'that was told')
      const { count } = await db.selectFrom('notificationThreads').select('count').executeTakeFirstOrThrow()
      assert.equal(count, 1, 'it is counted once a day')

      await app.run()
      assert.deepEqual(await app.events(), ['backup.recovered'])
      assert.deepEqual(await look(), [])
      await db
        .updateTable('planDatabases')
        .set({ lastSuccessAt: Date.now() - 2 * HOUR })
        .execute()
      const [overdue] = await look()
      assert.match(overdue?.text ?? '', /The last one is of 20/)
      await app.run()
      assert.deepEqual(await app.events(), ['backup.recovered'])
      assert.deepEqual(await look(), [])

      await db
        .updateTable('planDatabases')
        .set({ lastSuccessAt: Date.now() - 2 * HOUR })
        .execute()
      assert.equal((await look()).length, 1)
      await app.ask('PATCH', `/api/v1/plans/${app.plan.id}`, { isEnabled: false })
      assert.deepEqual(await look(), [], 'nobody waits for it any more')
      const open = await db.selectFrom('notificationThreads').select('key').execute()
      assert.deepEqual(open, [])
    })

    it('in one notice where much is missing at once', async () => {
      await using app = await openHeard(makePlace, [], { overdueMinutes: 60 })
      const { db } = app.store
      const row = { planId: app.plan.id, firstSeenAt: Date.now() - 9 * HOUR, lastSeenAt: 1 }
      const names = Array.from({ length: 12 }, (_, n) => `${app.database}${n}`)
      await db
        .insertInto('planDatabases')
        .values(names.map((database) => ({ ...row, database })))
        .execute()
      await watchOverdue(app.context)
      const [all, ...others] = await app.heard()
      assert.deepEqual(others, [])
      assert.equal(all?.title, '12 backups are overdue')
      await watchOverdue(app.context)
      assert.deepEqual(await app.events(), [])
    })

    it('also where a schedule, or an organization, cannot be read', async () => {
      await using app = await openHeard(makePlace)
      const { db } = app.store
      const { id } = await app.post<{ id: string }>('schedules', {
        name: 'nightly',
        rule: { type: 'daily', times: ['03:00'], timeZone: 'UTC' },
      })
      await app.ask('PATCH', `/api/v1/plans/${app.plan.id}`, { schedules: [id] })
      await db.updateTable('schedules').set({ rule: '{"type": "of another release"}' }).execute()
      await db
        .updateTable('plans')
        .set({ createdAt: Date.now() - 50 * HOUR })
        .execute()
      await watchOverdue(app.context, (message) => assert.fail(message))
      assert.deepEqual(await app.events(), ['backup.overdue'])
    })

    it('also of what failed before, but only when the failures have ceased, too', async () => {
      await using app = await openHeard(makePlace, [], { overdueMinutes: 60 })
      const { db } = app.store
      await app.hide(app.database)
      await app.run()
      assert.deepEqual(await app.events(), ['backup.failed'])
      const firstSeenAt = Date.now() - 5 * HOUR
      await db.updateTable('planDatabases').set({ firstSeenAt }).execute()
      await watchOverdue(app.context)
      assert.deepEqual(await app.events(), [])
      await db
        .updateTable('planDatabases')
        .set({ lastFailureAt: Date.now() - 2 * HOUR })
        .execute()
      await watchOverdue(app.context)
      assert.deepEqual(await app.events(), ['backup.overdue'])
    })
  },
  'postgresql',
)

describeStores('people hear of volumes', (makePlace) => {
  it('when one cannot be looked at, and when it can again', async () => {
    await using app = await openHeard(makePlace)
    await app.run()
    assert.deepEqual(await app.events(), [])
    const [, second] = app.places
    await app.hide(second)
    const check = async () => {
      await app.post(`volumes/${app.volumeIds[1]}/check`, { contents: false })
      await runJobs(app.context, { evenLater: true })
      return await app.heard()
    }
    const [failure, ...others] = await check()
    assert.deepEqual(others, [])
    assert.equal(failure?.event, 'volume.unreachable')
    assert.deepEqual(await check(), [])
    await app.bringBack(second)
    const [recovery] = await check()
    assert.equal(recovery?.event, 'volume.recovered')
    assert.equal(recovery.thread, failure.thread)
  })

  it('when copies on one are missing or damaged', async () => {
    await using app = await openHeard(makePlace)
    await app.run()
    await app.heard()
    const [snapshot] = (await app.ask('GET', '/api/v1/snapshots')).json<{ items: Snapshot[] }>().items
    const [one = '', two = ''] = snapshot?.copies.map(({ volumeName, key }) =>
      join(app.places[volumeName === 'one' ? 0 : 1], key),
    ) ?? ['', '']
    await rm(one)
    await app.post(`volumes/${app.volumeIds[0]}/check`, { contents: false })
    const [missing] = await app.heard()
    assert.equal(missing?.event, 'copy.missing')
    assert.match(missing.text, /1 copy is missing/)
    await app.store.db.updateTable('jobs').set({ runAt: 9e12 }).where('kind', '=', 'repair-copy').execute()
    await app.post(`volumes/${app.volumeIds[0]}/check`, { contents: false })
    assert.deepEqual(await app.events(), [], 'that it is still missing is the same story')
    await runJobs(app.context, { evenLater: true })
    await writeFile(two, 'x')
    await app.post(`snapshots/${snapshot?.id}/verify`, {})
    const [damaged] = await app.heard()
    assert.equal(damaged?.event, 'copy.corrupt')
    assert.match(damaged.title, /^A copy of “.*shop\.db” of “shop” on “two” is damaged$/)
  })

  it('when one is nearly full, and not again before there was room', async () => {
    await using app = await openHeard(makePlace)
    await app.run()
    await app.heard()
    const check = async (quota: number | null) => {
      await app.ask('PATCH', `/api/v1/volumes/${app.volumeIds[0]}`, { quota })
      await app.post(`volumes/${app.volumeIds[0]}/check`, { contents: false })
      return await app.events()
    }
    assert.deepEqual(await check(1), ['volume.nearly-full'])
    assert.deepEqual(await check(2), [])
    assert.deepEqual(await check(null), [])
    assert.deepEqual(await check(1), ['volume.nearly-full'])
  })

  it('when what is to go cannot be deleted', async () => {
    await using app = await openHeard(makePlace)
    for (const _ of [1, 2]) await app.run().then(() => runJobs(app.context))
    await app.heard()
    const { items } = (await app.ask('GET', '/api/v1/snapshots')).json<{ items: Snapshot[] }>()
    const [, second] = app.places
    await app.hide(second)
    await writeFile(second, 'no folder')
    await app.post('snapshots/delete', { ids: [items[1]?.id] })
    await runJobs(app.context, { evenLater: true })
    const [failure] = await app.heard()
    assert.equal(failure?.event, 'retention.failed')
    assert.match(failure.title, /“two” could not be deleted$/)
  })
})

describeStores('people hear of restores', (makePlace) => {
  it('when they succeed, if they want to, and when they fail', async () => {
    await using app = await openHeard(makePlace, ['restore.succeeded'])
    await app.run()
    await app.heard()
    const [snapshot] = (await app.ask('GET', '/api/v1/snapshots')).json<{ items: Snapshot[] }>().items
    const target = join(app.folder, 'targets')
    await mkdir(target)
    const restore = (database: string) =>
      app.post('restores', { snapshotId: snapshot?.id, serverId: app.plan.serverId, database, mode: 'new' })
    await restore(join(target, 'copy.db'))
    const [success] = await app.heard()
    assert.equal(success?.event, 'restore.succeeded')
    assert.match(success.text, /3 rows in 1 tables?, as in the snapshot\.$/)
    await restore(join(target, 'other.db'))
    await rm(target, { recursive: true })
    await writeFile(target, 'no folder')
    const [failure] = await app.heard()
    assert.equal(failure?.event, 'restore.failed')
    assert.match(failure.title, /^The restore into “.*other\.db” on “shop” failed$/)
  })
})

describeStores('people hear how the week went', (makePlace) => {
  it('with what is not protected', async () => {
    await using app = await openHeard(makePlace, ['digest.weekly'])
    const digest = async () => {
      const { store, organizationId } = app
      await store.db.transaction().execute((trx) => enqueueDigest(store, trx, organizationId))
      return (await app.heard()).at(-1)
    }
    const before = await digest()
    assert.equal(before?.title, 'The week in backups: 1 of 1 databases is not protected')
    assert.equal(before.text, '1 never backed up: “nightly” on “shop”.')
    await app.run()
    await runJobs(app.context)
    const after = await digest()
    assert.equal(after?.title, 'The week in backups: the database is protected')
    assert.equal(after.text, 'Nothing needs attention.')
    assert.deepEqual(after.facts.slice(0, 2), [
      { label: 'Backups', value: '1 succeeded' },
      { label: 'Restores', value: 'none' },
    ])
    await app.hide(app.database)
    await app.run()
    await runJobs(app.context)
    const failing = await digest()
    assert.match(failing?.text ?? '', /^1 failing: “.*shop\.db” on “shop”\.$/)
    assert.match(failing?.facts[0]?.value ?? '', /^1 succeeded(, 1 failed)?$/)
    await app.store.db.updateTable('copies').set({ state: 'corrupt' }).execute()
    assert.match((await digest())?.text ?? '', /\n“one”: copies corrupt \(\d\)\.\n“two”: copies corrupt/)
  })
})
