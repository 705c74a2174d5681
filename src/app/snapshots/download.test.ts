import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readlink, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { get as httpGet, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { after, before, it } from 'node:test'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { problem } from '../../shared/problems.ts'
import { describeStores } from '../../store/test-bed.ts'
import { type Catalogue, openCatalogue } from './test-bed.ts'

const MB = 1_000_000

describeStores('downloading snapshots', (makePlace) => {
  it('gives the object as it is stored, under its name', async () => {
    await using app = await openCatalogue(makePlace)
    const content = randomBytes(3 * MB)
    const id = await app.add({ content, key: 'prod/shöp "1"/shöp; "x"\'.db' })
    const answer = await app.ask('GET', `/api/v1/snapshots/${id}/download`)
    assert.equal(answer.statusCode, 200, answer.body)
    assert.ok(answer.rawPayload.equals(content))
    assert.equal(answer.headers['content-length'], String(content.length))
    assert.equal(answer.headers['accept-ranges'], 'bytes')
    assert.equal(answer.headers['etag'], `"${(await app.snapshot(id)).sha256}"`)
    const disposition = `attachment; filename="shop; _x_'.db"; filename*=UTF-8''sh%C3%B6p%3B%20%22x%22%27.db`
    assert.equal(answer.headers['content-disposition'], disposition)
  })

  it('gives parts of it', async () => {
    await using app = await openCatalogue(makePlace)
    const content = randomBytes(100)
    const id = await app.add({ content })
    const url = `/api/v1/snapshots/${id}/download`
    const etag = `"${(await app.snapshot(id)).sha256}"`
    const parts: [range: string, start: number, end: number][] = [
      ['bytes=0-9', 0, 9],
      ['bytes=90-', 90, 99],
      ['bytes=-5', 95, 99],
      ['bytes=-500', 0, 99],
      ['bytes=99-1000', 99, 99],
    ]
    for (const [range, start, end] of parts) {
      const part = await app.ask('GET', url, undefined, { range })
      assert.equal(part.statusCode, 206, range)
      assert.equal(part.headers['content-range'], `bytes ${start}-${end}/100`)
      assert.equal(part.headers['content-length'], String(end - start + 1))
      assert.ok(part.rawPayload.equals(content.subarray(start, end + 1)), range)
    }
    for (const range of ['bytes=100-', 'bytes=1000-2000', 'bytes=-0']) {
      const none = await app.ask('GET', url, undefined, { range })
      assert.equal(none.statusCode, 416, range)
      assert.equal(none.headers['content-range'], 'bytes */100')
      assert.equal(problem.parse(none.json()).code, 'range_not_satisfiable')
    }
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=5-1', 'bytes=-', 'bytes=x-1']) {
      const whole = await app.ask('GET', url, undefined, { range })
      assert.deepEqual([whole.statusCode, whole.rawPayload.length], [200, 100], range)
    }
    const ifRange = async (value: string) =>
      (await app.ask('GET', url, undefined, { range: 'bytes=0-9', 'if-range': value })).statusCode
    assert.deepEqual([await ifRange(etag), await ifRange('"another"')], [206, 200])
  })

  it('breaks, rather than ends, if the bytes are not those that were stored', async () => {
    await using app = await openCatalogue(makePlace)
    const content = randomBytes(20 * MB)
    const id = await app.add({ content })
    await using server = await listen(app)
    const path = app.path(0, await app.keyOf(id))
    const whole = await server.fetch(`/api/v1/snapshots/${id}/download`)
    assert.deepEqual([whole.isComplete, whole.bytes], [true, content.length])
    for (const [what, damage] of Object.entries({
      'the last byte': () => writeFile(path, Buffer.concat([content.subarray(0, -1), Buffer.from([1])])),
      'the first byte': () => writeFile(path, Buffer.concat([Buffer.from([1]), content.subarray(1)])),
    })) {
      await damage()
      for (const form of ['stored', 'plain']) {
        const broken = await server.fetch(`/api/v1/snapshots/${id}/download?as=${form}`)
        assert.equal(broken.status, 200)
        assert.equal(broken.isComplete, false, `${what}, ${form}`)
        assert.ok(broken.bytes < content.length, `${what}, ${form}: ${broken.bytes}`)
      }
    }
    await truncate(path, 10)
    const short = await app.ask('GET', `/api/v1/snapshots/${id}/download`)
    assert.equal(problem.parse(short.json()).code, 'checksum_mismatch')
    await rm(path)
    const gone = await app.ask('GET', `/api/v1/snapshots/${id}/download`)
    assert.equal(gone.statusCode, 404)
    assert.equal(problem.parse(gone.json()).code, 'object_not_found')
  })

  it('is not in the way of a small object that is damaged, either', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add({ content: Buffer.from('good') })
    await writeFile(app.path(0, await app.keyOf(id)), 'evil')
    await using server = await listen(app)
    for (const form of ['stored', 'plain']) {
      const answer = await server.fetch(`/api/v1/snapshots/${id}/download?as=${form}`)
      assert.ok(!answer.isComplete || answer.status === 422, `${form}: ${answer.status}`)
      assert.doesNotMatch(answer.text, /evil/)
    }
  })

  it('gives the dump itself, without its wrappers', async () => {
    await using app = await openCatalogue(makePlace, { plan: { encryption: { method: '7z' } } })
    const database = new DatabaseSync(app.database)
    database.exec(
      `create table things (id integer primary key, name text); insert into things (name) values ('a')`,
    )
    database.close()
    await app.post(`plans/${app.plan.id}/run`)
    await app.run()
    const [id = ''] = await app.ids()
    const stored = await app.ask('GET', `/api/v1/snapshots/${id}/download`)
    assert.equal(stored.rawPayload.subarray(0, 2).toString(), '7z')
    const plain = await app.ask('GET', `/api/v1/snapshots/${id}/download?as=plain`)
    assert.equal(plain.statusCode, 200, plain.body)
    assert.equal(plain.headers['content-length'], String((await app.snapshot(id)).rawBytes))
    assert.match(String(plain.headers['content-disposition']), /filename="[^"]+\.db"/)
    const restored = `${app.folder}/restored.db`
    await writeFile(restored, plain.rawPayload)
    const copy = new DatabaseSync(restored)
    assert.deepEqual(
      copy
        .prepare('select name from things')
        .all()
        .map(({ name }) => name),
      ['a'],
    )
    copy.close()

    app.context.instanceKeys = []
    const locked = await app.ask('GET', `/api/v1/snapshots/${id}/download?as=plain`)
    assert.equal(locked.statusCode, 422)
    assert.equal(problem.parse(locked.json()).code, 'key_missing')
  })

  it('takes the copy that is there, or the one that is asked for', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const id = await app.add({ on: [0, 1], content: Buffer.from('content') })
    const [place = '', other = ''] = app.places
    const url = `/api/v1/snapshots/${id}/download`
    await rename(place, `${place}-unmounted`)
    assert.equal((await app.ask('GET', url)).body, 'content')
    assert.equal((await app.ask('GET', `${url}?volume=${app.volumeIds[0]}`)).statusCode, 404)
    await rename(other, `${other}-unmounted`)
    const none = problem.parse((await app.ask('GET', url)).json())
    assert.match(none.title, /volume 0.*volume 1/)
    await rename(`${place}-unmounted`, place)
    await app.store.db.updateTable('copies').set({ state: 'missing' }).execute()
    assert.equal((await app.ask('GET', url)).body, 'content', 'what was missing may be there again')
    await app.store.db.updateTable('copies').set({ state: 'corrupt' }).execute()
    const bad = problem.parse((await app.ask('GET', url)).json())
    assert.equal(bad.code, 'object_not_found')
    assert.match(bad.title, /corrupt/)
  })

  it('lets go of the file when nobody listens any more', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add({ content: randomBytes(50 * MB) })
    const path = app.path(0, await app.keyOf(id))
    await using server = await listen(app)
    const response = await server.open(`/api/v1/snapshots/${id}/download`)
    await new Promise((resolve) => response.once('data', resolve))
    assert.ok(await isOpen(path))
    response.destroy()
    for (let tries = 0; (await isOpen(path)) && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.equal(await isOpen(path), false)
  })

  it('has no links where the volume has none', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add()
    for (const query of ['link=true', 'link=true&as=plain', 'link=true&direct=true']) {
      const refused = await app.ask('GET', `/api/v1/snapshots/${id}/download?${query}`)
      assert.equal(problem.parse(refused.json()).code, 'unsupported', query)
    }
    assert.equal((await app.ask('GET', `/api/v1/snapshots/${id}/download?as=odd`)).statusCode, 400)
  })
})

