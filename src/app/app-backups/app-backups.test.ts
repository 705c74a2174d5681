import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { skipUnless } from '../../../test/servers/needs.ts'
import { type SshdServer, startSshd } from '../../../test/servers/sshd.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { ownToken } from '../../lib/identity.ts'
import { makeKey, sealer } from '../../lib/sealing.ts'
import type { AppBackup, AppBackupRegistration } from '../../shared/app-backups.ts'
import type { Job } from '../../shared/jobs.ts'
import { problem } from '../../shared/problems.ts'
import { testReport } from '../../shared/test-report.ts'
import { describeBothStores, describeStores } from '../../store/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { fireAppBackups } from '../scheduler/scheduler.ts'
import { openApp } from '../test-bed.ts'
import { firstRegistration } from './first.ts'
import { readKey } from './key.ts'
import { enqueueTidying } from './order.ts'
import { registrationOf } from './registrations.ts'
import { openForReading, openTarget, registrationSettings, sealedFor } from './targets.ts'

const REGISTRATIONS = '/api/v1/app-backup-registrations'
const DAY = 86_400_000
const SHA256_OF_OLD = createHash('sha256').update('old').digest('hex')
/** No process of today. */
const DEAD = ownToken().replace(/-\d+-\d+$/, '-1-1')

type App = Awaited<ReturnType<typeof open>>

/** An app, with the shortest way to what it has. */
async function open(makePlace: Parameters<typeof openApp>[0]) {
  const app = await openApp(makePlace)
  const folder = (name: string) => join(app.context.dataDirectory, name)
  const add = async (body: object) => {
    const answer = await app.ask('POST', REGISTRATIONS, body)
    assert.equal(answer.statusCode, 201, answer.body)
    return answer.json<AppBackupRegistration>()
  }
  return {
    ...app,
    folder,
    add,
    show: async (id: string) =>
      (await app.ask('GET', `${REGISTRATIONS}/${id}`)).json<AppBackupRegistration>(),
    /** Orders a backup, does it, and gives the job. */
    async run(id: string) {
      const ordered = await app.ask('POST', `${REGISTRATIONS}/${id}/run`)
      assert.equal(ordered.statusCode, 202, ordered.body)
      await runJobs(app.context)
      return (await app.ask('GET', `/api/v1/jobs/${ordered.json<Job>().id}`)).json<Job>()
    },
    backups: async (query = '') =>
      (await app.ask('GET', `/api/v1/app-backups${query}`)).json<{ items: AppBackup[] }>().items,
    refuses: async (method: 'POST' | 'PATCH' | 'DELETE', url: string, body: object, message: RegExp) => {
      const answer = await app.ask(method, url, body)
      assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, answer.body)
      assert.match(answer.body, message)
      return problem.parse(answer.json())
    },
  }
}

/** Below the folder, sorted. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).toSorted()
}

/** As if they had been made one day after another, the last one yesterday. */
async function age({ store }: App): Promise<void> {
  const rows = await store.db
    .selectFrom('appBackups')
    .select(['id', 'startedAt'])
    .orderBy('startedAt')
    .execute()
  for (const [i, { id }] of rows.entries()) {
    const startedAt = Date.now() - (rows.length - i) * DAY
    await store.db.updateTable('appBackups').set({ startedAt }).where('id', '=', id).execute()
  }
}

/**
 * As if a registration had made one on each of seven days until yesterday; the newest of them says that it is from tomorrow,
 * because the clock was wrong.
 */
async function pretend({ context, store }: App, registrationId: string, root: string): Promise<string[]> {
  const registration = await registrationOf(context, registrationId)
  await using target = await openTarget(context, registration)
  const keys: string[] = []
  for (let day = 1; day <= 7; day++) {
    const key = `2026-01-0${9 - day}T00-00-00Z/db_v8.db`
    await using file = await tempFolder('old')
    const path = join(file.path, 'old')
    await writeFile(path, 'old')
    await target.volume.put(key, { path, bytes: 3, sha256: SHA256_OF_OLD }, new AbortController().signal)
    await store.db
      .insertInto('appBackups')
      .values({
        id: randomUUID(),
        registrationId,
        key,
        location: target.volume.location,
        place: target.place,
        cause: 'daily',
        schemaVersion: 8,
        state: 'succeeded',
        isStored: 1,
        maker: DEAD,
        bytes: 3,
        sha256: SHA256_OF_OLD,
        startedAt: Date.now() + (day === 1 ? DAY : -day * DAY),
      })
      .execute()
    keys.push(key)
  }
  assert.deepEqual(await filesIn(root), keys.toSorted())
  return keys
}

