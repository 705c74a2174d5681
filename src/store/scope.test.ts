import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sql } from 'kysely'
import type { Store } from './database.ts'
import { scoped } from './scope.ts'
import { describeBothStores } from './test-bed.ts'

const NOW = 1_790_000_000_000
const stamps = { revision: 1, createdAt: NOW, updatedAt: NOW }

/** Two organizations, each with two servers, and a plan, a snapshot with a copy, and a job of each server. */
async function fill({ db }: Store): Promise<void> {
  for (const organizationId of ['ours', 'theirs']) {
    await db
      .insertInto('organizations')
      .values({ id: organizationId, name: organizationId, createdAt: NOW })
      .execute()
    const volumeId = `${organizationId}-volume`
    const settings = {
      kind: 'local',
      settings: '{}',
      maxRunning: 1,
      quotaAction: 'warn' as const,
      isReadOnly: 0,
    }
    await db
      .insertInto('volumes')
      .values({ id: volumeId, organizationId, name: 'v', ...settings, ...stamps })
      .execute()
    for (const name of ['a', 'b']) {
      const id = `${organizationId}-${name}`
      const flags = { isProduction: 0, isProtected: 0, maxRunning: 1 }
      await db
        .insertInto('servers')
        .values({
          id,
          organizationId,
          name,
          engine: 'x',
          connection: '{}',
          labels: '{}',
          ...flags,
          ...stamps,
        })
        .execute()
      await db
        .insertInto('plans')
        .values({ id, organizationId, serverId: id, name, isEnabled: 1, settings: '{}', ...stamps })
        .execute()
      await db
        .insertInto('planDatabases')
        .values({ planId: id, database: 'shop', firstSeenAt: 1, lastSeenAt: 2 })
        .execute()
      await db
        .insertInto('snapshots')
        .values({
          id,
          organizationId,
          serverId: id,
          serverName: name,
          engine: 'x',
          database: 'shop',
          planId: id,
          takenAt: NOW,
          finishedAt: NOW,
          format: 'x',
          rawBytes: 1,
          storedBytes: 1,
          sha256: 'x',
          cause: 'manual',
          isLocked: 0,
          isPartial: 0,
          isForeign: 0,
          revision: 1,
          manifest: '{}',
        })
        .execute()
      await db
        .insertInto('copies')
        .values({ snapshotId: id, volumeId, key: id, state: 'stored', bytes: 1, createdAt: 1, updatedAt: 1 })
        .execute()
      const times = { runAt: NOW, createdAt: NOW, updatedAt: NOW }
      const job = { organizationId, kind: 'backup', state: 'succeeded' as const, payload: '{}', ...times }
      await db
        .insertInto('jobs')
        .values([
          { id, ...job, key: id, serverId: id },
          { id: `${id}-check`, ...job, key: `${id}-check`, snapshotId: id },
        ])
        .execute()
      await db.insertInto('jobLogs').values({ jobId: id, number: 1, lines: '[]' }).execute()
    }
    const general = {
      id: `${organizationId}-general`,
      organizationId,
      kind: 'check-files',
      key: organizationId,
    }
    const times = { runAt: NOW, createdAt: NOW, updatedAt: NOW }
    await db
      .insertInto('jobs')
      .values({ ...general, ...times, state: 'succeeded', payload: '{}' })
      .execute()
  }
}

