import assert from 'node:assert/strict'
import { rename, rm, symlink } from 'node:fs/promises'
import { it } from 'node:test'
import { planLosses } from '../../shared/plans.ts'
import { problem } from '../../shared/problems.ts'
import { deletion } from '../../shared/snapshots-api.ts'
import { claimJob, enqueueJob } from '../../store/queue.ts'
import { describeBothStores, describeStores } from '../../store/test-bed.ts'
import { holdOrganization } from '../hold.ts'
import { deletePending, deleteSnapshots, deleteSnapshotsOfPlan } from './deletion.ts'
import { lockSnapshots, markPending } from './marking.ts'
import { beginReading, readableCopy } from './snapshots.ts'
import { type Catalogue, filesOn, openCatalogue } from './test-bed.ts'

const day = (n: number) => new Date(Date.UTC(2026, 0, n))

describeStores('deleting snapshots', (makePlace) => {
  it('shows what would go, and takes exactly that from all volumes', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const a = await app.add({ takenAt: day(1), on: [0, 1], content: Buffer.alloc(100) })
    const b = await app.add({ takenAt: day(2), on: [0], failedOn: [1], content: Buffer.alloc(50) })
    const c = await app.add({ takenAt: day(3), on: [0, 1] })
    const before = await Promise.all(app.places.map(filesOn))
    const dry = deletion.strict().parse(await app.post('snapshots/delete', { ids: [a, b, c], dryRun: true }))
    assert.deepEqual(
      dry.snapshots.map(({ id, isNewest, refusal, copies }) => [id, isNewest, refusal, copies.length]),
      [
        [c, true, 'It is the newest good one of its database.', 2],
        [b, false, null, 1],
        [a, false, null, 2],
      ],
    )
    assert.deepEqual(await Promise.all(app.places.map(filesOn)), before)
    assert.equal(await app.run(), 0)
    assert.deepEqual(await app.ids(), [c, b, a])

    const answer = await app.ask('POST', '/api/v1/snapshots/delete', { ids: [b, a] })
    assert.equal(answer.statusCode, 202, answer.body)
    const ordered = deletion.parse(answer.json())
    assert.deepEqual([ordered.copies, ordered.bytes, ordered.jobIds.length], [3, 250, 2])
    assert.deepEqual(await app.states(b), { 'volume 0': 'delete_pending' })
    await app.run()
    assert.deepEqual(await app.ids(), [c])
    const left = [`${c}.db`, `${c}.db.manifest.json`]
    assert.deepEqual(await Promise.all(app.places.map(filesOn)), [left, left])
    const jobs = await app.jobs('delete-snapshots')
    const ends = new Map(jobs.map(({ volumeId, state, result }) => [volumeId, [state, result]]))
    const [first = '', second = ''] = app.volumeIds
    assert.deepEqual(ends.get(first), ['succeeded', { copies: 2, bytes: 150 }])
    assert.deepEqual(ends.get(second), ['succeeded', { copies: 1, bytes: 100 }])
  })

  it('refuses the newest good one of a database unless it is meant, whatever plan it is of', async () => {
    await using app = await openCatalogue(makePlace)
    const good = await app.add({ takenAt: day(1), plan: null })
    const broken = await app.add({ takenAt: day(2), plan: null })
    const elsewhere = await app.add({ takenAt: day(3), database: 'crm' })
    const forgotten = await app.add({ takenAt: day(4), serverId: null, serverName: 'old' })
    await app.store.db
      .updateTable('copies')
      .set({ state: 'corrupt' })
      .where('snapshotId', '=', broken)
      .execute()
    for (const id of [good, elsewhere, forgotten]) {
      const refused = await app.ask('DELETE', `/api/v1/snapshots/${id}`)
      assert.equal(refused.statusCode, 409, refused.body)
      assert.equal(problem.parse(refused.json()).code, 'snapshot_protected')
    }
    assert.equal((await app.ask('DELETE', `/api/v1/snapshots/${broken}`)).statusCode, 202)
    assert.equal((await app.ask('DELETE', `/api/v1/snapshots/${forgotten}?newest=true`)).statusCode, 202)
    assert.equal((await app.ask('DELETE', `/api/v1/snapshots/${good}?newest=true`)).statusCode, 202)
    await app.run()
    assert.deepEqual(await app.ids(), [elsewhere])
  })

  it('refuses all of them if one is locked, read by a job, or on a volume that is only read', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const free = await app.add({ takenAt: day(1) })
    const locked = await app.add({ takenAt: day(2) })
    const lockedFor = await app.add({ takenAt: day(3) })
    const queued = await app.add({ takenAt: day(4) })
    const running = await app.add({ takenAt: day(5) })
    const fixed = await app.add({ takenAt: day(6), on: [1] })
    const repaired = await app.add({ takenAt: day(7) })
    await app.add({ takenAt: day(8) })
    await app.ask('PATCH', `/api/v1/snapshots/${locked}`, { locked: true })
    await app.ask('PATCH', `/api/v1/snapshots/${lockedFor}`, { locked: '2999-01-01T00:00:00Z' })
    await readIn(app, running, 'restore')
    await claimJob(app.store, { name: 'x', node: 'x', capacity: 1, kinds: ['restore'] })
    await readIn(app, queued, 'restore')
    await readIn(app, repaired, 'repair-copy')
    await app.ask('PATCH', `/api/v1/volumes/${app.volumeIds[1]}`, { isReadOnly: true })

    const ids = [free, locked, lockedFor, queued, running, fixed, repaired]
    const refused = await app.ask('POST', '/api/v1/snapshots/delete', { ids })
    assert.equal(refused.statusCode, 409, refused.body)
    assert.deepEqual(
      problem
        .parse(refused.json())
        .errors?.map(({ field }) => field)
        .sort(),
      ['ids.1', 'ids.2', 'ids.3', 'ids.4', 'ids.5'],
    )
    assert.equal((await app.jobs('delete-snapshots')).length, 0)
    for (const id of ids) assert.ok(!Object.values(await app.states(id)).includes('delete_pending'))

    const both = await app.ask('POST', '/api/v1/snapshots/delete', { ids: [free, repaired] })
    assert.equal(both.statusCode, 202, both.body)
  })

  it('refuses what is not there, and what is no list of ids', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add({ takenAt: day(1) })
    await app.add({ takenAt: day(2) })
    const strange = '0198f0a0-0000-7000-8000-000000000000'
    const answer = await app.ask('POST', '/api/v1/snapshots/delete', { ids: [id, strange] })
    assert.equal(answer.statusCode, 404)
    assert.deepEqual(
      problem.parse(answer.json()).errors?.map(({ field }) => field),
      ['ids.1'],
    )
    for (const ids of [[], ['x'], Array.from({ length: 1001 }, () => id), undefined]) {
      assert.equal((await app.ask('POST', '/api/v1/snapshots/delete', { ids })).statusCode, 400)
    }
    assert.deepEqual(await app.states(id), { 'volume 0': 'stored' })
  })

  it('keeps on its list what a volume does not let go, and tries it again', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const id = await app.add({ takenAt: day(1), on: [0, 1] })
    await app.add({ takenAt: day(2) })
    const [place = ''] = app.places
    await rename(place, `${place}-unmounted`)
    await app.ask('DELETE', `/api/v1/snapshots/${id}`)
    await app.run({ evenLater: true })
    const { copies } = await app.snapshot(id)
    assert.deepEqual(
      copies.map(({ volumeName, state, error }) => [volumeName, state, error?.code]),
      [['volume 0', 'delete_pending', 'volume_unreachable']],
    )
    const jobs = await app.jobs('delete-snapshots')
    const ends = new Map(jobs.map(({ volumeId, state, error }) => [volumeId, [state, error?.code]]))
    const [first = '', second = ''] = app.volumeIds
    assert.deepEqual(ends.get(first), ['failed', 'volume_unreachable'])
    assert.deepEqual(ends.get(second), ['succeeded', undefined])
    await rename(`${place}-unmounted`, place)
    await app.store.db.transaction().execute((trx) =>
      enqueueJob(app.store, trx, {
        organizationId: app.organizationId,
        kind: 'clean-up',
        key: 'clean-up',
        payload: {},
      }),
    )
    await app.run()
    assert.equal((await app.ask('GET', `/api/v1/snapshots/${id}`)).statusCode, 404)
    assert.ok(!(await filesOn(place)).some((name) => name.startsWith(id)))
  })

  it('deletes the others although one cannot be deleted', async () => {
    await using app = await openCatalogue(makePlace)
    const ids: string[] = []
    for (let n = 1; n <= 6; n++) ids.push(await app.add({ takenAt: day(n), key: `folder-${n}/shop.db` }))
    await app.add({ takenAt: day(9) })
    const [, , stuck = ''] = ids
    const folder = app.path(0, 'folder-3')
    await rename(folder, `${folder}-elsewhere`)
    await symlink(`${folder}-elsewhere`, folder) // which no volume follows
    await app.post('snapshots/delete', { ids })
    await app.run()
    const left = (await app.ids()).filter((id) => ids.includes(id))
    const [job] = await app.jobs('delete-snapshots')
    assert.deepEqual([left, job?.state, job?.error?.code], [[stuck], 'queued', 'volume_refused'])
    assert.match(job?.error?.message ?? '', /5 deleted/)
  })

  it('loses no race against a job that begins to read', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add({ takenAt: day(1) })
    await app.add({ takenAt: day(2) })
    const { store, organizationId, context } = app
    let deleting: Promise<unknown> = Promise.resolve()
    await store.db.transaction().execute(async (trx) => {
      await beginReading(store, trx, organizationId, id)
      deleting = deleteSnapshots(context, organizationId, [id])
      deleting.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 200)) // long enough for it to look at the jobs, if it could
      await enqueueJob(store, trx, {
        organizationId,
        kind: 'restore',
        key: 'restore',
        payload: {},
        subject: { snapshotId: id },
      })
    })
    await assert.rejects(deleting, { code: 'snapshot_protected' })
    await (await readableCopy(context, organizationId, id)).volume[Symbol.asyncDispose]()

    await store.db.deleteFrom('jobs').execute()
    let reading: Promise<unknown> = Promise.resolve()
    await store.db.transaction().execute(async (trx) => {
      await holdOrganization(trx, organizationId)
      await lockSnapshots(store, trx, organizationId, [id])
      reading = readableCopy(context, organizationId, id)
      reading.catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 200))
      await markPending(store, trx, [id])
    })
    await assert.rejects(reading, { code: 'snapshot_deleting' })
    const locking = await app.ask('PATCH', `/api/v1/snapshots/${id}`, { locked: true })
    assert.equal(problem.parse(locking.json()).code, 'snapshot_deleting')
  })

  it('gives a key that is free again to the next snapshot', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const pending = await app.add({ takenAt: day(1), key: 'shop.db' })
    const lost = await app.add({ takenAt: day(2), key: 'lost.db', on: [0, 1] })
    await app.add({ takenAt: day(3) })
    await app.ask('DELETE', `/api/v1/snapshots/${pending}`)
    for (const key of ['shop.db', 'lost.db']) {
      for (const name of [app.path(0, key), app.manifestPath(0, key)]) await rm(name)
    }
    const next = await app.add({ takenAt: day(4), key: 'shop.db' })
    const other = await app.add({ takenAt: day(5), key: 'lost.db', failedOn: [1] })
    await app.run()
    for (const id of [next, other]) {
      const copy = await readableCopy(app.context, app.organizationId, id)
      await copy.volume[Symbol.asyncDispose]()
    }
    assert.equal((await app.ask('GET', `/api/v1/snapshots/${pending}`)).statusCode, 404)
    assert.deepEqual(await app.states(lost), { 'volume 1': 'stored' })
    const { copies } = await app.snapshot(other)
    assert.deepEqual(
      copies.map(({ key, state }) => [key, state]),
      [
        ['lost.db', 'stored'],
        [`${other}-lost.db`, 'failed'],
      ],
    )
  })
})

