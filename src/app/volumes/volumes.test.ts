import assert from 'node:assert/strict'
import { mkdir, readdir, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { after, before, it } from 'node:test'
import { type TempFolder, tempFolder } from '../../../test/servers/temp-folder.ts'
import { problem } from '../../shared/problems.ts'
import { testReport } from '../../shared/test-report.ts'
import { forgottenVolume, volume as volumeSchema, volumeLosses, volumeUsage } from '../../shared/volumes.ts'
import { claimJob, enqueueJob } from '../../store/queue.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { inject, manifestOf, organizationOf, planOn, put, record, refusal } from './test-bed.ts'
import { openVolumeOf, readyVolume, volumeOf, volumeResource } from './volumes.ts'

const CANARY = 'canary-secret-key-1234'
const URL = '/api/v1/volumes'

const signal = new AbortController().signal
const offsite = {
  name: 'offsite',
  kind: 's3',
  settings: {
    bucket: 'backups',
    endpoint: 'https://s3.example.org',
    accessKeyId: 'AKIA123',
    secretAccessKey: CANARY,
  },
}

describeBothStores('volumes', (makePlace) => {
  let folder: TempFolder
  let folders = 0
  before(async () => (folder = await tempFolder('volumes')))
  after(() => folder[Symbol.asyncDispose]())
  const newPath = () => join(folder.path, `volume-${++folders}`)
  const local = (name: string, path = newPath()) => ({ name, kind: 'local', settings: { path } })

  it('are added, read, listed by name, changed and forgotten', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', URL, offsite)
    assert.equal(added.statusCode, 201, added.body)
    const first = volumeSchema.parse(added.json())
    assert.equal(added.headers['location'], `${URL}/${first.id}`)
    const { location, quota, quotaAction, bandwidth, maxRunning, isReadOnly } = first
    assert.deepEqual(
      { location, quota, quotaAction, bandwidth, maxRunning, isReadOnly },
      {
        location: 's3://backups',
        quota: null,
        quotaAction: 'warn',
        bandwidth: null,
        maxRunning: 4,
        isReadOnly: false,
      },
    )
    assert.equal(first.settings['region'], 'us-east-1', 'defaults are shown')
    assert.deepEqual((await app.ask('GET', `${URL}/${first.id}`)).json(), first)
    assert.equal((await app.ask('POST', URL, local('archive'))).statusCode, 201)
    const names = async (query = '') =>
      (await app.ask('GET', URL + query)).json().items.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names(), ['archive', 'offsite'])
    assert.deepEqual(await names('?kind=s3'), ['offsite'])

    const changes = {
      name: 'far',
      quota: 1_000_000,
      quotaAction: 'refuse',
      bandwidth: 5_000_000,
      maxRunning: 2,
      isReadOnly: true,
    }
    const changed = await app.ask('PATCH', `${URL}/${first.id}`, changes)
    assert.equal(changed.statusCode, 200, changed.body)
    const { updatedAt } = changed.json()
    assert.deepEqual(volumeSchema.parse(changed.json()), { ...first, ...changes, updatedAt })
    const resource = await app.store.db
      .selectFrom('resources')
      .select('capacity')
      .where('name', '=', volumeResource(first.id))
      .executeTakeFirstOrThrow()
    assert.equal(resource.capacity, 2)
    const unlimited = await app.ask('PATCH', `${URL}/${first.id}`, { quota: null, bandwidth: null })
    assert.deepEqual([unlimited.json().quota, unlimited.json().bandwidth], [null, null])

    const gone = await app.ask('DELETE', `${URL}/${first.id}`)
    assert.equal(gone.statusCode, 200)
    assert.deepEqual(forgottenVolume.parse(gone.json()), { copies: 0, bytes: 0, snapshots: 0 })
    assert.equal((await app.ask('GET', `${URL}/${first.id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `${URL}/${first.id}`)).statusCode, 404)
  })

  it('are listed page by page, each once', async () => {
    await using app = await openApp(makePlace)
    const names = Array.from({ length: 7 }, (_, n) => `volume ${n}`)
    for (const name of [...names].reverse()) await app.ask('POST', URL, local(name))
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const response = await app.ask('GET', `${URL}?limit=3${cursor && `&cursor=${cursor}`}`)
      const page = response.json()
      assert.ok(page.items.length <= 3)
      seen.push(...page.items.map(({ name }: { name: string }) => name))
      cursor = page.nextCursor
    }
    assert.deepEqual(seen, names)
  })

  it('keep their secrets: sealed in the store, and only ever shown as a mask', async () => {
    await using app = await openApp(makePlace)
    const { id, settings: shown } = volumeSchema.parse((await app.ask('POST', URL, offsite)).json())
    assert.equal(shown['secretAccessKey'], 'cana****')
    const rows = async () => JSON.stringify(await app.store.db.selectFrom('volumes').selectAll().execute())
    assert.ok(!(await rows()).includes(CANARY))
    const changed = await app.ask('PATCH', `${URL}/${id}`, { settings: { ...shown, concurrency: 8 } })
    assert.equal(changed.statusCode, 200, changed.body)
    const { settingsOf } = await import('./volumes.ts')
    const stored = async () => {
      const row = await volumeOf(app.context, await organizationOf(app), id)
      return settingsOf(app.context, row)
    }
    assert.deepEqual(
      [(await stored())['secretAccessKey'], (await stored())['concurrency']],
      [CANARY, 8],
      'a secret that equals its mask stays',
    )
    const replaced = { ...shown, secretAccessKey: 'another-canary' }
    assert.equal((await app.ask('PATCH', `${URL}/${id}`, { settings: replaced })).statusCode, 200)
    assert.equal((await stored())['secretAccessKey'], 'another-canary')
    assert.ok(!(await rows()).includes('another-canary'))
    for (const url of [URL, `${URL}/${id}`, `${URL}/${id}/usage`]) {
      assert.doesNotMatch((await app.ask('GET', url)).body, /canary/)
    }
  })

  it('send a secret that is only known as a mask to nobody else', async () => {
    await using app = await openApp(makePlace)
    const { id, settings: shown } = volumeSchema.parse((await app.ask('POST', URL, offsite)).json())
    const { secretAccessKey: _, ...without } = shown
    for (const elsewhere of [
      { endpoint: 'https://evil.example' },
      { endpoint: undefined },
      { publicEndpoint: 'https://evil.example' },
      { accessKeyId: 'AKIAOTHER' },
      { roleArn: 'arn:aws:iam::123456789012:role/x', stsEndpoint: 'https://evil.example' },
    ]) {
      for (const settings of [shown, without]) {
        const body = { settings: { ...settings, ...elsewhere } }
        const refused = refusal(await app.ask('PATCH', `${URL}/${id}`, body), 'invalid_input')
        assert.deepEqual(
          refused.errors?.map(({ field }) => field),
          ['settings.secretAccessKey'],
        )
        const trial = await app.ask('POST', `${URL}/test`, { kind: 's3', volumeId: id, ...body })
        refusal(trial, 'invalid_input')
      }
    }
    assert.deepEqual((await app.ask('GET', `${URL}/${id}`)).json().settings, shown)
    const moved = { ...shown, endpoint: 'https://s3.example.net', secretAccessKey: CANARY }
    assert.equal((await app.ask('PATCH', `${URL}/${id}`, { settings: moved })).statusCode, 200)
  })

  it('are changed only by who has seen them as they are', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', URL, offsite)
    const url = `${URL}/${added.json().id}`
    const etag = String(added.headers['etag'])
    const change = (name: string, ifMatch: string) => app.ask('PATCH', url, { name }, { 'if-match': ifMatch })
    assert.equal((await change('one', etag)).statusCode, 200)
    const refused = await change('two', etag)
    assert.equal(refused.statusCode, 412)
    refusal(refused, 'changed_meanwhile')
    const now = await app.ask('GET', url)
    assert.equal(now.json().name, 'one')
    assert.equal((await change('two', String(now.headers['etag']))).statusCode, 200)
  })

  it('of one name, or one place, are refused; of another organization not seen', async () => {
    await using app = await openApp(makePlace)
    const path = newPath()
    const { id } = (await app.ask('POST', URL, local('one', path))).json()
    refusal(await app.ask('POST', URL, local('one')), 'name_taken')
    const same = refusal(
      await app.ask('POST', URL, local('two', `${path}/../${basename(path)}/.`)),
      'place_taken',
    )
    assert.match(same.title, /“one”/)
    assert.deepEqual(
      same.errors?.map(({ field }) => field),
      ['settings'],
    )
    await app.ask('POST', URL, offsite)
    const again = { ...offsite, name: 'again', settings: { ...offsite.settings, region: 'eu-central-1' } }
    refusal(await app.ask('POST', URL, again), 'place_taken')
    const slash = { ...again.settings, endpoint: 'https://S3.example.org/' }
    refusal(await app.ask('POST', URL, { ...again, settings: slash }), 'place_taken')
    const inPrefix = { ...again, settings: { ...again.settings, prefix: 'other' } }
    assert.equal((await app.ask('POST', URL, inPrefix)).statusCode, 201)

    const { store } = app
    await store.db.insertInto('organizations').values({ id: 'x', name: 'X', createdAt: store.now }).execute()
    await store.db.updateTable('volumes').set({ organizationId: 'x' }).where('id', '=', id).execute()
    const url = `${URL}/${id}`
    for (const response of [
      await app.ask('GET', url),
      await app.ask('PATCH', url, { name: 'mine' }),
      await app.ask('DELETE', `${url}?copies=forget`),
      await app.ask('POST', `${url}/test`),
      await app.ask('POST', `${url}/scan`),
      await app.ask('GET', `${url}/usage`),
      await app.ask('POST', `${URL}/test`, { kind: 'local', settings: {}, volumeId: id }),
    ]) {
      assert.equal(response.statusCode, 404, response.body)
      refusal(response, 'not_found')
    }
    // The folder is the other organization’s; the name is free.
    const theirs = refusal(await app.ask('POST', URL, local('one', path)), 'place_taken')
    assert.doesNotMatch(JSON.stringify(theirs), /“one”/)
    assert.equal((await app.ask('POST', URL, local('one'))).statusCode, 201)
  })

  it('of one place are refused by whatever way it is reached, also of requests at the same time', async () => {
    await using app = await openApp(makePlace)
    const path = newPath()
    const link = newPath()
    await mkdir(path)
    await symlink(path, link)
    const requests = Array.from({ length: 6 }, (_, n) => ({
      method: 'POST' as const,
      url: URL,
      payload: local(`volume ${n}`, join(n % 2 === 0 ? path : link, 'below')),
    }))
    const codes = (await inject(app, requests)).map(({ statusCode }) => statusCode)
    assert.deepEqual(
      codes.toSorted((a, b) => a - b),
      [201, 409, 409, 409, 409, 409],
    )
  })

  it('are never inside the app’s own directory, but for the folder that is made for them', async () => {
    await using app = await openApp(makePlace)
    const { dataDirectory } = app.context
    const [linkToData, linkToBackups, dangling] = [newPath(), newPath(), newPath()]
    await symlink(dataDirectory, linkToData)
    await symlink(join(dataDirectory, 'backups'), linkToBackups)
    await symlink(join(dataDirectory, 'not-there-yet'), dangling)
    for (const path of [
      dataDirectory,
      join(dataDirectory, 'work'),
      join(dataDirectory, 'backups/inside'),
      join(dataDirectory, 'backups/../keys'),
      linkToData,
      join(linkToData, 'somewhere'),
      dangling,
    ]) {
      const refused = refusal(await app.ask('POST', URL, local('own', path)), 'invalid_input')
      assert.match(refused.errors?.[0]?.message ?? '', /own directory/, path)
      const trial = await app.ask('POST', `${URL}/test`, { kind: 'local', settings: { path } })
      refusal(trial, 'invalid_input')
    }
    assert.deepEqual(await readdir(dataDirectory), [], 'nothing was tried out there')
    const beside = await app.ask('POST', URL, local('beside', `${dataDirectory}-2`))
    assert.equal(beside.statusCode, 201)
    refusal(await app.ask('PATCH', `${URL}/${beside.json().id}`, local('x', linkToData)), 'invalid_input')
    const { settings } = local('x', join(linkToData, 'work'))
    refusal(await app.ask('PATCH', `${URL}/${beside.json().id}`, { settings }), 'invalid_input')
    assert.equal((await app.ask('POST', URL, local('ready', linkToBackups))).statusCode, 201)
  })

  it('are there from the start: one on this machine, made once, for whoever has none', async () => {
    await using app = await openApp(makePlace)
    const organizationId = await organizationOf(app)
    await Promise.all([1, 2, 3].map(() => readyVolume(app.context, organizationId)))
    const { items } = (await app.ask('GET', URL)).json()
    assert.deepEqual(
      items.map(({ name, location, kind }: Record<string, unknown>) => ({ name, location, kind })),
      [{ name: 'This machine', location: join(app.context.dataDirectory, 'backups'), kind: 'local' }],
    )
    const report = testReport.parse((await app.ask('POST', `${URL}/${items[0].id}/test`)).json())
    assert.ok(report.passed, JSON.stringify(report.steps))
    await app.ask('POST', URL, local('other'))
    await app.ask('DELETE', `${URL}/${items[0].id}`)
    await readyVolume(app.context, organizationId)
    const names = (await app.ask('GET', URL)).json().items.map(({ name }: { name: string }) => name)
    assert.deepEqual(names, ['other'])
  })

  it('with anything wrong change nothing, and every field is named', async () => {
    await using app = await openApp(makePlace)
    const good = local('good')
    const wrong: [body: object, field: string][] = [
      [{}, 'name'],
      [{ ...good, name: ' ' }, 'name'],
      [{ ...good, name: 'x'.repeat(101) }, 'name'],
      [{ ...good, kind: 'tape' }, 'kind'],
      [{ ...good, kind: '__proto__' }, 'kind'],
      [{ ...good, maxRunning: 0 }, 'maxRunning'],
      [{ ...good, quota: 0 }, 'quota'],
      [{ ...good, quota: 1e300 }, 'quota'],
      [{ ...good, quotaAction: 'delete' }, 'quotaAction'],
      [{ ...good, bandwidth: 1000 }, 'bandwidth'],
      [{ ...good, settings: { path: 'relative' } }, 'settings.path'],
      [{ ...good, settings: { path: '/srv/x', passwort: CANARY } }, 'settings.passwort'],
      [{ ...offsite, settings: { bucket: 'backups', secretAccessKey: CANARY } }, 'settings.secretAccessKey'],
      [{ ...good, id: 'mine' }, ''],
    ]
    for (const [body, field] of wrong) {
      const response = await app.ask('POST', URL, body)
      assert.equal(response.statusCode, 400, JSON.stringify(body))
      const { errors = [], code } = problem.parse(response.json())
      assert.equal(code, 'invalid_input')
      assert.ok(
        errors.some((error) => error.field === field),
        `${field}: ${response.body}`,
      )
      assert.doesNotMatch(response.body, new RegExp(CANARY))
    }
    assert.deepEqual((await app.ask('GET', URL)).json().items, [])
    const { id } = (await app.ask('POST', URL, good)).json()
    for (const body of [{ kind: 's3' }, { settings: {} }, { filesWereMoved: 'yes' }, { maxRunning: 65 }]) {
      assert.equal((await app.ask('PATCH', `${URL}/${id}`, body)).statusCode, 400, JSON.stringify(body))
    }
    assert.equal((await app.ask('DELETE', `${URL}/${id}?copies=delete`)).statusCode, 400)
    assert.equal((await app.ask('GET', `${URL}/${id}`)).statusCode, 200)
  })

  it('describe the settings of every kind for whoever draws a form', async () => {
    await using app = await openApp(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/volume-kinds')).json()
    assert.deepEqual(
      items.map(({ name }: { name: string }) => name),
      ['local', 's3', 'sftp'],
    )
    assert.equal(items[1].settings.properties.secretAccessKey.format, 'password')
    assert.equal(items[1].settings.properties.endpoint.addressee, true)
    const description = (await app.ask('GET', '/api/openapi.json')).json()
    for (const path of ['/api/v1/volumes', '/api/v1/volumes/{id}/scan', '/api/v1/volumes/test']) {
      assert.ok(description.paths[path], path)
    }
  })

  it('are tried out before they are saved, and nothing is stored', async () => {
    await using app = await openApp(makePlace)
    const { kind, settings } = local('x')
    const report = testReport.parse((await app.ask('POST', `${URL}/test`, { kind, settings })).json())
    assert.ok(report.passed, JSON.stringify(report.steps))
    assert.ok(report.steps.length > 5)
    assert.deepEqual(await readdir(settings.path), [])
    assert.deepEqual(await app.store.db.selectFrom('volumes').selectAll().execute(), [])
    const wrong = await app.ask('POST', `${URL}/test`, { kind: 'local', settings: { path: 'relative' } })
    assert.equal(wrong.statusCode, 400)
    const file = { path: await folder.write('a-file', 'x') }
    const failed = testReport.parse((await app.ask('POST', `${URL}/test`, { kind, settings: file })).json())
    assert.equal(failed.passed, false)
  })

  it('say what they hold', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', URL, { ...local('used'), quota: 1000 })).json()
    const usage = async () => volumeUsage.parse((await app.ask('GET', `${URL}/${id}/usage`)).json())
    const none = { stored: 0, failed: 0, missing: 0, corrupt: 0, delete_pending: 0 }
    assert.deepEqual(await usage(), {
      snapshots: 0,
      copies: none,
      bytes: 0,
      occupiedBytes: 0,
      quota: 1000,
      quotaShare: 0,
      oldest: null,
      newest: null,
    })
    const states = ['stored', 'stored', 'failed', 'missing', 'corrupt', 'delete_pending'] as const
    for (const [n, state] of states.entries()) {
      const startedAt = `2026-01-0${n + 1}T00:00:00.000Z`
      const manifest = manifestOf(100 + n, { startedAt })
      await record(app, `key-${n}`, manifest, [id])
      await app.store.db
        .updateTable('copies')
        .set({ state })
        .where('snapshotId', '=', manifest.snapshot)
        .execute()
    }
    assert.deepEqual(await usage(), {
      snapshots: 2,
      copies: { stored: 2, failed: 1, missing: 1, corrupt: 1, delete_pending: 1 },
      bytes: 201,
      occupiedBytes: 201 + 104 + 105,
      quota: 1000,
      quotaShare: 0.41,
      oldest: '2026-01-01T00:00:00.000Z',
      newest: '2026-01-02T00:00:00.000Z',
    })
    await app.ask('PATCH', `${URL}/${id}`, { quota: null })
    assert.equal((await usage()).quotaShare, null)
  })

  it('are not forgotten while a plan, or a job, uses them', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', URL, local('busy'))).json()
    await planOn(app, id, 'nightly')
    await planOn(app, id, 'weekly')
    const refused = await app.ask('DELETE', `${URL}/${id}?copies=forget`)
    assert.equal(refused.statusCode, 409)
    assert.match(refusal(refused, 'in_use').title, /the plans “nightly” and “weekly”/)
    assert.deepEqual((await app.ask('GET', `${URL}/${id}/losses`)).json().plans, ['nightly', 'weekly'])
    await app.store.db.deleteFrom('planVolumes').execute()

    const organizationId = await organizationOf(app)
    await app.store.db.transaction().execute((trx) =>
      enqueueJob(app.store, trx, {
        organizationId,
        kind: 'scan-volume',
        key: 'x',
        payload: {},
        resources: [volumeResource(id)],
      }),
    )
    const runner = { name: 'r', node: 'n', capacity: 1, kinds: ['scan-volume'] }
    assert.ok(await claimJob(app.store, runner))
    refusal(await app.ask('DELETE', `${URL}/${id}`), 'in_use')
    const { settings } = local('x')
    refusal(await app.ask('PATCH', `${URL}/${id}`, { settings }), 'in_use')
    await app.store.db.deleteFrom('jobSlots').execute()
    assert.equal((await app.ask('DELETE', `${URL}/${id}`)).statusCode, 200)
  })

  it('are not forgotten with their copies unless that is said, and never touch an object', async () => {
    await using app = await openApp(makePlace)
    const path = newPath()
    const { id } = (await app.ask('POST', URL, local('full', path))).json()
    const { id: other } = (await app.ask('POST', URL, local('other'))).json()
    const volume = openVolumeOf(app.context, await volumeOf(app.context, await organizationOf(app), id))
    const onlyHere = manifestOf(1000, { startedAt: '2026-05-06T07:08:09.000Z' })
    const onBoth = manifestOf(500)
    const failedThere = manifestOf(200)
    for (const [key, manifest] of [
      ['a/1', onlyHere],
      ['a/2', onBoth],
      ['a/3', failedThere],
    ] as const) {
      await put(volume, key, manifest)
    }
    await record(app, 'a/1', onlyHere, [id])
    await record(app, 'a/2', onBoth, [id, other])
    await record(app, 'a/3', failedThere, [id, other])
    await app.store.db
      .updateTable('copies')
      .set({ state: 'failed' })
      .where('snapshotId', '=', failedThere.snapshot)
      .where('volumeId', '=', other)
      .execute()

    const refused = await app.ask('DELETE', `${URL}/${id}`)
    assert.equal(refused.statusCode, 409)
    const { title } = refusal(refused, 'copies_kept')
    assert.match(title, /3 copies/)
    assert.match(title, /1\.7 KiB/)
    assert.match(title, /2026-05-06T07:08:09/)
    const before = (await readdir(path, { recursive: true })).sort()
    assert.equal(before.length, 7)

    const losses = await app.ask('GET', `${URL}/${id}/losses`)
    assert.deepEqual(volumeLosses.parse(losses.json()), {
      copies: 3,
      bytes: 1700,
      newest: '2026-05-06T07:08:09.000Z',
      snapshots: 2,
      plans: [],
      appBackupRegistrations: [],
    })
    const forgotten = await app.ask('DELETE', `${URL}/${id}?copies=forget`)
    assert.equal(forgotten.statusCode, 200, forgotten.body)
    assert.deepEqual(forgotten.json(), { copies: 3, bytes: 1700, snapshots: 2 })
    assert.deepEqual((await readdir(path, { recursive: true })).sort(), before)
    const snapshots = await app.store.db.selectFrom('snapshots').select('id').execute()
    assert.deepEqual(snapshots, [{ id: onBoth.snapshot }])
    const copies = await app.store.db.selectFrom('copies').select(['snapshotId', 'volumeId']).execute()
    assert.deepEqual(copies, [{ snapshotId: onBoth.snapshot, volumeId: other }])
  })

  it('with nothing but a copy that never came are simply forgotten', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', URL, local('one'))).json()
    const { id: other } = (await app.ask('POST', URL, local('two'))).json()
    await record(app, 'a', manifestOf(10), [id, other])
    await app.store.db.updateTable('copies').set({ state: 'failed' }).where('volumeId', '=', id).execute()
    const gone = await app.ask('DELETE', `${URL}/${id}`)
    assert.deepEqual(gone.json(), { copies: 0, bytes: 0, snapshots: 0 })
    assert.equal((await app.store.db.selectFrom('snapshots').select('id').execute()).length, 1)
  })

  it('that are read only refuse what would change them, and are tested without being written to', async () => {
    await using app = await openApp(makePlace)
    const path = newPath()
    await mkdir(path)
    const { id } = (await app.ask('POST', URL, { ...local('archive', path), isReadOnly: true })).json()
    const open = async () =>
      openVolumeOf(app.context, await volumeOf(app.context, await organizationOf(app), id))
    async function* body() {
      yield Buffer.from('x')
    }
    const volume = await open()
    await assert.rejects(volume.write('a', { body: body() }, signal), { code: 'volume_read_only' })
    await assert.rejects(volume.remove('a', signal), { code: 'volume_read_only' })
    const report = testReport.parse((await app.ask('POST', `${URL}/${id}/test`)).json())
    assert.ok(report.passed, JSON.stringify(report))
    assert.deepEqual(await readdir(path), [])
    await app.ask('PATCH', `${URL}/${id}`, { isReadOnly: false })
    await (await open()).write('a', { body: body() }, signal)
    assert.deepEqual(await readdir(path), ['a'])
  })

  it('with a bandwidth share it among all that is opened of them', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', URL, { ...local('slow'), bandwidth: 100_000 })).json()
    const row = await volumeOf(app.context, await organizationOf(app), id)
    const write = async (key: string) => {
      await using volume = openVolumeOf(app.context, row)
      async function* body() {
        yield Buffer.alloc(30_000)
      }
      await volume.write(key, { body: body() }, signal)
    }
    const started = performance.now()
    await Promise.all(['a', 'b', 'c'].map(write))
    // 90 000 bytes, of which the last piece does not wait for its own end, and some may be caught up.
    assert.ok(performance.now() - started > 700, 'each went at its own full speed')
  })

  it('are shown even when their settings are not valid any more', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', URL, local('old'))).json()
    const settings = JSON.stringify({ path: 'relative', gone: true })
    await app.store.db.updateTable('volumes').set({ settings }).where('id', '=', id).execute()
    const shown = volumeSchema.parse((await app.ask('GET', `${URL}/${id}`)).json())
    assert.deepEqual([shown.location, shown.settings], [null, { path: 'relative' }])
    const mended = await app.ask('PATCH', `${URL}/${id}`, { settings: local('x').settings })
    assert.equal(mended.statusCode, 200, mended.body)
    assert.equal((await app.ask('POST', URL, local('next'))).statusCode, 201)
  })
})
