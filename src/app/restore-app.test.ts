import assert from 'node:assert/strict'
import { copyFile, lstat, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { type TempFolder, tempFolder } from '../../test/servers/temp-folder.ts'
import { connect } from '../client/client.ts'
import { ownToken } from '../lib/identity.ts'
import { makeKey, writeKey } from '../lib/sealing.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { isOver } from '../shared/jobs.ts'
import { openStore, type Store } from '../store/database.ts'
import { takeLease } from '../store/lease.ts'
import { migrate, readMigrations, schemaOf } from '../store/migrate.ts'
import { describeStores } from '../store/test-bed.ts'
import { snapshotStore } from './app-backups/snapshot.ts'
import { type Configuration, readConfiguration } from './configuration.ts'
import { restoreApp } from './restore-app.ts'
import { serve } from './serve.ts'
import { readTokenFile } from './token-file.ts'

const job = { signal: new AbortController().signal, log() {}, progress() {} }
const { Client } = pg
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
        token ||= (await readTokenFile(home)) ?? assert.fail()
        return await work(connect({ url: app.url ?? '', token }))
      },
    }
  }
  type Client = ReturnType<typeof connect>
  const addServer = (client: Client, name: string) =>
    client.ask('POST /api/v1/servers', {
      body: {
        name,
        engine: 'postgresql',
        connection: { host: 'h', user: 'u', password: `canary-${name}` },
      },
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

  const setName = async (place: Configuration['store'], name: string) => {
    await using store = await openStore(place)
    await store.db.updateTable('organizations').set({ name }).execute()
  }
  const nameIn = async (place: Configuration['store']) => {
    await using store = await openStore(place)
    return (await store.db.selectFrom('organizations').select('name').executeTakeFirstOrThrow()).name
  }
  /** A store of an organization called Before, and a backup of that; then it is called After. */
  const changed = async (
    configuration: Configuration,
    more: (store: Store) => Promise<unknown> = async () => {},
  ) => {
    const file = join(configuration.dataDirectory, 'backup.db')
    {
      await using store = await openStore(configuration.store)
      await migrate(store)
      await store.db.insertInto('organizations').values({ id: 'o', name: 'Before', createdAt: 1 }).execute()
      await more(store)
      await using snapshot = await snapshotStore({ store, workDirectory: configuration.workDirectory }, job)
      await copyFile(snapshot.file.path, file)
    }
    await setName(configuration.store, 'After')
    return file
  }

  it('in a database that others use, too, without touching what is theirs', async () => {
    const app = await install()
    const { store: place } = app.configuration
    if (!('url' in place)) return // a file is ours alone
    await using theirs = await openStore(place)
    const ask = async (statements: string) => (await sql.raw<object>(statements).execute(theirs.db)).rows
    const role = `sharer_${count}`
    await ask(`create role ${role} login password 'canary'; grant usage, create on schema public to ${role};
      create schema shop; create table shop.jobs (id int); insert into shop.jobs values (1);
      create table shop.migrations (id int); create table public.theirs (id int); insert into public.theirs values (2)`)
    const url = new URL(place.url)
    url.username = role
    url.password = 'canary'
    // As the client of the store reads it, and no other.
    url.searchParams.set('channel_binding', 'prefer')
    assert.equal((await schemaOf(theirs)).current, 0, 'another’s migrations')
    await theirs[Symbol.asyncDispose]()
    const configuration = { ...app.configuration, store: { url: url.href } }
    const file = await changed(configuration)
    const restored = await restoreApp(configuration, file, job)
    assert.deepEqual(restored.warnings, [])
    assert.equal(await nameIn(configuration.store), 'Before')
    assert.ok(restored.kept)
    {
      await using again = await openStore(place)
      const query = sql<{ rows: number[] }>`
        select array[(select count(*) from shop.jobs), (select count(*) from shop.migrations), (select count(*) from theirs)] as rows`
      assert.deepEqual((await query.execute(again.db)).rows[0]?.rows.map(Number), [1, 0, 1])
      await sql`create view shop.peek as select name from public.organizations`.execute(again.db)
    }
    await assert.rejects(restoreApp(configuration, restored.kept, job), /depend/)
    {
      const migrating = new Client({ connectionString: place.url })
      await migrating.connect()
      await using _end = { [Symbol.asyncDispose]: () => migrating.end() }
      await migrating.query('select pg_advisory_lock(7300001)')
      await assert.rejects(
        restoreApp(configuration, restored.kept, job),
        has('store_in_use', /migrates the store/),
      )
    }
    assert.equal(await nameIn(configuration.store), 'Before')

    const other = await install()
    {
      await using store = await openStore(other.configuration.store)
      await sql`create table settings (note text)`.execute(store.db)
      await assert.rejects(other.restore(file), has('store_in_use'))
    }
    await assert.rejects(other.restore(file), has('object_exists', /public\.settings/))
    await using store = await openStore(other.configuration.store)
    assert.deepEqual((await sql`select note from settings`.execute(store.db)).rows, [])
  })

  it('through a link; what others left there goes, and the registry is told no more than is known', async () => {
    const app = await install()
    const { configuration } = app
    if (!('path' in configuration.store)) return // a database has no links
    const real = join(app.home, 'elsewhere', 'real.db')
    await mkdir(join(real, '..'))
    await symlink(real, configuration.store.path)
    const row = {
      registrationId: 'r',
      location: 'l',
      place: 'p',
      cause: 'daily',
      schemaVersion: 8,
      maker: 'm',
    }
    const insert = (store: Store, values: { id: string; key: string; state: 'running' | 'succeeded' }) =>
      store.db
        .insertInto('appBackups')
        .values({ ...row, ...values, isStored: 1, startedAt: 1 })
        .execute()
    const file = await changed(configuration, async (store) => {
      const registration = {
        id: 'r',
        name: 'r',
        kind: 'local',
        settings: '{}',
        schedules: '[]',
        isEnabled: 1,
      }
      const times = { scheduledSince: 1, revision: 1, createdAt: 1, updatedAt: 1 }
      await store.db
        .insertInto('appBackupRegistrations')
        .values({ ...registration, ...times, isManaged: 0 })
        .execute()
      await insert(store, { id: 'half', key: 'k1', state: 'running' })
      await insert(store, { id: 'found', key: 'k2', state: 'succeeded' })
    })
    {
      await using store = await openStore(configuration.store)
      await store.db.deleteFrom('appBackups').execute()
      await insert(store, { id: 'found again', key: 'k2', state: 'succeeded' })
      await insert(store, { id: 'later', key: 'k3', state: 'succeeded' })
    }
    await assert.rejects(app.restore('r/latest'), has('object_not_found', /no backup “latest”/))
    await assert.rejects(
      app.restore('r/k3'),
      has('object_not_found', /k3 lies at l, to which “r” does not lead/),
    )
    const token = ownToken().replace(/-\d+-\d+$/, '-1-1')
    const left = [`elsewhere/.real.db.${token}`, `.holdfast.before-restore-x.dump.${token}`]
    for (const name of left) await writeFile(join(app.home, name), 'half')
    await writeFile(join(app.home, `.others.${token}`), 'mine')

    await writeFile(`${file}-wal`, 'changes')
    await assert.rejects(app.restore(file), has('invalid_input', /backup\.db-wal, with changes/))
    await rm(`${file}-wal`)
    const { kept } = await app.restore(file)
    assert.equal(await nameIn(configuration.store), 'Before')
    assert.equal(await nameIn({ path: real }), 'Before')
    assert.equal(await nameIn({ path: kept ?? '' }), 'After')
    assert.ok((await lstat(configuration.store.path)).isSymbolicLink())
    const names = await readdir(app.home, { recursive: true })
    assert.deepEqual(
      names.filter((name) => name.includes(token)),
      [`.others.${token}`],
    )
    await using store = await openStore(configuration.store)
    const rows = await store.db.selectFrom('appBackups').select('id').orderBy('id').execute()
    assert.deepEqual(rows, [{ id: 'found' }, { id: 'later' }])
  })
})