describeBothStores('a backup of the app’s own database', (makePlace) => {
  it('is made of a new installation by itself, and its registration does not come back once it is deleted', async () => {
    await using app = await open(makePlace)
    await Promise.all([firstRegistration(app.context), firstRegistration(app.context)])
    await runJobs(app.context)
    const { items, recommendation } = (await app.ask('GET', REGISTRATIONS)).json()
    const [registration, ...others] = items as AppBackupRegistration[]
    assert.ok(registration && others.length === 0 && recommendation === null)
    assert.equal(registration.location, app.folder('app-backups'))
    assert.deepEqual(registration.settings?.['path'], 'app-backups')
    assert.deepEqual(registration.descriptions, [
      'When a release is about to change the database',
      'Every day at 03:00 (UTC)',
    ])
    assert.ok(registration.isFolder && registration.keeps === 7 && registration.nextRun !== null)
    const [made, ...more] = await app.backups()
    assert.ok(made && more.length === 0)
    assert.deepEqual(
      [made.cause, made.state, made.schemaVersion],
      ['first', 'succeeded', readKey(made.key)?.schemaVersion],
    )
    assert.deepEqual(await filesIn(app.folder('app-backups')), [made.key])
    const bytes = await readFile(join(app.folder('app-backups'), made.key))
    assert.equal(createHash('sha256').update(bytes).digest('hex'), made.sha256)
    assert.equal(bytes.length, made.bytes)
    assert.deepEqual(registration.lastBackup, made)
    assert.ok(!bytes.includes(made.id), 'it does not know of itself: a restored store would remove it')
    assert.deepEqual(await readdir(app.context.workDirectory), [])

    assert.equal((await app.ask('DELETE', `${REGISTRATIONS}/${registration.id}`)).statusCode, 204)
    assert.equal((await app.ask('GET', `${REGISTRATIONS}/${registration.id}`)).statusCode, 404)
    await firstRegistration(app.context)
    const left = (await app.ask('GET', REGISTRATIONS)).json()
    assert.deepEqual(left.items, [])
    assert.match(left.recommendation, /at least one/)
    assert.equal((await app.backups()).length, 1, 'what it has made is still known')
  })

  it('goes where the place is, and one that failed leaves nothing', async () => {
    await using app = await open(makePlace)
    const { id } = await app.add({ name: 'folder', kind: 'local', settings: { path: 'there' } })
    await rm(app.folder('there'), { recursive: true, force: true })
    await writeFile(app.folder('there'), 'a file')
    const job = await app.run(id)
    assert.deepEqual([job.state, job.error?.code], ['queued', 'volume_refused'], 'it is tried again')
    await app.store.db.updateTable('jobs').set({ maxAttempts: 2 }).execute()
    await runJobs(app.context, { evenLater: true })
    assert.equal((await app.ask('GET', `/api/v1/jobs/${job.id}`)).json<Job>().state, 'failed')
    assert.deepEqual(new Set((await app.backups()).map(({ state }) => state)), new Set(['failed']))
    const [failed] = await app.backups()
    assert.deepEqual([failed?.state, failed?.error?.code], ['failed', 'volume_refused'])
    assert.deepEqual((await app.show(id)).lastBackup?.state, 'failed')
    await rm(app.folder('there'))
    assert.equal((await app.run(id)).state, 'succeeded')
    assert.deepEqual(
      (await app.backups(`?registration=${id}`)).map(({ state }) => state),
      ['succeeded', 'failed', 'failed'],
    )
    assert.equal((await filesIn(app.folder('there'))).length, 1)
    assert.deepEqual(await readdir(app.context.workDirectory), [])
  })
})

