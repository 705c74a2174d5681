import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { type TempFolder, tempFolder } from '../../test/servers/temp-folder.ts'
import { connect } from '../client/client.ts'
import { makeKey, writeKey } from '../lib/sealing.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { isOver } from '../shared/jobs.ts'
import { openStore } from '../store/database.ts'
import { takeLease } from '../store/lease.ts'
import { migrate, readMigrations } from '../store/migrate.ts'
import { describeStores } from '../store/test-bed.ts'
import { readConfiguration } from './configuration.ts'
import { restoreApp } from './restore-app.ts'
import { serve } from './serve.ts'

const job = { signal: new AbortController().signal, log() {}, progress() {} }
const all = await readMigrations()

function has(code: ErrorCode, message = /./) {
  return (error: unknown) => error instanceof AppError && error.code === code && message.test(error.message)
}

describeStores('the app itself is restored', (makePlace) => {
  let folder: TempFolder
  let count = 0
  before(async () => (folder = await tempFolder('restoring')))
  after(() => folder[Symbol.asyncDispose]())

  /** An installation that is not started yet. */
  const install = async () => {
    const home = join(folder.path, String(++count))
    await mkdir(home, { mode: 0o700 })
    const made = await makePlace()
    if (made.engine === 'postgresql') await (await made.open())[Symbol.asyncDispose]()
    const place = made.engine === 'sqlite' ? { path: join(home, 'holdfast.db') } : made.place
    const environment: Record<string, string> = {
      HOLDFAST_DATA_DIR: home,
      HOLDFAST_PORT: '0',
      LOG_LEVEL: 'fatal',
      APP_KEY: writeKey(makeKey()),
      ...('url' in place && { DATABASE_URL: place.url }),
    }
    const { configuration } = readConfiguration(environment)
    let token = ''
    return {
      home,
      environment,
      configuration,
      isSqlite: made.engine === 'sqlite',
      restore: (from: string) => restoreApp(configuration, from, job),
      /** What the work finds when the app runs. */
      async running<T>(work: (client: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
        await using app = await serve(configuration)
        token ||= /hf_[\w-]{43}/.exec(app.notes.join())?.[0] ?? assert.fail(app.notes.join())
        return await work(connect({ url: app.url ?? '', token }))
      },
    }
  }
  type Client = ReturnType<typeof connect>
  const addServer = (client: Client, name: string) =>
    client.ask('POST /api/v1/servers', {
      body: { name, engine: 'postgresql', connection: { host: 'h', user: 'u', password: `canary-${name}` } },
    })
  const serverNames = async (client: Client) =>
    (await client.ask('GET /api/v1/servers')).body.items.map(({ name }) => name).toSorted()
  /** Waits for the first one, and makes another. Returns their keys, the newest first. */
  const backUp = async (client: Client) => {
    const { items } = (await client.ask('GET /api/v1/app-backup-registrations')).body
    const { body } = await client.ask('POST /api/v1/app-backup-registrations/{id}/run', {
      params: { id: items[0]?.id ?? '' },
    })
    for (;;) {
      const { state, error } = (await client.ask('GET /api/v1/jobs/{id}', { params: { id: body.id } })).body
      assert.notEqual(state, 'failed', JSON.stringify(error))
      if (isOver(state)) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return (await client.ask('GET /api/v1/app-backups')).body.items.map(({ key }) => key)
  }

  it('to the state of the backup, and goes on; what was there before is kept', async () => {
    const app = await install()
    const [key] = await app.running(async (client) => {
      await addServer(client, 'kept')
      return await backUp(client)
    })
    const later = await app.running(async (client) => {
      await addServer(client, 'later')
      return await backUp(client)
    })
    const restored = await app.restore(`This machine/${key?.split('/')[0]}`)
    assert.equal(restored.schemaVersion, all.length)
    assert.deepEqual(restored.warnings, [])
    await app.running(async (client) => {
      assert.deepEqual(await serverNames(client), ['kept'])
      const { items } = (await client.ask('GET /api/v1/servers')).body
      assert.equal(items[0]?.connection['password'], 'cana****', 'the secret is opened')
      const known = (await client.ask('GET /api/v1/app-backups')).body.items.map(({ key }) => key)
      for (const one of later) assert.ok(known.includes(one), `${one} is not known any more`)
    })
    const lying = (await readdir(join(app.home, 'app-backups'))).length
    assert.ok(lying >= later.length, 'no backup is gone')

    assert.ok(restored.kept)
    await app.restore(restored.kept)
    await app.running(async (client) => assert.deepEqual(await serverNames(client), ['kept', 'later']))
    assert.deepEqual(
      (await readdir(app.home)).filter((name) => /^\.|part$/.test(name)),
      [],
      'nothing else is left',
    )
  })

  it('from a backup of an older schema, which the next start migrates', async () => {
    const app = await install()
    const place = app.configuration.store
    {
      await using store = await openStore(place)
      await migrate(store, { migrations: all.slice(0, 4) })
      await store.db.insertInto('organizations').values({ id: 'old', name: 'Old', createdAt: 1 }).execute()
    }
    // Its start makes the backup.
    await (await serve(app.configuration, { isWithoutRunner: true }))[Symbol.asyncDispose]()
    const [name] = await readdir(join(app.home, 'app-backups'))
    {
      await using store = await openStore(place)
      await store.db.updateTable('organizations').set({ name: 'New' }).execute()
    }
    const restored = await app.restore(join(app.home, 'app-backups', name ?? '', 'db_v4.db'))
    assert.equal(restored.schemaVersion, 4)
    assert.match(restored.next.join(), /migrates the store from schema 4 to \d+/)
    await (await serve(app.configuration, { isWithoutRunner: true }))[Symbol.asyncDispose]()
    await using store = await openStore(place)
    assert.deepEqual(await store.db.selectFrom('organizations').select('name').execute(), [{ name: 'Old' }])
  })

  it('only if it fits, and nothing is changed before that is known', async () => {
    const app = await install()
    const keys = await app.running(async (client) => {
      await addServer(client, 'here')
      return await backUp(client)
    })
    const good = join(app.home, 'app-backups', keys[0] ?? '')
    const files = async () => (await readdir(app.home)).toSorted()
    const before = await files()

    const other = readConfiguration({ ...app.environment, APP_KEY: writeKey(makeKey()) }).configuration
    await assert.rejects(restoreApp(other, good, job), has('key_wrong', /sealed with the key/))
    const bytes = await readFile(good)
    const wrong = join(app.home, 'work', 'wrong.db')
    await writeFile(wrong, bytes)
    await truncate(wrong, Math.floor(bytes.length / 2))
    await assert.rejects(app.restore(wrong))
    await writeFile(wrong, 'no backup at all')
    await assert.rejects(app.restore(wrong), has('invalid_input', /no app backup/))
    await assert.rejects(app.restore('nowhere'), has('object_not_found', /no file “nowhere”/))
    await assert.rejects(app.restore('This machine/2020'), has('object_not_found', /no backup “2020”/))
    await writeFile(good, bytes.fill(1, 100, 110))
    await assert.rejects(app.restore(`This machine/${keys[0]}`), has('checksum_mismatch'))

    await using store = await openStore(app.configuration.store)
    await store.db
      .insertInto('migrations')
      .values({ number: 999, name: 'of the future', appliedAt: 1 })
      .execute()
    const { snapshotStore } = await import('./app-backups/snapshot.ts')
    await using future = await snapshotStore({ store, workDirectory: app.configuration.workDirectory }, job)
    await store.db.deleteFrom('migrations').where('number', '=', 999).execute()
    await store[Symbol.asyncDispose]()
    await assert.rejects(app.restore(future.file.path), has('store_newer', /schema 999/))
    assert.deepEqual(await files(), before)
    await app.running(async (client) => assert.deepEqual(await serverNames(client), ['here']))
  })

  it('not while an app works with the store', async () => {
    const app = await install()
    const keys = await app.running(backUp)
    const file = join(app.home, 'app-backups', keys[0] ?? '')
    await using store = await openStore(app.configuration.store)
    if (app.isSqlite) assert.ok(await takeLease(store, 'app', 'another', 60_000))
    await assert.rejects(app.restore(file), has('store_in_use'))
  })

  it('over a store that is damaged, and where there is none', async () => {
    const app = await install()
    const keys = await app.running(async (client) => {
      await addServer(client, 'saved')
      return await backUp(client)
    })
    const file = join(app.home, 'app-backups', keys[0] ?? '')
    if (app.isSqlite) {
      await writeFile(join(app.home, 'holdfast.db'), Buffer.alloc(20_000, 7))
      const restored = await app.restore(file)
      assert.match(restored.warnings.join(), /cannot be read/)
      assert.deepEqual(await readFile(restored.kept ?? ''), Buffer.alloc(20_000, 7))
      await app.running(async (client) => assert.deepEqual(await serverNames(client), ['saved']))
    }
    const empty = await install()
    const configuration = { ...empty.configuration, appKey: app.configuration.appKey }
    const restored = await restoreApp(configuration, file, job)
    assert.equal(restored.kept, null)
    await using store = await openStore(configuration.store)
    assert.equal((await store.db.selectFrom('servers').select('name').execute())[0]?.name, 'saved')
  })
})
