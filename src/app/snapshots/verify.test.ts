import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openCatalogue } from './test-bed.ts'

/** A snapshot that a real backup made, on two volumes. */
async function openBackup(makePlace: Parameters<typeof openCatalogue>[0], plan: object = {}) {
  const app = await openCatalogue(makePlace, { volumes: 2, plan })
  const database = new DatabaseSync(app.database)
  database.exec(`create table things (id integer primary key, name text);
    with recursive number (n) as (select 1 union all select n + 1 from number where n < 3000)
    insert into things (name) select 'thing ' || n from number`)
  database.close()
  await app.post(`plans/${app.plan.id}/run`)
  await app.run()
  const [id = ''] = await app.ids()
  const key = await app.keyOf(id)
  const verify = async (body?: object) => {
    const { jobId } = await app.post<{ jobId: string }>(`snapshots/${id}/verify`, body)
    await app.run()
    return await app.get<{ state: string; result: unknown; error: { code: string; message: string } | null }>(
      `jobs/${jobId}`,
    )
  }
  return { ...app, id, key, verify }
}

async function damage(path: string): Promise<void> {
  const bytes = await readFile(path)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

describeStores('verifying snapshots', (makePlace) => {
  it('reads every copy, and notes when', async () => {
    await using app = await openBackup(makePlace)
    const before = (await app.snapshot(app.id)).copies
    assert.ok(before.every(({ contentCheckedAt }) => contentCheckedAt === null))
    const job = await app.verify()
    assert.equal(job.state, 'succeeded', job.error?.message)
    const { copies } = await app.snapshot(app.id)
    assert.ok(copies.every(({ state, contentCheckedAt }) => state === 'stored' && contentCheckedAt !== null))
    const log = await app.ask('GET', `/api/v1/jobs/${(await app.jobs('verify'))[0]?.id}/log?as=text`)
    assert.equal(log.body.match(/every byte is as it was stored/g)?.length, 2)
  })

  it('finds the copy that is damaged, and has it made again from a good one', async () => {
    await using app = await openBackup(makePlace)
    await damage(app.path(0, app.key))
    const job = await app.verify()
    assert.equal(job.state, 'failed')
    assert.match(job.error?.code ?? '', /checksum_mismatch|decompression_failed/)
    assert.deepEqual(await app.states(app.id), { 'volume 0': 'corrupt', 'volume 1': 'stored' })
    await app.run({ evenLater: true })
    assert.deepEqual(await app.states(app.id), { 'volume 0': 'stored', 'volume 1': 'stored' })
    assert.ok((await readFile(app.path(0, app.key))).equals(await readFile(app.path(1, app.key))))
    assert.equal((await app.verify()).state, 'succeeded')
  })

  it('finds the copy that is gone; of the others, only the one that is asked for is read', async () => {
    await using app = await openBackup(makePlace)
    await rm(app.path(0, app.key))
    await damage(app.path(1, app.key))
    const job = await app.verify({ volumeId: app.volumeIds[0] })
    assert.deepEqual([job.state, job.error?.code], ['failed', 'object_not_found'])
    assert.deepEqual(await app.states(app.id), { 'volume 0': 'missing', 'volume 1': 'stored' })
    await app.verify()
    assert.deepEqual(await app.states(app.id), { 'volume 0': 'missing', 'volume 1': 'corrupt' })
  })

  it('does not blame a copy for a disk that is not mounted', async () => {
    await using app = await openBackup(makePlace)
    const [place = ''] = app.places
    await rename(place, `${place}-unmounted`)
    const gone = await app.verify()
    await app.run({ evenLater: true })
    const job = async () => (await app.jobs('verify'))[0]
    assert.equal(gone.error?.code, 'volume_unreachable')
    assert.equal((await job())?.state, 'failed')
    await mkdir(place)
    assert.deepEqual((await app.verify()).error?.code, 'volume_refused')
    assert.deepEqual(await app.states(app.id), { 'volume 0': 'stored', 'volume 1': 'stored' })
    assert.deepEqual(await app.jobs('repair-copy'), [])
  })

  it('does not blame a copy for a key that is not at hand', async () => {
    await using app = await openBackup(makePlace, { encryption: { method: '7z' } })
    app.context.instanceKeys = []
    const job = await app.verify()
    assert.deepEqual([job.state, job.error?.code], ['failed', 'key_missing'])
    assert.deepEqual(await app.states(app.id), { 'volume 0': 'stored', 'volume 1': 'stored' })
  })

  it('is refused where there is nothing to read', async () => {
    await using app = await openBackup(makePlace)
    const strange = await app.ask('POST', `/api/v1/snapshots/${app.id}/verify`, { volumeId: 'strange' })
    assert.equal(problem.parse(strange.json()).code, 'object_not_found')
    await app.store.db.updateTable('copies').set({ state: 'delete_pending' }).execute()
    const going = await app.ask('POST', `/api/v1/snapshots/${app.id}/verify`)
    assert.equal(problem.parse(going.json()).code, 'snapshot_deleting')
  })

  it('holds the snapshot until it is over', async () => {
    await using app = await openBackup(makePlace)
    await app.add()
    await app.post(`snapshots/${app.id}/verify`)
    const deleting = await app.ask('DELETE', `/api/v1/snapshots/${app.id}?newest=true`)
    assert.equal(problem.parse(deleting.json()).code, 'snapshot_protected')
    await app.run()
    assert.equal((await app.ask('DELETE', `/api/v1/snapshots/${app.id}?newest=true`)).statusCode, 202)
  })
})
