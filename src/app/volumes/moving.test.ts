import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import { startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { type SshdServer, startSshd } from '../../../test/servers/sshd.ts'
import { type TempFolder, tempFolder } from '../../../test/servers/temp-folder.ts'
import { manifestKey } from '../../runner/manifests.ts'
import { testReport } from '../../shared/test-report.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openVolume, type VolumeKind } from '../../volumes/index.ts'
import { openApp } from '../test-bed.ts'
import { manifestOf, put, record, refusal } from './test-bed.ts'

const URL = '/api/v1/volumes'
const COPIES = 12

const signal = new AbortController().signal
const without = { ceph: skipUnless('ceph'), sshd: skipUnless('sshd') }

let folder: TempFolder
let ceph: CephServer
let sshd: SshdServer
let places = 0

before(async () => {
  folder = await tempFolder('moving')
  if (!without.ceph) ceph = await startCeph()
  if (!without.sshd) sshd = await startSshd()
})
after(async () => {
  await ceph?.[Symbol.asyncDispose]()
  await sshd?.[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

interface Kind {
  kind: VolumeKind
  skip: string | false
  /** Another place each time. */
  settings: () => Promise<Record<string, unknown>>
  /** What may change while copies are kept. */
  harmless: Record<string, unknown>
  /** A credential that is wrong; undefined if there is none. */
  wrong?: Record<string, unknown>
}

const kinds: Kind[] = [
  {
    kind: 'local',
    skip: false,
    settings: async () => ({ path: join(folder.path, `place-${++places}`) }),
    harmless: { fileMode: '0600' },
  },
  {
    kind: 's3',
    skip: without.ceph,
    settings: async () => ({
      bucket: await ceph.createBucket(),
      endpoint: ceph.endpoint,
      accessKeyId: ceph.accessKeyId,
      secretAccessKey: ceph.secretAccessKey,
    }),
    harmless: { pathStyle: true, concurrency: 2, region: 'eu-central-1' },
    wrong: { secretAccessKey: 'CANARY-wrong-secret' },
  },
  {
    kind: 'sftp',
    skip: without.sshd,
    settings: async () => ({
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      privateKey: sshd.privateKey,
      hostKey: sshd.hostKeyFingerprint,
      root: join(sshd.folder, `place-${++places}`),
    }),
    harmless: { timeout: 20 },
    wrong: { password: 'CANARY-wrong-secret', privateKey: '' },
  },
]

describeStores('a volume that keeps copies', (makePlace) => {
  for (const { kind, skip, settings: newPlace, harmless, wrong } of kinds) {
    it(`becomes another place only with all of them: ${kind}`, { skip }, async () => {
      await using app = await openApp(makePlace)
      const [here, there] = [await newPlace(), await newPlace()]
      const added = await app.ask('POST', URL, { name: 'kept', kind, settings: here })
      assert.equal(added.statusCode, 201, added.body)
      const { id, location } = added.json()
      await using volume = openVolume(kind, here)
      await using target = openVolume(kind, there)
      const snapshots = Array.from({ length: COPIES }, (_, n) => ({
        key: `shop/${String(n).padStart(2, '0')}`,
        manifest: manifestOf(100 + n),
      }))
      for (const { key, manifest } of snapshots) {
        await put(volume, key, manifest)
        await record(app, key, manifest, [id])
      }
      const patch = (body: object) => app.ask('PATCH', `${URL}/${id}`, body)

      assert.equal((await patch({ name: 'renamed', settings: { ...here, ...harmless } })).statusCode, 200)
      const kept = refusal(await patch({ settings: there }), 'copies_kept')
      assert.match(kept.title, /12 copies/)
      const moved = { settings: there, filesWereMoved: true }
      const none = refusal(await patch(moved), 'copies_not_found')
      assert.match(none.title, /12 of 12 copies/)
      assert.equal(none.title.split(' · ').length, 11, 'ten are named, and that there are more')

      for (const { key, manifest } of snapshots.slice(1)) await put(target, key, manifest)
      await put(target, 'shop/05', manifestOf(7)) // another size
      await target.remove(manifestKey('shop/07'), signal)
      const some = refusal(await patch(moved), 'copies_not_found')
      assert.match(some.title, /3 of 12 copies/)
      for (const named of ['shop/00', 'shop/05 (7 B instead of 105 B)', 'shop/07.manifest.json']) {
        assert.ok(some.title.includes(named), `${named}: ${some.title}`)
      }
      const unchanged = (await app.ask('GET', `${URL}/${id}`)).json()
      assert.deepEqual([unchanged.location, unchanged.name], [location, 'renamed'])

      for (const n of [0, 5, 7])
        await put(target, snapshots[n]?.key ?? '', snapshots[n]?.manifest ?? manifestOf(0))
      const changed = await patch(moved)
      assert.equal(changed.statusCode, 200, changed.body)
      assert.equal(changed.json().location, target.location)
      assert.notEqual(changed.json().location, location)
    })

    it(`is reached and tried out step by step: ${kind}`, { skip }, async () => {
      await using app = await openApp(makePlace)
      const settings = await newPlace()
      const trial = testReport.parse((await app.ask('POST', `${URL}/test`, { kind, settings })).json())
      assert.ok(trial.passed, JSON.stringify(trial))
      const { id } = (await app.ask('POST', URL, { name: 'real', kind, settings })).json()
      const report = testReport.parse((await app.ask('POST', `${URL}/${id}/test`)).json())
      assert.ok(report.passed, JSON.stringify(report))
      await using volume = openVolume(kind, settings)
      assert.deepEqual(await Array.fromAsync(volume.list('', signal)), [])
      if (!wrong) return
      await app.ask('PATCH', `${URL}/${id}`, { settings: { ...settings, ...wrong } })
      const answer = await app.ask('POST', `${URL}/${id}/test`)
      assert.equal(testReport.parse(answer.json()).passed, false)
      assert.doesNotMatch(answer.body, /CANARY/)
    })
  }

  it('is not moved away from a copy that was made meanwhile', { skip: without.ceph }, async () => {
    await using app = await openApp(makePlace)
    await using proxy = await startHttpProxy({ to: ceph.endpoint })
    const settings = await kinds[1]?.settings()
    const there = { ...settings, endpoint: proxy.endpoint }
    const { id } = (await app.ask('POST', URL, { name: 'busy', kind: 's3', settings })).json()
    await using volume = openVolume('s3', settings)
    const [first, second] = [manifestOf(10), manifestOf(20)]
    await put(volume, 'first', first)
    await record(app, 'first', first, [id])
    let recorded: Promise<void> | undefined
    const once = proxy.trouble({
      when({ method }) {
        if (method !== 'HEAD') return false
        recorded ??= record(app, 'second', second, [id])
        return true
      },
      times: 1,
      delay: 1000,
    })
    const moved = { settings: there, filesWereMoved: true }
    const refused = refusal(await app.ask('PATCH', `${URL}/${id}`, moved), 'copies_not_found')
    assert.equal(once.used, 1)
    await recorded
    assert.match(refused.title, /1 of 2 copies .*second/)
    await put(volume, 'second', second)
    assert.equal((await app.ask('PATCH', `${URL}/${id}`, moved)).statusCode, 200)
  })

  it('whose folder only got another way to it is where it was', async () => {
    await using app = await openApp(makePlace)
    const path = join(folder.path, `place-${++places}`)
    await mkdir(path)
    const { id } = (await app.ask('POST', URL, { name: 'one', kind: 'local', settings: { path } })).json()
    await record(app, 'a', manifestOf(1), [id])
    await symlink(path, `${path}-link`)
    const changed = await app.ask('PATCH', `${URL}/${id}`, { settings: { path: `${path}-link` } })
    assert.equal(changed.statusCode, 200, changed.body)
    refusal(await app.ask('PATCH', `${URL}/${id}`, { settings: { path: `${path}-2` } }), 'copies_kept')
    await app.store.db.updateTable('copies').set({ state: 'failed' }).execute()
    const free = await app.ask('PATCH', `${URL}/${id}`, { settings: { path: `${path}-2` } })
    assert.equal(free.statusCode, 200, 'a copy that never came is none')
  })
})
