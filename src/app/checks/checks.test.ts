import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import type { Job } from '../../shared/jobs.ts'
import { describeStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { type Catalogue, openCatalogue } from '../snapshots/test-bed.ts'

const day = (n: number) => new Date(Date.UTC(2026, 0, n))

/** The jobs that a check of the volume ends as: that of the files, and that of the contents if it is asked for. */
async function check(app: Catalogue, n: number, body?: object): Promise<Job[]> {
  const { jobIds } = await app.post<{ jobIds: string[] }>(`volumes/${app.volumeIds[n]}/check`, body)
  await app.run()
  return await Promise.all(jobIds.map((id) => app.get<Job>(`jobs/${id}`)))
}

const repairsOf = async (app: Catalogue) =>
  (await app.jobs('repair-copy')).map(({ snapshotId, volumeId }) => `${snapshotId} on ${volumeId}`).sort()

describeStores(
  'the file check',
  (makePlace) => {
    for (const [name, others] of [
      ['of few copies', 0],
      ['of many copies', 60],
    ] as const) {
      it(`${name} finds what is missing, and what has another size, and has it made again`, async () => {
        await using app = await openCatalogue(makePlace, { volumes: 2 })
        for (let n = 0; n < others; n++) await app.add({ takenAt: day(1) })
        const good = await app.add({ takenAt: day(1), on: [0, 1] })
        const missing = await app.add({ takenAt: day(2), on: [0, 1] })
        const short = await app.add({ takenAt: day(3), on: [0, 1] })
        const alone = await app.add({ takenAt: day(4) })
        const hopeless = await app.add({ takenAt: day(4), on: [0, 1] })
        const failed = await app.add({ takenAt: day(5), on: [1], failedOn: [0] })
        const going = await app.add({ takenAt: day(6), on: [0, 1] })
        const started = await nowOf(app.store)
        await rm(app.path(0, await app.keyOf(missing)))
        await writeFile(app.path(0, await app.keyOf(short)), 'x')
        await rm(app.path(0, await app.keyOf(alone)))
        await rm(app.path(0, await app.keyOf(hopeless)))
        await app.store.db
          .updateTable('copies')
          .set({ state: 'corrupt' })
          .where('snapshotId', '=', hopeless)
          .where('volumeId', '=', app.volumeIds[1] ?? '')
          .execute()
        await rm(app.path(0, await app.keyOf(going)))
        await app.store.db
          .updateTable('copies')
          .set({ state: 'delete_pending' })
          .where('snapshotId', '=', going)
          .execute()

        const [job] = await check(app, 0)
        assert.equal(job?.state, 'failed')
        assert.equal(job.error?.code, 'checksum_mismatch')
        assert.match(job.error.message, /On “volume 0”, 3 copies are missing and 1 copy is damaged\. “prod/)
        assert.match(job.error.hint ?? '', /^3 copies are being made again/)
        assert.equal((await app.states(good))['volume 0'], 'stored')
        assert.equal((await app.states(missing))['volume 0'], 'missing')
        assert.equal((await app.states(short))['volume 0'], 'corrupt')
        assert.equal((await app.states(alone))['volume 0'], 'missing')
        assert.equal((await app.states(going))['volume 0'], 'delete_pending')
        const { copies } = await app.snapshot(short)
        assert.match(copies[0]?.error?.message ?? '', /has 1 bytes instead of 200/)
        const seenAt = Date.parse((await app.snapshot(good)).copies[0]?.checkedAt ?? '')
        assert.ok(seenAt >= started)
        const [first = ''] = app.volumeIds
        assert.deepEqual(
          await repairsOf(app),
          [missing, short, failed].map((id) => `${id} on ${first}`).sort(),
        )

        await app.run({ evenLater: true })
        for (const id of [missing, short, failed]) assert.equal((await app.states(id))['volume 0'], 'stored')
        const [again] = await check(app, 0)
        assert.match(again?.error?.message ?? '', /2 copies are missing/)
      })
    }

    it('finds again what was missing, when the files are back', async () => {
      await using app = await openCatalogue(makePlace)
      await app.add()
      const id = await app.add()
      const path = app.path(0, await app.keyOf(id))
      await rename(path, `${path}-elsewhere`)
      await check(app, 0)
      assert.deepEqual(await app.states(id), { 'volume 0': 'missing' })
      await rename(`${path}-elsewhere`, path)
      const [job] = await check(app, 0)
      assert.equal(job?.state, 'succeeded', job?.error?.message)
      assert.deepEqual(job.result, { copies: 2, repairs: 0 })
      assert.deepEqual(await app.states(id), { 'volume 0': 'stored' })
      assert.equal((await app.snapshot(id)).copies[0]?.error, null)
    })

    it('marks nothing when the volume is not there, or is an empty one in its place', async () => {
      await using app = await openCatalogue(makePlace)
      const ids: string[] = []
      for (let n = 0; n < 60; n++) ids.push(await app.add())
      const [place = ''] = app.places
      await rename(place, `${place}-unmounted`)
      const job = async () =>
        (await check(app, 0, { contents: true, share: 1 })).map(({ error }) => error?.code)
      assert.deepEqual(await job(), ['volume_unreachable', 'volume_unreachable'])
      await mkdir(place)
      await app.store.db
        .updateTable('jobs')
        .set({ state: 'cancelled' })
        .where('state', '=', 'queued')
        .execute()
      assert.deepEqual(await job(), ['volume_refused', 'volume_refused'])
      for (const id of ids) assert.deepEqual(await app.states(id), { 'volume 0': 'stored' })
    })

    it('looks at volumes that are only read, and changes nothing there', async () => {
      await using app = await openCatalogue(makePlace, { volumes: 2 })
      const id = await app.add({ on: [0, 1] })
      await app.add({ on: [0, 1] })
      await rm(app.path(0, await app.keyOf(id)))
      await rm(app.manifestPath(0, await app.keyOf(id)))
      await app.ask('PATCH', `/api/v1/volumes/${app.volumeIds[0]}`, { isReadOnly: true })
      const [job] = await check(app, 0)
      assert.match(job?.error?.message ?? '', /1 copy is missing/)
      assert.deepEqual(await repairsOf(app), [])
    })

    it('is refused for a volume that is not there, or of somebody else', async () => {
      await using app = await openCatalogue(makePlace)
      assert.equal((await app.ask('POST', '/api/v1/volumes/strange/check')).statusCode, 404)
      for (const body of [{ share: 0 }, { share: 1.5 }, { contents: 'yes' }, { odd: 1 }]) {
        const answer = await app.ask('POST', `/api/v1/volumes/${app.volumeIds[0]}/check`, body)
        assert.equal(answer.statusCode, 400, JSON.stringify(body))
      }
      const twice = await app.post<{ jobIds: string[] }>(`volumes/${app.volumeIds[0]}/check`)
      assert.deepEqual(await app.post(`volumes/${app.volumeIds[0]}/check`), twice)
    })
  },
  'postgresql',
)

describeStores('the content check', (makePlace) => {
  it('reads a share each time, those first that were not read for longest, until all are', async () => {
    await using app = await openCatalogue(makePlace)
    const ids: string[] = []
    for (let n = 0; n < 6; n++) ids.push(await app.add({ content: Buffer.alloc(100, n) }))
    const readAt = async () =>
      Promise.all(ids.map(async (id) => (await app.snapshot(id)).copies[0]?.contentCheckedAt ?? null))
    for (const count of [2, 4, 6]) {
      const [, job] = await check(app, 0, { contents: true, share: 1 / 3 })
      assert.deepEqual(job?.result, { copies: 2, bytes: 200 }, job?.error?.message)
      assert.equal((await readAt()).filter((at) => at !== null).length, count)
    }
    const before = await readAt()
    await check(app, 0, { contents: true, share: 0.01 })
    const after = await readAt()
    const changed = after.flatMap((at, i) => (at === before[i] ? [] : [before[i] ?? '']))
    const oldest = before.map(String).sort()[0]
    assert.deepEqual(changed, [oldest])
    const [, whole] = await check(app, 0, { contents: true, share: 1 })
    assert.deepEqual(whole?.result, { copies: 6, bytes: 600 })
  })

  it('takes the share of a day if none is asked for', async () => {
    await using app = await openCatalogue(makePlace)
    for (let n = 0; n < 4; n++) await app.add({ content: Buffer.alloc(100, n) })
    await app.ask('PATCH', '/api/v1/settings', { contentCheckDays: 2 })
    const [, job] = await check(app, 0, { contents: true })
    assert.deepEqual(job?.result, { copies: 2, bytes: 200 })
  })

  it('finds bytes that have changed, without any key, and has the copy made again', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const id = await app.add({ on: [0, 1], content: Buffer.from('content') })
    const lost = await app.add({ on: [0, 1] })
    const key = await app.keyOf(id)
    await writeFile(app.path(0, key), 'CONTENT')
    await rm(app.path(0, await app.keyOf(lost)))
    const { store, organizationId } = app
    const { enqueueCheck } = await import('./checks.ts')
    await store.db
      .transaction()
      .execute((trx) =>
        enqueueCheck(store, trx, organizationId, app.volumeIds[0] ?? '', { contents: true, share: 1 }),
      )
    const { contentCheck } = await import('./content-check.ts')
    await app.run({ kinds: { 'content-check': contentCheck } })
    const [job] = await app.jobs('content-check')
    assert.match(job?.error?.message ?? '', /1 copy is missing and 1 copy is damaged/)
    assert.deepEqual(await app.states(id), { 'volume 0': 'corrupt', 'volume 1': 'stored' })
    assert.deepEqual(await app.states(lost), { 'volume 0': 'missing', 'volume 1': 'stored' })
    await app.run({ evenLater: true })
    assert.deepEqual(await app.states(id), { 'volume 0': 'stored', 'volume 1': 'stored' })
    assert.equal(String(await readFile(app.path(0, key))), 'content')
  })

  it('that has found damage does not succeed when it is tried again', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add()
    await app.add()
    await writeFile(app.path(0, await app.keyOf(id)), 'x')
    const { 'content-check': kind } = jobKinds
    assert.ok(kind)
    const brokenOff: typeof kind = {
      ...kind,
      async run(work) {
        await assert.rejects(kind.run(work))
        throw new AppError('volume_unreachable', 'The line is cut.')
      },
    }
    await app.post(`volumes/${app.volumeIds[0]}/check`, { contents: true, share: 1 })
    await app.run({ kinds: { 'content-check': brokenOff } })
    assert.equal((await app.jobs('content-check'))[0]?.state, 'queued')
    // Whoever asks for more meanwhile joins it, and takes nothing away.
    await app.post(`volumes/${app.volumeIds[0]}/check`, { contents: true, share: 1 })
    await app.run({ kinds: { 'content-check': kind }, evenLater: true })
    const [job, ...others] = await app.jobs('content-check')
    assert.deepEqual(others, [])
    assert.deepEqual([job?.state, job?.attempt, job?.error?.code], ['failed', 2, 'checksum_mismatch'])
    assert.match(job?.error?.message ?? '', /1 copy is damaged/)
  })

  it('passes by what cannot be read, reads the others, and fails', async () => {
    await using app = await openCatalogue(makePlace)
    const ids: string[] = []
    for (let n = 0; n < 3; n++) ids.push(await app.add())
    const path = app.path(0, await app.keyOf(ids[0] ?? ''))
    await rename(path, `${path}-elsewhere`)
    await symlink(`${path}-elsewhere`, path)
    await app.post(`volumes/${app.volumeIds[0]}/check`, { contents: true, share: 1 })
    const { 'content-check': kind } = jobKinds
    assert.ok(kind)
    await app.run({ kinds: { 'content-check': kind }, evenLater: true })
    const [job] = await app.jobs('content-check')
    assert.deepEqual([job?.state, job?.attempt, job?.error?.code], ['failed', 3, 'volume_refused'])
    const read = await Promise.all(
      ids.map(async (id) => (await app.snapshot(id)).copies[0]?.contentCheckedAt !== null),
    )
    assert.deepEqual(read, [false, true, true])
    assert.deepEqual(await app.states(ids[0] ?? ''), { 'volume 0': 'stored' })
  })

  it('writes a manifest again that is gone', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add()
    const path = app.manifestPath(0, await app.keyOf(id))
    const before = JSON.parse(String(await readFile(path)))
    await rm(path)
    await check(app, 0, { contents: true })
    assert.deepEqual(JSON.parse(String(await readFile(path))), before)
    await app.store.db.updateTable('copies').set({ state: 'delete_pending' }).execute()
    await rm(path)
    await check(app, 0, { contents: true })
    await assert.rejects(stat(path))
  })
})
