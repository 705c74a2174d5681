import assert from 'node:assert/strict'
import { cp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { type TempFolder, tempFolder } from '../../../test/servers/temp-folder.ts'
import { takeSnapshot } from '../../runner/take-snapshot.ts'
import { engineRunning, job as runnerJob, order } from '../../runner/test-bed.ts'
import { announceWriting } from '../../runner/writing.ts'
import { job as jobSchema } from '../../shared/jobs.ts'
import { type VolumeScan, volumeScan } from '../../shared/volumes.ts'
import { claimJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openVolume } from '../../volumes/index.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { startJob } from '../jobs/run-job.ts'
import { openApp } from '../test-bed.ts'
import { manifestOf, planOn, put, record } from './test-bed.ts'

const URL = '/api/v1/volumes'
type App = Awaited<ReturnType<typeof openApp>>

/** Asks for a scan, and does it. */
async function scan(app: App, id: string): Promise<VolumeScan> {
  const asked = await app.ask('POST', `${URL}/${id}/scan`)
  assert.equal(asked.statusCode, 202, asked.body)
  const { id: jobId, kind, volumeId } = jobSchema.parse(asked.json())
  assert.equal(asked.headers['location'], `/api/v1/jobs/${jobId}`)
  assert.deepEqual([kind, volumeId], ['scan-volume', id])
  const again = await app.ask('POST', `${URL}/${id}/scan`)
  assert.equal(again.json().id, jobId, 'one that waits is joined')
  const runner = { name: 'test', node: 'test', capacity: 1, kinds: ['scan-volume'] }
  const claimed = (await claimJob(app.store, runner)) ?? assert.fail('nothing was claimed')
  await startJob(app.context, jobKinds, claimed, (error) => assert.fail(String(error))).over
  const done = jobSchema.parse((await app.ask('GET', `/api/v1/jobs/${jobId}`)).json())
  assert.equal(done.state, 'succeeded', JSON.stringify(done.error))
  return volumeScan.parse(done.result)
}

describeStores('a scan', (makePlace) => {
  let folder: TempFolder
  let count = 0
  before(async () => (folder = await tempFolder('scan')))
  after(() => folder[Symbol.asyncDispose]())

  /** A volume in the catalogue, and its folder. */
  const add = async (app: App, path = join(folder.path, `volume-${++count}`)) => {
    const body = { name: `volume ${path}`, kind: 'local', settings: { path } }
    const added = await app.ask('POST', URL, body)
    assert.equal(added.statusCode, 201, added.body)
    return { id: added.json().id as string, path, volume: openVolume('local', { path }) }
  }
  const copies = (app: App) =>
    app.store.db
      .selectFrom('copies')
      .innerJoin('snapshots', 'snapshots.id', 'copies.snapshotId')
      .select(['snapshotId', 'volumeId', 'key', 'state', 'bytes'])
      .orderBy('key')
      .execute()

  it('builds the catalogue anew from what real backups have left on the volume', async () => {
    await using lost = await openApp(makePlace)
    const former = await add(lost)
    const taken = []
    for (const database of ['shop', 'stock', 'shop']) {
      const snapshot = order(engineRunning('warns-and-succeeds'), [former.volume], { database })
      taken.push(await takeSnapshot({ ...snapshot, encryption: { method: '7z' } }, runnerJob()))
    }
    await using app = await openApp(makePlace)
    const server = await app.ask('POST', '/api/v1/servers', {
      name: 'prod',
      engine: 'sqlite',
      connection: { path: '/srv/shop.db' },
    })
    const { id } = await add(app, former.path)
    const before = (await readdir(former.path, { recursive: true })).sort()
    const nothing = { unreadableCount: 0, withoutObjectCount: 0, unreadable: [], withoutObject: [] }
    assert.deepEqual(await scan(app, id), { found: 3, adopted: 3, known: 0, ...nothing })
    assert.deepEqual(await scan(app, id), { found: 3, adopted: 0, known: 3, ...nothing })
    assert.deepEqual((await readdir(former.path, { recursive: true })).sort(), before)

    const snapshots = await app.store.db
      .selectFrom('snapshots')
      .select(['id', 'database', 'serverId', 'serverName', 'keyId', 'takenAt'])
      .orderBy('id')
      .execute()
    assert.deepEqual(
      snapshots,
      taken.map(({ manifest }) => ({
        id: manifest.snapshot,
        database: manifest.database,
        serverId: server.json().id,
        serverName: 'prod',
        keyId: 'instance',
        takenAt: Date.parse(manifest.startedAt),
      })),
    )
    assert.deepEqual(
      (await copies(app)).map(({ key, state, bytes }) => ({ key, state, bytes })),
      taken
        .map(({ key, manifest }) => ({ key, state: 'stored', bytes: manifest.stored.bytes }))
        .sort((a, b) => a.key.localeCompare(b.key)),
    )
  })

  it('finds the plan again that made a snapshot, if it is still there', async () => {
    await using app = await openApp(makePlace)
    const { id, volume } = await add(app)
    const planId = await planOn(app, id, 'nightly')
    const ofPlan = manifestOf(10, { plan: { id: planId, name: 'as it was called' } })
    const ofNone = manifestOf(10, { plan: { id: 'gone', name: 'gone' } })
    await put(volume, 'a', ofPlan)
    await put(volume, 'b', ofNone)
    assert.equal((await scan(app, id)).adopted, 2)
    const plans = await app.store.db.selectFrom('snapshots').select(['id', 'planId', 'planName']).execute()
    assert.deepEqual(
      new Map(plans.map((row) => [row.id, [row.planId, row.planName]])),
      new Map([
        [ofPlan.snapshot, [planId, 'nightly']],
        [ofNone.snapshot, [null, 'gone']],
      ]),
    )
  })

  it('adds the copies that the catalogue lacks, and those that are there again', async () => {
    await using app = await openApp(makePlace)
    const [one, two] = [await add(app), await add(app)]
    const manifests = [manifestOf(10), manifestOf(20), manifestOf(30), manifestOf(40)]
    const [onlyOnOne, failed, missing, corrupt] = manifests
    for (const [n, manifest] of manifests.entries()) {
      await put(one.volume, `key-${n}`, manifest)
      await put(two.volume, `key-${n}`, manifest)
      await record(app, `key-${n}`, manifest, n === 0 ? [one.id] : [one.id, two.id])
    }
    for (const [manifest, state] of [
      [failed, 'failed'],
      [missing, 'missing'],
      [corrupt, 'corrupt'],
    ] as const) {
      await app.store.db
        .updateTable('copies')
        .set({ state, error: '{"code":"internal","message":"x"}' })
        .where('snapshotId', '=', manifest?.snapshot ?? '')
        .where('volumeId', '=', two.id)
        .execute()
    }
    const { found, adopted, known } = await scan(app, two.id)
    assert.deepEqual({ found, adopted, known }, { found: 4, adopted: 3, known: 1 })
    const states = new Map(
      (await copies(app))
        .filter(({ volumeId }) => volumeId === two.id)
        .map((row) => [row.snapshotId, row.state]),
    )
    assert.deepEqual(
      [onlyOnOne, failed, missing, corrupt].map((manifest) => states.get(manifest?.snapshot ?? '')),
      ['stored', 'stored', 'stored', 'corrupt'],
    )
    assert.equal((await scan(app, one.id)).known, 4)
  })

  it('says what cannot be adopted, and why, and goes on', async () => {
    await using app = await openApp(makePlace)
    const { id, path, volume } = await add(app)
    const good = manifestOf(10)
    await put(volume, 'good', good)
    await put(volume, 'cut', manifestOf(10))
    await truncate(join(path, 'cut'), 9)
    await put(volume, 'alone', manifestOf(10))
    await rm(join(path, 'alone'))
    await writeFile(join(path, 'no-json.manifest.json'), '{')
    await writeFile(join(path, 'other.manifest.json'), '{"version":1}')
    await put(volume, 'taken', manifestOf(10))
    await record(app, 'taken', manifestOf(10), [id])
    const foreign = manifestOf(10)
    await put(volume, 'foreign', foreign)
    const other = await add(app)
    await record(app, 'elsewhere', foreign, [other.id])
    const { store } = app
    await store.db.insertInto('organizations').values({ id: 'x', name: 'X', createdAt: store.now }).execute()
    await store.db
      .updateTable('snapshots')
      .set({ organizationId: 'x' })
      .where('id', '=', foreign.snapshot)
      .execute()

    const { unreadable, ...rest } = await scan(app, id)
    assert.deepEqual(rest, {
      found: 7,
      adopted: 1,
      known: 0,
      unreadableCount: 5,
      withoutObjectCount: 1,
      withoutObject: ['alone'],
    })
    const why = new Map(unreadable.map(({ key, message }) => [key, message]))
    for (const [key, message] of [
      ['cut', /9 bytes.*10 bytes/],
      ['no-json', /not JSON/],
      ['other', /not a manifest/],
      ['taken', /another snapshot under this key/],
      ['foreign', /[Aa]nother organization/],
    ] as const) {
      assert.match(why.get(key) ?? '', message)
    }
    const mine = await copies(app)
    assert.deepEqual(
      mine.filter(({ volumeId }) => volumeId === id).map(({ key }) => key),
      ['good', 'taken'],
    )
  })

  it('leaves alone what is being written, unless the volume is only read', async () => {
    await using app = await openApp(makePlace)
    const { id, volume } = await add(app)
    await put(volume, 'a', manifestOf(10))
    await put(volume, 'b', manifestOf(10))
    await announceWriting(volume, 'a', new AbortController().signal)
    const { adopted, unreadable } = await scan(app, id)
    assert.deepEqual([adopted, unreadable.map(({ key }) => key)], [1, ['a']])
    await app.ask('PATCH', `${URL}/${id}`, { isReadOnly: true })
    assert.equal((await scan(app, id)).adopted, 1)
  })

  it('of a read only volume leaves it as it is; a snapshot that lies there twice is one', async () => {
    await using app = await openApp(makePlace)
    const { id, path, volume } = await add(app)
    await put(volume, 'a', manifestOf(10))
    await cp(join(path, 'a'), join(path, 'b'))
    await cp(join(path, 'a.manifest.json'), join(path, 'b.manifest.json'))
    await app.ask('PATCH', `${URL}/${id}`, { isReadOnly: true })
    const { found, adopted, known } = await scan(app, id)
    assert.deepEqual({ found, adopted, known }, { found: 2, adopted: 1, known: 1 })
    assert.deepEqual((await readdir(path)).sort(), ['a', 'a.manifest.json', 'b', 'b.manifest.json'])
  })

  it('names fifty of what is wrong, and counts all', async () => {
    await using app = await openApp(makePlace)
    const { id, path, volume } = await add(app)
    await put(volume, 'a', manifestOf(1))
    for (let n = 0; n < 60; n++) await writeFile(join(path, `${n}.manifest.json`), 'x')
    const { unreadable, unreadableCount, found } = await scan(app, id)
    assert.deepEqual([unreadable.length, unreadableCount, found], [50, 60, 61])
  })

  it('that cannot reach the volume fails, and says so', async () => {
    await using app = await openApp(makePlace)
    const { id, path } = await add(app)
    await writeFile(path, 'a file where a folder should be')
    await app.ask('POST', `${URL}/${id}/scan`)
    const runner = { name: 'test', node: 'test', capacity: 1, kinds: ['scan-volume'] }
    const claimed = (await claimJob(app.store, runner)) ?? assert.fail('nothing was claimed')
    await startJob(app.context, jobKinds, claimed, (error) => assert.fail(String(error))).over
    const { state, error } = (await app.ask('GET', `/api/v1/jobs/${claimed.id}`)).json()
    assert.equal(error.code, 'volume_refused')
    assert.equal(state, 'failed')
  })
})
