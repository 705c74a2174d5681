import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, it } from 'node:test'
import { type TempFolder, tempFolder } from '../../../test/servers/temp-folder.ts'
import { makeKey, sealer, writeKey } from '../../lib/sealing.ts'
import { AppError } from '../../shared/errors.ts'
import { openStore, type Store } from '../../store/database.ts'
import { migrate, readMigrations, schemaOf } from '../../store/migrate.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { readConfiguration } from '../configuration.ts'
import { serve } from '../serve.ts'

const all = await readMigrations()
const newest = all.length
const KEY = writeKey(makeKey())

describeBothStores('before a release changes the app’s own database', (makePlace) => {
  let folder: TempFolder
  let count = 0
  before(async () => (folder = await tempFolder('migrating')))
  after(() => folder[Symbol.asyncDispose]())

  /** An app whose store has an older schema, and an organization called Old. */
  const older = async (schema: number, environment: Record<string, string> = {}) => {
    const dataDirectory = join(folder.path, String(++count))
    await mkdir(dataDirectory, { mode: 0o700 })
    const made = await makePlace()
    const place = made.engine === 'sqlite' ? { path: join(dataDirectory, 'holdfast.db') } : made.place
    if (made.engine === 'postgresql') await (await made.open())[Symbol.asyncDispose]()
    const { configuration } = readConfiguration({
      HOLDFAST_DATA_DIR: dataDirectory,
      HOLDFAST_PORT: '0',
      LOG_LEVEL: 'fatal',
      APP_KEY: KEY,
      ...('url' in place && { DATABASE_URL: place.url }),
      ...environment,
    })
    const withStore = async <T>(work: (store: Store) => Promise<T>) => {
      await using store = await openStore(configuration.store)
      return await work(store)
    }
    await withStore(async (store) => {
      await migrate(store, { migrations: all.slice(0, schema) })
      await store.db.insertInto('organizations').values({ id: 'old', name: 'Old', createdAt: 1 }).execute()
    })
    return {
      configuration,
      dataDirectory,
      withStore,
      backups: join(dataDirectory, 'app-backups'),
      schema: () => withStore(async (store) => (await schemaOf(store)).current),
      async register(id: string, values: object) {
        await withStore(async ({ db }) => {
          const times = { scheduledSince: 1, revision: 1, createdAt: 1, updatedAt: 1 }
          const schedules = JSON.stringify([{ type: 'migration', timeZone: 'UTC' }])
          const row = { id, name: id, kind: 'local', settings: '{}', schedules, isEnabled: 1, isManaged: 0 }
          await db
            .insertInto('appBackupRegistrations')
            .values({ ...row, ...times, ...values })
            .execute()
        })
      },
      rows: () =>
        withStore(({ db }) => db.selectFrom('appBackups').selectAll().orderBy('startedAt').execute()),
    }
  }
  type Older = Awaited<ReturnType<typeof older>>
  const start = async ({ configuration }: Older) => {
    await using app = await serve(configuration, { isWithoutRunner: true })
    return app.warnings
  }
  const isFailure = (message: RegExp) => (error: unknown) =>
    error instanceof AppError &&
    error.code === 'app_backup_failed' &&
    message.test(error.message) &&
    /HOLDFAST_SKIP_MIGRATION_BACKUP=1/.test(error.hint ?? '')
  const isSqlite = ({ configuration }: Older) => 'path' in configuration.store

  /** What the backup has, as its own engine sees it. */
  const contents = async (path: string) => {
    const bytes = await readFile(path)
    if (bytes.subarray(0, 5).toString() === 'PGDMP') return bytes.toString('latin1')
    const database = new DatabaseSync(path, { readOnly: true })
    const names = database.prepare('select name from organizations').all()
    const tables = database.prepare('select name from sqlite_schema').all()
    database.close()
    return JSON.stringify({ names, tables })
  }

  it('a backup is made, also of a store that is too old to know of any, and the registry gets to know it', async () => {
    const old = await older(4)
    assert.deepEqual(await start(old), [])
    assert.equal(await old.schema(), newest)
    const [name, ...others] = await readdir(old.backups)
    assert.ok(name && others.length === 0)
    const path = join(old.backups, name, 'db_v4.db')
    const found = await contents(path)
    assert.match(found, /Old/)
    assert.doesNotMatch(found, /app_backups/, 'it has the old schema')
    await using app = await serve(old.configuration)
    for (let i = 0; i < 200 && (await old.rows()).length < 2; i++)
      await new Promise((go) => setTimeout(go, 50))
    const [adopted] = await old.rows()
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
    assert.deepEqual(
      [adopted?.key, adopted?.cause, adopted?.sha256],
      [`${name}/db_v4.db`, 'migration', sha256],
    )
    assert.deepEqual(app.warnings, [])
  })

  it('it must succeed: else nothing is changed, and the app does not start, unless that is wanted', async () => {
    const old = await older(4)
    await writeFile(old.backups, 'a file in the way')
    const file = 'path' in old.configuration.store ? old.configuration.store.path : undefined
    const bytes = file && (await readFile(file))
    await assert.rejects(start(old), isFailure(/schema 4 .*not a folder/))
    assert.equal(await old.schema(), 4)
    if (file) assert.deepEqual(await readFile(file), bytes, 'not a byte')
    const warnings = await start({
      ...old,
      configuration: { ...old.configuration, skipsMigrationBackup: true },
    })
    assert.match(warnings.join(), /WITHOUT A BACKUP/)
    assert.equal(await old.schema(), newest)
  })

  it('every registration that asks for it makes one, and none that does not', async () => {
    const old = await older(6)
    for (const name of ['one', 'two']) await old.register(name, { settings: JSON.stringify({ path: name }) })
    await old.register('off', { settings: JSON.stringify({ path: 'off' }), isEnabled: 0 })
    const daily = JSON.stringify([{ type: 'daily', times: ['03:00'], timeZone: 'UTC' }])
    await old.register('daily', { settings: JSON.stringify({ path: 'daily' }), schedules: daily })
    assert.deepEqual(await start(old), [])
    assert.equal(await old.schema(), newest)
    const rows = await old.rows()
    assert.deepEqual(
      rows.map(({ registrationId, state, cause, schemaVersion }) => [
        registrationId,
        state,
        cause,
        schemaVersion,
      ]),
      ['one', 'two'].map((name) => [name, 'succeeded', 'migration', 6]),
    )
    for (const { registrationId, key } of rows) {
      assert.match(await contents(join(old.dataDirectory, registrationId, key)), /Old/)
    }
    for (const none of ['off', 'daily'])
      await assert.rejects(readdir(join(old.dataDirectory, none)), { code: 'ENOENT' })
    assert.deepEqual(await readdir(old.configuration.workDirectory), [])
  })

  it('it does not fill the disk when the migration fails again and again', async () => {
    const old = await older(6)
    await old.register('one', { settings: JSON.stringify({ path: 'one' }) })
    await old.withStore(async ({ db }) => {
      const content = JSON.stringify({ localAppBackups: 2 })
      await db
        .insertInto('instanceSettings')
        .values({ id: 'instance', content, revision: 1, updatedAt: 1 })
        .execute()
      const daily = {
        id: 'daily',
        registrationId: 'one',
        key: '2026-01-01T00-00-00Z/db_v6.db',
        cause: 'daily',
      }
      const where = { location: 'one', place: join(old.dataDirectory, 'one'), schemaVersion: 6, maker: 'me' }
      const end = { state: 'succeeded' as const, isStored: 1, startedAt: 1, finishedAt: 1 }
      await db
        .insertInto('appBackups')
        .values({ ...daily, ...where, ...end })
        .execute()
      // In the way of a table that the migration would make.
      await db.schema.createTable('hooks').addColumn('id', 'text').execute()
    })
    for (let i = 0; i < 2; i++) await assert.rejects(start(old), /hooks/)
    assert.equal(await old.schema(), 6)
    const keys = (await old.rows()).map(({ key }) => key)
    assert.deepEqual(keys.slice(0, 1), ['2026-01-01T00-00-00Z/db_v6.db'], 'what was before is not replaced')
    assert.equal(keys.length, 2, 'that of the failed start before is')
    assert.equal((await readdir(join(old.dataDirectory, 'one'))).length, 1)
  })

  it('where it may fail, one that fails does not keep the others from being made', async () => {
    const old = await older(6, { HOLDFAST_SKIP_MIGRATION_BACKUP: '1' })
    await writeFile(join(old.dataDirectory, 'file'), 'in the way')
    await old.register('a', { settings: JSON.stringify({ path: 'file' }) })
    await old.register('b', { settings: JSON.stringify({ path: 'good' }) })
    const warnings = await start(old)
    assert.match(warnings.join(), /failed \(a\)/)
    assert.doesNotMatch(warnings.join(), /WITHOUT A BACKUP/)
    assert.equal(await old.schema(), newest)
    assert.equal((await readdir(join(old.dataDirectory, 'good'))).length, 1)
  })

  it('a secret that no key opens is a failure, too', async () => {
    const old = await older(6)
    const other = sealer({ current: makeKey() })
    const token = other.seal('canary-secret', 'app-backup-registrations/cloud/settings/secretAccessKey')
    const settings = JSON.stringify({ bucket: 'backups', accessKeyId: 'me', secretAccessKey: token })
    await old.register('cloud', { kind: 's3', settings })
    await assert.rejects(start(old), isFailure(new RegExp(`sealed with the key ${other.keyId}`)))
    assert.equal(await old.schema(), 6)
    assert.deepEqual(await old.rows(), [])
  })

  it('one is made, however many nodes start at once', async () => {
    const old = await older(4)
    if (isSqlite(old)) return // a file belongs to one
    await Promise.all([1, 2, 3].map(() => start(old)))
    assert.equal((await readdir(old.backups)).length, 1)
    await rm(old.backups, { recursive: true })
  })
})