describeStores('downloading from S3', (makePlace) => {
  const skip = skipUnless('ceph')
  let ceph: CephServer
  before(async () => {
    if (!skip) ceph = await startCeph()
  })
  after(() => ceph?.[Symbol.asyncDispose]())

  it('goes by a link that works without credentials', { skip }, async () => {
    await using app = await openCatalogue(makePlace)
    const { endpoint, accessKeyId, secretAccessKey } = ceph
    const bucket = await ceph.createBucket()
    const { id: volumeId } = await app.post<{ id: string }>('volumes', {
      name: 's3',
      kind: 's3',
      settings: { endpoint, accessKeyId, secretAccessKey, bucket },
    })
    const id = await app.add({ content: Buffer.from('content') })
    await app.store.db.updateTable('copies').set({ volumeId }).execute()
    const { openVolumeOf, volumeOf } = await import('../volumes/volumes.ts')
    await using volume = openVolumeOf(app.context, await volumeOf(app.context, app.organizationId, volumeId))
    const { once } = await import('../../runner/manifests.ts')
    const key = await app.keyOf(id)
    await volume.write(key, { body: once(Buffer.from('content')) }, new AbortController().signal)

    const url = `/api/v1/snapshots/${id}/download`
    const redirect = await app.ask('GET', url)
    assert.equal(redirect.statusCode, 302, redirect.body)
    assert.equal(await (await fetch(String(redirect.headers['location']))).text(), 'content')
    const link = (await app.ask('GET', `${url}?link=true`)).json<{ url: string; expiresAt: string }>()
    assert.equal(await (await fetch(link.url, { headers: { range: 'bytes=3-' } })).text(), 'tent')
    const lasts = Date.parse(link.expiresAt) - Date.now()
    assert.ok(lasts > 10 * 60_000 && lasts <= 15 * 60_000)
    assert.equal((await app.ask('GET', `${url}?direct=true`)).body, 'content')
    assert.equal((await app.ask('GET', `${url}?as=plain`)).body, 'content')
    const part = await app.ask('GET', `${url}?direct=true`, undefined, { range: 'bytes=-4' })
    assert.deepEqual([part.statusCode, part.body], [206, 'tent'])
  })
})

/** The app on a port, for what only a real connection shows. */
async function listen({ app, token }: Catalogue) {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const open = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` }
      httpGet({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).on('error', reject)
    })
  return {
    open,
    async fetch(path: string) {
      const response = await open(path)
      let bytes = 0
      let text = ''
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (text.length < 1000) text += chunk.toString('latin1')
      })
      response.on('error', () => {})
      await new Promise((resolve) => response.once('close', resolve))
      return { status: response.statusCode, bytes, text, isComplete: response.complete }
    },
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections()
    },
  }
}

/** Whether this process has the file open. */
async function isOpen(path: string): Promise<boolean> {
  const names = await readdir('/proc/self/fd')
  const open = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return open.includes(path)
}