/** A job of that kind which waits, and is about the snapshot. */
async function readIn({ store, organizationId }: Catalogue, snapshotId: string, kind: string): Promise<void> {
  await store.db.transaction().execute((trx) =>
    enqueueJob(store, trx, {
      organizationId,
      kind,
      key: `${kind}:${snapshotId}`,
      payload: { snapshotId },
      subject: { snapshotId },
    }),
  )
}

describeBothStores('the losses of a plan', (makePlace) => {
  it('are exactly what is marked when it is deleted with its snapshots', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const { store, organizationId, plan, volumeIds } = app
    await app.add({ takenAt: day(1), on: [0], failedOn: [1], content: Buffer.alloc(100) })
    const missing = await app.add({ takenAt: day(2), content: Buffer.alloc(100) })
    await app.add({ takenAt: day(3), database: 'crm', content: Buffer.alloc(30) })
    await app.add({ takenAt: day(4), on: [], failedOn: [0] })
    const locked = await app.add({ takenAt: day(5) })
    const read = await app.add({ takenAt: day(6), database: 'old' })
    await app.add({ takenAt: day(7), on: [0, 1] })
    const lockedOnce = await app.add({ takenAt: day(8), content: Buffer.alloc(5) })
    const ofNoPlan = await app.add({ takenAt: day(9), plan: null })
    const copies = store.db.updateTable('copies')
    await copies.set({ state: 'missing' }).where('snapshotId', '=', missing).execute()
    await app.ask('PATCH', `/api/v1/snapshots/${locked}`, { locked: true })
    const past = Date.now() - 1000
    await store.db.updateTable('snapshots').set({ lockedUntil: past }).where('id', '=', lockedOnce).execute()
    // The first, too, has a copy there: one that failed, and may come yet.
    await app.ask('PATCH', `/api/v1/volumes/${volumeIds[1]}`, { isReadOnly: true })
    await readIn(app, read, 'restore')
    const losses = planLosses.strict().parse(await app.get(`plans/${plan.id}/losses`))
    const { databases, kept, keptCount, snapshots, copies: lost, bytes, newest } = losses
    const time = (n: number) => day(n).toISOString()
    assert.deepEqual(databases, [
      { database: 'crm', snapshots: 1, copies: 1, bytes: 30, newest: time(3) },
      { database: 'shop', snapshots: 3, copies: 1, bytes: 5, newest: time(8) },
    ])
    assert.deepEqual([snapshots, lost, bytes, newest], [4, 2, 35, time(8)])
    assert.equal(keptCount, 4)
    assert.deepEqual(
      kept.map(({ database, takenAt, reason }) => [database, takenAt, reason]),
      [
        ['shop', time(7), 'The volume “volume 1”, on which it has a copy, is only read.'],
        ['old', time(6), 'A job reads it, or is about to.'],
        ['shop', time(5), 'It is locked.'],
        ['shop', time(1), 'The volume “volume 1”, on which it has a copy, is only read.'],
      ],
    )
    const before = await app.ids()
    const deleted = await store.db
      .transaction()
      .execute((trx) => deleteSnapshotsOfPlan(app.context, trx, organizationId, plan.id))
    assert.deepEqual([deleted.keptCount, deleted.kept], [keptCount, kept])
    await app.run({ kinds: { 'delete-snapshots': deletePending } })
    const after = await app.ids()
    assert.equal(before.length - after.length, snapshots)
    assert.deepEqual(new Set(after), new Set([ofNoPlan, ...kept.map(({ id }) => id)]))
  })
})