describeStores('app backups', (makePlace) => {
  const without = skipUnless('sshd')
  let sshd: SshdServer
  before(async () => {
    if (!without) sshd = await startSshd()
  })
  after(() => sshd?.[Symbol.asyncDispose]())

  it(
    'are kept as many as the settings say, in folders and elsewhere, and 0 keeps all',
    { skip: without },
    async () => {
      await using app = await open(makePlace)
      const elsewhere = {
        host: sshd.host,
        port: sshd.port,
        user: sshd.user,
        privateKey: sshd.privateKey,
        hostKey: sshd.hostKeyFingerprint,
        root: join(sshd.folder, 'app'),
      }
      const local = await app.add({ name: 'near', kind: 'local', settings: { path: 'near' } })
      const remote = await app.add({ name: 'far', kind: 'sftp', settings: elsewhere })
      assert.deepEqual([local.isFolder, remote.isFolder], [true, false])
      const set = await app.ask('PATCH', '/api/v1/instance-settings', {
        localAppBackups: 3,
        remoteAppBackups: 5,
      })
      assert.equal(set.statusCode, 200, set.body)
      for (const [{ id }, root] of [
        [local, app.folder('near')],
        [remote, elsewhere.root],
      ] as const) {
        const [ahead = '', newest = ''] = await pretend(app, id, root)
        assert.equal((await app.run(id)).state, 'succeeded')
        const made = (await app.show(id)).lastBackup
        const left = await filesIn(root)
        assert.ok(left.includes(newest) && !left.includes(ahead), 'what is ahead of the clock is the oldest')
        assert.equal(left.filter((key) => !key.startsWith('2026-01-')).length, 1, made?.key)
      }
      assert.equal((await filesIn(app.folder('near'))).length, 3)
      assert.equal((await filesIn(elsewhere.root)).length, 5)
      const known = (id: string) => app.backups(`?registration=${id}&limit=200`)
      assert.deepEqual(
        (await known(local.id)).map(({ key }) => key).toSorted(),
        await filesIn(app.folder('near')),
      )
      assert.equal((await known(remote.id)).length, 5)

      await app.ask('PATCH', '/api/v1/instance-settings', { localAppBackups: 0 })
      assert.match((await app.show(local.id)).warnings.join(), /never removed.*localAppBackups is 0/)
      await app.run(local.id)
      assert.equal((await filesIn(app.folder('near'))).length, 4)
      assert.deepEqual((await app.show(remote.id)).warnings, [])
    },
  )

  it('stay in the registry if they cannot be removed, which says so', async () => {
    await using app = await open(makePlace)
    const { id } = await app.add({ name: 'stuck', kind: 'local', settings: { path: 'stuck' } })
    await app.ask('PATCH', '/api/v1/instance-settings', { localAppBackups: 1 })
    await app.run(id)
    await age(app)
    const [first] = await app.backups()
    // A folder cannot be unlinked, not even by root.
    const path = join(app.folder('stuck'), first?.key ?? '')
    await rm(join(path, '..'), { recursive: true })
    await writeFile(join(path, '..'), 'in the way')
    await rm(join(path, '..'))
    await symlink('/nowhere', join(path, '..'))
    assert.equal((await app.run(id)).state, 'succeeded')
    const { warnings, backups } = await app.show(id)
    assert.equal(backups, 2)
    assert.match(warnings.join(), /could not be removed/)
    await rm(join(path, '..'))
    await age(app)
    await app.run(id)
    assert.equal((await app.show(id)).backups, 1)
  })

  it('that were interrupted are removed with all that is left of them', async () => {
    await using app = await open(makePlace)
    const { id, location } = await app.add({ name: 'killed', kind: 'local', settings: { path: 'killed' } })
    await app.run(id)
    const [good] = await app.backups()
    assert.ok(good && location)
    const half = ['2026-01-01T00-00-00Z/db_v8.db', '2026-01-02T00-00-00Z/db_v8.db']
    for (const [i, key] of half.entries()) {
      await mkdir(join(location, key, '..'), { recursive: true })
      // Under its name, and under the one that it has while it is written.
      const name = i === 0 ? key : key.replace('db_v8.db', `.holdfast-tmp-${DEAD}-00000000-db_v8.db`)
      await writeFile(join(location, name), 'half')
      const row = await app.store.db.selectFrom('appBackups').selectAll().executeTakeFirstOrThrow()
      const running = {
        id: `half-${i}`,
        key,
        state: 'running' as const,
        maker: DEAD,
        bytes: null,
        sha256: null,
      }
      await app.store.db
        .insertInto('appBackups')
        .values({ ...row, ...running, finishedAt: null })
        .execute()
    }
    const living = { id: 'living', key: '2026-01-03T00-00-00Z/db_v8.db', maker: `${'0'.repeat(12)}-1-1` }
    const row = await app.store.db.selectFrom('appBackups').selectAll().executeTakeFirstOrThrow()
    await app.store.db
      .insertInto('appBackups')
      .values({ ...row, ...living, state: 'running', startedAt: Date.now() })
      .execute()
    await app.store.db.transaction().execute((trx) => enqueueTidying(app.context, trx))
    await runJobs(app.context)
    assert.deepEqual(await filesIn(location), [good.key])
    const states = (
      await app.store.db.selectFrom('appBackups').select(['id', 'state', 'isStored']).execute()
    ).map(({ id, state, isStored }) => [id === good.id ? 'good' : id, state, isStored])
    assert.deepEqual(
      states.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      [
        ['good', 'succeeded', 1],
        ['half-0', 'failed', 0],
        ['half-1', 'failed', 0],
        ['living', 'running', 1],
      ],
    )
  })

  it('that fail before anything is put anywhere are known, and the story ends with one that is made', async () => {
    await using app = await open(makePlace)
    const cloud = { bucket: 'backups', accessKeyId: 'me', secretAccessKey: 'canary-secret' }
    const { id } = await app.add({ name: 'locked', kind: 's3', settings: cloud })
    const token = sealer({ current: makeKey() }).seal('canary', `${sealedFor(id)}/secretAccessKey`)
    const settings = JSON.stringify({ ...cloud, secretAccessKey: token })
    const { db } = app.store
    await db.updateTable('appBackupRegistrations').set({ settings }).execute()
    assert.equal((await app.run(id)).state, 'failed')
    const failed = await app.backups()
    assert.deepEqual(
      failed.map(({ state, error, location }) => [state, error?.code, location]),
      [['failed', 'key_wrong', 's3://backups']],
    )
    const threads = async () =>
      (await db.selectFrom('notificationThreads').select('key').execute()).map(({ key }) => key)
    assert.deepEqual(await threads(), [`app-backup:${id}`])
    const folder = { kind: 'local', settings: JSON.stringify({ path: 'open' }) }
    await db.updateTable('appBackupRegistrations').set(folder).execute()
    assert.equal((await app.run(id)).state, 'succeeded')
    assert.deepEqual(await threads(), [])
  })

  it('are taken up where they lie in the app’s own folder, and nowhere else', async () => {
    await using app = await open(makePlace)
    await using outside = await tempFolder('outside')
    await app.add({ name: 'inside', kind: 'local', settings: { path: 'inside' } })
    await app.add({ name: 'outside', kind: 'local', settings: { path: outside.path } })
    const key = '2026-11-22T03-00-00Z/db_v4.db'
    for (const folder of [app.folder('inside'), outside.path]) {
      await mkdir(join(folder, key, '..'), { recursive: true })
      await writeFile(join(folder, key), 'old')
    }
    await writeFile(join(app.folder('inside'), 'notes.txt'), 'mine')
    await app.store.db.transaction().execute((trx) => enqueueTidying(app.context, trx))
    await runJobs(app.context)
    const [found, ...others] = await app.backups()
    assert.equal(others.length, 0)
    assert.deepEqual([found?.key, found?.schemaVersion, found?.bytes], [key, 4, 3])
    assert.equal(found?.startedAt, '2026-11-22T03:00:00.000Z')
  })

  it('run when they are due, once on whatever node, and not for what was before', async () => {
    await using app = await open(makePlace)
    const at = (ago: number) => new Date(Date.now() - ago).toISOString().slice(11, 16)
    const schedules = [
      { type: 'migration' },
      { type: 'daily', times: [at(7_200_000), at(3_600_000)] },
      { type: 'weekly', weekdays: ['monday'], times: ['00:00'], timeZone: 'Europe/Berlin' },
    ]
    const { id, ...added } = await app.add({
      name: 'timely',
      kind: 'local',
      settings: { path: 'timely' },
      schedules,
    })
    assert.deepEqual(
      added.schedules.map(({ timeZone }) => timeZone),
      ['UTC', 'UTC', 'Europe/Berlin'],
    )
    const jobs = async () =>
      (await app.ask('GET', '/api/v1/jobs?kind=app-backup')).json<{ items: Job[] }>().items.length
    const fire = () => Promise.all([1, 2, 3].map(() => fireAppBackups(app.context, assert.fail)))
    await fire()
    assert.equal(await jobs(), 0, 'what was due before it was there')
    const pretend = (ago: number) =>
      app.store.db
        .updateTable('appBackupRegistrations')
        .set({ scheduledSince: Date.now() - ago })
        .execute()
    await pretend(3 * DAY)
    await fire()
    assert.equal(await jobs(), 1, 'of all that was missed, one')
    await fire()
    await runJobs(app.context)
    assert.equal(await jobs(), 1)
    assert.equal((await app.backups())[0]?.cause, 'daily')
    await app.store.db.deleteFrom('firings').execute()
    const changed = await app.ask('PATCH', `${REGISTRATIONS}/${id}`, {
      schedules: [{ type: 'daily', times: [at(60_000)] }],
    })
    assert.equal(changed.statusCode, 200, changed.body)
    await fire()
    assert.equal(await jobs(), 1, 'what was due before it was changed')
    await app.ask('PATCH', `${REGISTRATIONS}/${id}`, { isEnabled: false })
    await pretend(3 * DAY)
    await fire()
    assert.equal(await jobs(), 1, 'what is switched off')
    for (const wrong of [
      { type: 'hourly', every: 1 },
      { type: 'cron', expression: '* * * * *' },
      { type: 'daily' },
    ]) {
      await app.refuses('PATCH', `${REGISTRATIONS}/${id}`, { schedules: [wrong] }, /schedules/)
    }
  })

  it('keep the secrets of their storage, which nobody gets to see again', async () => {
    await using app = await open(makePlace)
    const settings = {
      bucket: 'backups',
      endpoint: 'http://127.0.0.1:1',
      accessKeyId: 'minioadmin',
      secretAccessKey: 'minio-canary-secret',
      pathStyle: true,
    }
    const { id } = await app.add({ name: 'cloud', kind: 's3', settings })
    const read = await app.ask('GET', `${REGISTRATIONS}/${id}`)
    const shown = read.json<AppBackupRegistration>()
    assert.equal(shown.settings?.['secretAccessKey'], 'mini****')
    const etag = String(read.headers['etag'])
    const renamed = { name: 'renamed', settings: { ...shown.settings, region: 'eu-central-1' } }
    const saved = await app.ask('PATCH', `${REGISTRATIONS}/${id}`, renamed, { 'if-match': etag })
    assert.equal(saved.statusCode, 200, saved.body)
    assert.equal(
      (await app.ask('PATCH', `${REGISTRATIONS}/${id}`, { name: 'x' }, { 'if-match': etag })).statusCode,
      412,
    )
    const row = await registrationOf(app.context, id)
    assert.doesNotMatch(JSON.stringify(row), /canary/)
    assert.equal(registrationSettings(app.context, row).settings['secretAccessKey'], 'minio-canary-secret')
    await using volume = await openForReading(app.context, row)
    assert.equal(volume.location, 's3://backups')
    const moved = { settings: { ...shown.settings, endpoint: 'http://thief.example.com' } }
    const refused = await app.refuses('PATCH', `${REGISTRATIONS}/${id}`, moved, /must be entered again/)
    assert.deepEqual(
      refused.errors?.map(({ field }) => field),
      ['settings.secretAccessKey'],
    )
    await app.refuses(
      'POST',
      `${REGISTRATIONS}/test`,
      { kind: 's3', ...moved, registrationId: id },
      /must be entered again/,
    )
    for (const answer of [read, saved, await app.ask('GET', REGISTRATIONS)])
      assert.doesNotMatch(answer.body, /canary/)
    const again = { settings: { ...shown.settings, secretAccessKey: 'another-canary' } }
    assert.equal((await app.ask('PATCH', `${REGISTRATIONS}/${id}`, again)).statusCode, 200)
    const after = registrationSettings(app.context, await registrationOf(app.context, id))
    assert.equal(after.settings['secretAccessKey'], 'another-canary')
  })

  it('go to a folder only if that can be written to, and never among the app’s other files', async () => {
    await using app = await open(makePlace)
    await writeFile(app.folder('file'), '')
    const add = (path: string) => ({ name: 'x', kind: 'local', settings: { path } })
    await app.refuses('POST', REGISTRATIONS, add('file'), /settings: cannot be used.*not a folder/)
    await app.refuses('POST', REGISTRATIONS, add('.'), /own directory/)
    await app.refuses('POST', REGISTRATIONS, add(app.context.workDirectory), /own directory/)
    await app.refuses('POST', REGISTRATIONS, { name: 'x', kind: 'nonsense', settings: {} }, /kind/)
    await app.refuses('POST', REGISTRATIONS, { name: 'x' }, /kind: is missing/)
    const report = await app.ask('POST', `${REGISTRATIONS}/test`, {
      kind: 'local',
      settings: { path: 'file' },
    })
    assert.equal(testReport.parse(report.json()).passed, false)
    const { id } = await app.add(add('good'))
    await app.refuses('POST', REGISTRATIONS, add('good'), /name/)
    assert.equal(testReport.parse((await app.ask('POST', `${REGISTRATIONS}/${id}/test`)).json()).passed, true)
    assert.deepEqual(await filesIn(app.context.dataDirectory), ['file'], 'what was tried out is gone')
  })

  it('may go to a volume, which then cannot be deleted', async () => {
    await using app = await open(makePlace)
    await using outside = await tempFolder('volume')
    const volume = { name: 'disk', kind: 'local', settings: { path: outside.path } }
    const { id: volumeId } = (await app.ask('POST', '/api/v1/volumes', volume)).json<{ id: string }>()
    const { id, volumeName, settings } = await app.add({ name: 'on a volume', volumeId })
    assert.deepEqual([volumeName, settings], ['disk', null])
    assert.equal((await app.run(id)).state, 'succeeded')
    assert.match((await filesIn(outside.path)).join(), /^app-backups\/\d{4}-[^/]*Z\/db_v\d+\.db$/)
    const refused = await app.ask('DELETE', `/api/v1/volumes/${volumeId}`)
    assert.equal(problem.parse(refused.json()).code, 'in_use')
    assert.match(refused.body, /the app backup registration “on a volume”/)
    await app.refuses('POST', REGISTRATIONS, { name: 'none', volumeId: 'nowhere' }, /volumeId/)
    await app.refuses(
      'POST',
      REGISTRATIONS,
      { name: 'both', volumeId, kind: 'local', settings: {} },
      /together/,
    )
    assert.equal((await app.ask('DELETE', `${REGISTRATIONS}/${id}`)).statusCode, 204)
    assert.equal((await app.ask('DELETE', `/api/v1/volumes/${volumeId}`)).statusCode, 200)
  })

  it('are said by the environment where that manages folders', async () => {
    await using app = await open(makePlace)
    await firstRegistration(app.context)
    const { id: mine } = await app.add({ name: 'mine', kind: 'local', settings: { path: 'mine' } })
    const daily = { type: 'daily' as const, times: ['04:00'], timeZone: 'UTC' }
    app.context.managed = { folder: 'managed', schedules: [daily], keep: 2 }
    await firstRegistration(app.context)
    await firstRegistration(app.context)
    const { items } = (await app.ask('GET', REGISTRATIONS)).json<{ items: AppBackupRegistration[] }>()
    const managed = items.find(({ isManaged }) => isManaged)
    assert.deepEqual(
      items.map(({ name, isManaged }) => [name, isManaged]),
      [
        ['Managed folder', true],
        ['This machine', false],
        ['mine', false],
      ],
    )
    assert.ok(managed)
    assert.deepEqual([managed.keeps, managed.settings?.['path'], managed.schedules], [2, 'managed', [daily]])
    await app.refuses(
      'PATCH',
      `${REGISTRATIONS}/${managed.id}`,
      { isEnabled: false },
      /HOLDFAST_APP_BACKUP_DIR/,
    )
    await app.refuses('DELETE', `${REGISTRATIONS}/${managed.id}`, {}, /HOLDFAST_MANAGED/)
    await app.refuses(
      'POST',
      REGISTRATIONS,
      { name: 'x', kind: 'local', settings: { path: 'x' } },
      /HOLDFAST_APP_BACKUP_DIR/,
    )
    await app.refuses('PATCH', `${REGISTRATIONS}/${mine}`, { name: 'y' }, /HOLDFAST_MANAGED/)
    const trial = { kind: 'local', settings: { path: 'x' } }
    await app.refuses('POST', `${REGISTRATIONS}/test`, trial, /HOLDFAST_APP_BACKUP_DIR/)
    const limit = { localAppBackups: 5 }
    await app.refuses('PATCH', '/api/v1/instance-settings', limit, /HOLDFAST_APP_BACKUP_KEEP/)
    const settings = (await app.ask('GET', '/api/v1/instance-settings')).json()
    assert.deepEqual([settings.localAppBackups, settings.isLocalAppBackupsFromEnvironment], [2, true])
    await app.add({ name: 'cloud', kind: 's3', settings: { bucket: 'backups' } })

    app.context.managed = { folder: 'other', schedules: [daily], keep: 2 }
    await firstRegistration(app.context)
    assert.equal((await app.show(managed.id)).settings?.['path'], 'other')
    delete app.context.managed
    await firstRegistration(app.context)
    assert.equal((await app.show(managed.id)).isManaged, false)
    assert.equal(
      (await app.ask('PATCH', `${REGISTRATIONS}/${managed.id}`, { isEnabled: false })).statusCode,
      200,
    )
  })
})