describeBothStores('a scoped store', (makePlace) => {
  const open = async () => {
    const store = await (await makePlace()).openMigrated()
    await fill(store)
    return {
      store,
      ours: scoped(store, { organizationId: 'ours', servers: null }),
      limited: scoped(store, { organizationId: 'ours', servers: ['ours-a', 'theirs-a'] }),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  }
  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id).sort()

  it('has only the rows of its organization, whatever is asked for', async () => {
    await using all = await open()
    const { db } = all.ours
    for (const table of ['servers', 'plans', 'snapshots'] as const) {
      assert.deepEqual(ids(await db.selectFrom(table).select('id').execute()), ['ours-a', 'ours-b'], table)
      const theirs = db.selectFrom(table).select('id').where('organizationId', '=', 'theirs')
      assert.deepEqual(await theirs.execute(), [], table)
    }
    assert.deepEqual(ids(await db.selectFrom('organizations').select('id').execute()), ['ours'])
    assert.equal((await db.selectFrom('jobs').select('id').execute()).length, 5)
    for (const table of ['copies', 'planDatabases', 'jobLogs'] as const) {
      assert.equal((await db.selectFrom(table).selectAll().execute()).length, 2, table)
    }
  })

  it('has of those that belong to servers only what its servers have', async () => {
    await using all = await open()
    const { db } = all.limited
    for (const table of ['servers', 'plans', 'snapshots'] as const) {
      assert.deepEqual(ids(await db.selectFrom(table).select('id').execute()), ['ours-a'], table)
    }
    assert.deepEqual(ids(await db.selectFrom('jobs').select('id').execute()), ['ours-a', 'ours-a-check'])
    assert.deepEqual(ids(await db.selectFrom('volumes').select('id').execute()), ['ours-volume'])
    for (const table of ['copies', 'planDatabases', 'jobLogs'] as const) {
      assert.equal((await db.selectFrom(table).selectAll().execute()).length, 1, table)
    }
    const none = scoped(all.store, { organizationId: 'ours', servers: [] })
    assert.deepEqual(await none.db.selectFrom('snapshots').select('id').execute(), [])
  })

  it('narrows joins, other names, inner selects and counts', async () => {
    await using all = await open()
    const { db } = all.limited
    const joined = await db
      .selectFrom('snapshots as s')
      .innerJoin('copies as c', 'c.snapshotId', 's.id')
      .innerJoin('servers', 'servers.id', 's.serverId')
      .select(['s.id', 'c.key', 'servers.name'])
      .execute()
    assert.deepEqual(joined, [{ id: 'ours-a', key: 'ours-a', name: 'a' }])
    const { count } = await db
      .selectFrom('servers')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    assert.equal(count, 1)
    const inner = await all.ours.db
      .selectFrom('plans')
      .select('id')
      .where('serverId', 'in', (eb) => eb.selectFrom('servers').select('id'))
      .execute()
    assert.deepEqual(ids(inner), ['ours-a', 'ours-b'])
    const named = await db
      .with('few', (qc) => qc.selectFrom('snapshots').select('id'))
      .selectFrom('few')
      .select('id')
      .execute()
    assert.deepEqual(ids(named), ['ours-a'])
  })

  it('leaves empty, and does not leave out, what is joined and not in it', async () => {
    await using all = await open()
    await all.store.db
      .updateTable('snapshots')
      .set({ serverId: 'theirs-a' })
      .where('id', '=', 'ours-b')
      .execute()
    const rows = await all.ours.db
      .selectFrom('snapshots')
      .leftJoin('servers', 'servers.id', 'snapshots.serverId')
      .select(['snapshots.id', 'servers.name'])
      .orderBy('snapshots.id')
      .execute()
    assert.deepEqual(rows, [
      { id: 'ours-a', name: 'a' },
      { id: 'ours-b', name: null },
    ])
  })

  it('changes and deletes only what it has', async () => {
    await using all = await open()
    const { db } = all.limited
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('servers').set({ name: 'changed' }).execute()
      await trx.updateTable('snapshots').set({ comment: 'x' }).where('id', '=', 'theirs-a').execute()
      await trx.deleteFrom('copies').execute()
      await trx.deleteFrom('jobs').where('id', 'in', ['ours-b', 'theirs-a', 'ours-general']).execute()
    })
    const servers = await all.store.db.selectFrom('servers').select(['id', 'name']).execute()
    assert.deepEqual(ids(servers.filter(({ name }) => name === 'changed')), ['ours-a'])
    const commented = await all.store.db
      .selectFrom('snapshots')
      .select('id')
      .where('comment', 'is not', null)
      .execute()
    assert.deepEqual(commented, [])
    const copies = await all.store.db.selectFrom('copies').select('snapshotId as id').execute()
    assert.deepEqual(ids(copies), ['ours-b', 'theirs-a', 'theirs-b'])
    assert.equal((await all.store.db.selectFrom('jobs').select('id').execute()).length, 10)
  })

  it('makes no row of another organization', async () => {
    await using all = await open()
    const add = (organizationId: string) =>
      all.ours.db
        .insertInto('settings')
        .values({ organizationId, content: '{}', revision: 1, updatedAt: all.store.now })
        .execute()
    await assert.rejects(add('theirs'), /another organization/)
    await add('ours')
    const rows = await all.store.db.selectFrom('settings').select('organizationId as id').execute()
    assert.deepEqual(ids(rows), ['ours'])
  })

  it('refuses joins whose other side would be missing', async () => {
    await using all = await open()
    const query = all.ours.db
      .selectFrom('snapshots')
      .rightJoin('servers', 'servers.id', 'snapshots.serverId')
      .select('servers.id')
    await assert.rejects(query.execute(), /cannot be scoped/)
  })

  it('is one of thousands of servers, too', async () => {
    await using all = await open()
    const many = ['ours-a', ...Array.from({ length: 70_000 }, (_, n) => `none-${n}`)]
    const { db } = scoped(all.store, { organizationId: 'ours', servers: many })
    assert.deepEqual(ids(await db.selectFrom('plans').select('id').execute()), ['ours-a'])
  })

  it('does not see what is written as plain SQL, which is why features do not write it', async () => {
    await using all = await open()
    const { rows } = await sql<{ id: string }>`select id from servers`.execute(all.ours.db)
    assert.equal(rows.length, 4)
  })
})
