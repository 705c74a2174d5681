import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMariadb } from '../../../test/servers/mariadb.ts'
import type { MysqlLikeServer } from '../../../test/servers/mysql-like.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { makeKey, sealer, writeKey } from '../../lib/sealing.ts'
import { restoreCheck } from '../../shared/restores.ts'
import { describeOnPostgresql, describeStores } from '../../store/test-bed.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { reap } from '../jobs/worker.ts'
import type { RunnerOrder } from '../jobs/killed-runner.ts'
import { openRestores, type RestoreBed } from './test-bed.ts'
import { enqueueTidying } from './tidy.ts'

const FILL = [
  'create table orders (id int primary key, email text)',
  `insert into orders select n, 'person' || n from generate_series(1, 20) n`,
  'create table notes (id int primary key)',
]
const FORMER = ['create table orders (id int primary key)', 'insert into orders values (1), (2)']

describeStores('a restore into PostgreSQL', (makePlace) => {
  const skip = skipUnless('postgres15')
  let server: PostgresServer
  let count = 0
  before(async () => {
    if (skip) return
    server = await startPostgres({ major: 15 })
    await server.query('create database shop')
    await server.query(FILL, 'shop')
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })
  const rowsIn = async (database: string, table = 'orders') =>
    Number((await server.query(`select count(*) as n from ${table}`, database))[0]?.['n'])
  const names = async () =>
    (await server.query('select datname as name from pg_database order by 1')).map(({ name }) => String(name))
  /** A database that is to be replaced. */
  const former = async () => {
    const database = `target_${++count}`
    await server.query(`create database ${database}`)
    await server.query(FORMER, database)
    return database
  }
  const connect = async (app: RestoreBed, more: object = {}) => {
    const { host, port, user, password } = server
    return await app.addServer('pg', 'postgresql', { host, port, user, password }, more)
  }

  it('brings chosen tables back under a new name', { skip }, async () => {
    await using app = await openRestores(makePlace)
    const serverId = await connect(app)
    const snapshotId = await app.takeSnapshot(serverId, 'shop')
    const database = `chosen_${++count}`
    const body = { snapshotId, serverId, database, tables: ['orders'] }
    const restored = await app.restore(body)
    assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error))
    assert.deepEqual(restored.result?.rows, { tables: 1, rows: 20 })
    assert.equal(await rowsIn(database), 20)
    await assert.rejects(rowsIn(database, 'notes'), /does not exist/)
    await app.refused({ ...body, database: `chosen_${++count}`, options: { jobs: 2 } })
  })

  it('replaces a database, masked, and takes that back', { skip }, async () => {
    await using app = await openRestores(makePlace)
    const serverId = await connect(app, { isProduction: true })
    const snapshotId = await app.takeSnapshot(serverId, 'shop')
    const database = await former()
    const runAfter = `begin; update orders set email = 'x';`
    const body = { snapshotId, serverId, database, mode: 'replace', runAfter }
    assert.equal((await app.refused(body)).code, 'confirmation_needed')
    const replaced = await app.restore({ ...body, confirmation: database })
    assert.equal(replaced.state, 'succeeded', JSON.stringify(replaced.error))
    const emails = await server.query('select distinct email from orders', database)
    assert.deepEqual(emails, [{ email: 'x' }])

    const undo = `restores/${replaced.id}/undo`
    assert.equal((await app.refused({}, undo)).code, 'confirmation_needed')
    const undone = await app.ask('POST', `/api/v1/${undo}`, { confirmation: database })
    assert.equal(undone.statusCode, 201, undone.body)
    await runJobs(app.context)
    assert.equal((await app.restoreOf(undone.json().jobId)).state, 'succeeded')
    assert.equal(await rowsIn(database), 2)
  })

  it('whose SQL fails leaves the target as it was', { skip }, async () => {
    await using app = await openRestores(makePlace)
    const serverId = await connect(app)
    const snapshotId = await app.takeSnapshot(serverId, 'shop')
    const database = await former()
    const before = await names()
    const body = { snapshotId, serverId, database, mode: 'replace' }
    const failed = await app.restore({ ...body, runAfter: 'delete from orders; select 1/0' })
    assert.equal(failed.error?.code, 'sql_failed')
    assert.match(failed.error?.message ?? '', /division by zero/)
    assert.equal(await rowsIn(database), 2)
    assert.deepEqual(await names(), before)
  })

  it('brings what belongs to the server back to the server', { skip }, async () => {
    await using app = await openRestores(makePlace)
    const serverId = await connect(app, { isProduction: true })
    const role = `clerk_${++count}`
    await server.query(`create role ${role}`)
    const snapshotId = await app.takeSnapshot(serverId, 'postgres', { dumpOptions: { globals: true } })
    await server.query(`drop role ${role}`)
    const body = { snapshotId, serverId, mode: 'existing' }
    assert.equal((await app.refused({ ...body, confirmation: 'postgres' })).code, 'confirmation_needed')
    assert.equal((await app.refused({ ...body, confirmation: 'pg', mode: 'new' })).code, 'invalid_input')
    assert.equal(
      (await app.refused({ ...body, confirmation: 'shop', database: 'shop' })).code,
      'invalid_input',
    )
    const restored = await app.restore({ ...body, confirmation: 'pg' })
    assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error))
    assert.equal(restored.database, null)
    assert.deepEqual(await server.query(`select rolname from pg_roles where rolname = '${role}'`), [
      { rolname: role },
    ])
  })

  it('tells what the user seems to lack', { skip }, async () => {
    await using app = await openRestores(makePlace)
    const snapshotId = await app.takeSnapshot(await connect(app), 'shop')
    const database = await former()
    const { host, port } = server
    await server.query(`create role weak_${count} login password 'weak'`)
    const weak = await app.addServer('weak', 'postgresql', {
      host,
      port,
      user: `weak_${count}`,
      password: 'weak',
    })
    const body = { snapshotId, serverId: weak, database, mode: 'replace' }
    const check = restoreCheck.parse((await app.ask('POST', '/api/v1/restores/check', body)).json())
    const grants = check.warnings.join('\n')
    assert.match(grants, /CREATEDB/)
    assert.match(grants, /OWNER TO/)
    assert.match(grants, /GRANT SELECT ON TABLE/)
    const failed = await app.restore(body)
    assert.equal(failed.error?.code, 'permission_denied')
    assert.equal(await rowsIn(database), 2)
  })

  it('whose runner is killed is tidied up behind', { skip, timeout: 240_000 }, async () => {
    const place = await makePlace()
    const key = makeKey()
    await using app = await openRestores(async () => place, { sealer: sealer({ current: key }) })
    const serverId = await connect(app)
    const snapshotId = await app.takeSnapshot(serverId, 'shop')
    const database = await former()
    const namesBefore = await names()
    const id = await app.order({
      snapshotId,
      serverId,
      database,
      mode: 'replace',
      runAfter: 'delete from orders; select pg_sleep(600)',
    })

    const { instanceKeys, timeZone, dataDirectory, workDirectory } = app.context
    const context = { instanceKeys, timeZone, dataDirectory, workDirectory }
    const order: RunnerOrder = { place: place.place, key: writeKey(key), context }
    const args = [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '../jobs/killed-runner.ts'),
    ]
    const runner = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] })
    const ended = once(runner, 'exit')
    runner.stdin.end(JSON.stringify(order))
    const isMasking = `select from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`
    while ((await server.query(isMasking)).length === 0) {
      assert.equal(runner.exitCode, null)
      await sleep(50)
    }
    runner.kill('SIGKILL')
    await ended
    assert.equal((await names()).length, namesBefore.length + 1, 'something is left beside the target')

    assert.deepEqual(await reap(app.context, jobKinds), [id])
    assert.equal((await app.restoreOf(id)).error?.code, 'runner_lost')
    await runJobs(app.context)
    assert.deepEqual(await app.tidying(), ['succeeded'])
    assert.deepEqual(await names(), namesBefore)
    assert.equal(await rowsIn(database), 2)
  })

  it('needs no tidying behind it if another one comes first', { skip }, async () => {
    await using app = await openRestores(makePlace)
    const serverId = await connect(app)
    const snapshotId = await app.takeSnapshot(serverId, 'shop')
    const database = `new_${++count}`
    await app.store.db
      .transaction()
      .execute((trx) => enqueueTidying(app.store, trx, app.organizationId, { serverId, database }))
    const restored = await app.restore({ snapshotId, serverId, database })
    assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error))
    assert.deepEqual(await app.tidying(), ['cancelled'])

    const existing = `existing_${++count}`
    await server.query(`create database ${existing}`)
    await app.store.db
      .transaction()
      .execute((trx) => enqueueTidying(app.store, trx, app.organizationId, { serverId, database: existing }))
    const added = await app.restore({ snapshotId, serverId, database: existing, mode: 'existing' })
    assert.equal(added.state, 'succeeded', JSON.stringify(added.error))
    assert.deepEqual(await app.tidying(), ['succeeded', 'cancelled', 'cancelled'], 'that has dropped nothing')
  })
})

describeStores('a restore into MariaDB', (makePlace) => {
  const skip = skipUnless('mariadb10.11')
  let server: MysqlLikeServer
  before(async () => {
    if (skip) return
    server = await startMariadb({ version: '10.11' })
    await server.query('create database shop')
    await server.query('create table shop.orders (id int primary key, email varchar(100))')
    await server.query(`insert into shop.orders values (1, 'a'), (2, 'b')`)
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it(
    'drops a new database whose SQL has failed, and keeps the way back to one that it replaces',
    { skip },
    async () => {
      await using app = await openRestores(makePlace)
      const { host, port, user, password } = server
      const serverId = await app.addServer('db', 'mysql', { host, port, user, password })
      const snapshotId = await app.takeSnapshot(serverId, 'shop')
      const names = async () =>
        (await server.query('show databases')).map((row) => String(Object.values(row)[0]))
      const before = await names()
      const wrong = `update orders set email = 'x'; insert into nonesuch values (1)`
      const database = `masked_${app.store.engine}`
      const failed = await app.restore({ snapshotId, serverId, database, runAfter: wrong })
      assert.equal(failed.error?.code, 'sql_failed')
      assert.match(failed.error?.message ?? '', /nonesuch/)
      assert.deepEqual(await names(), before)

      const runAfter = `delimiter //
      create trigger lower before insert on orders for each row begin set new.email = lower(new.email); end //
      delimiter ;
      start transaction; update orders set email = 'x'`
      const masked = await app.restore({ snapshotId, serverId, database, runAfter })
      assert.equal(masked.state, 'succeeded', JSON.stringify(masked.error))
      const emails = async () =>
        (await server.query(`select email from ${database}.orders`)).map((row) => row['email'])
      assert.deepEqual(await emails(), ['x', 'x'])

      const replacing = await app.restore({
        snapshotId,
        serverId,
        database,
        mode: 'replace',
        runAfter: wrong,
      })
      assert.equal(replacing.error?.code, 'sql_failed')
      assert.deepEqual(await names(), before, 'MySQL cannot restore beside')
      assert.match(replacing.error?.hint ?? '', new RegExp(replacing.safetySnapshotId ?? 'none'))
      const undone = await app.ask('POST', `/api/v1/restores/${replacing.id}/undo`)
      assert.equal(undone.statusCode, 201, undone.body)
      await runJobs(app.context)
      assert.deepEqual(await emails(), ['x', 'x'])
    },
  )
})

describeOnPostgresql('a restore into the server of the app’s own database', (makePlace) => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres({ major: 15 })
    await server.query('create database shop')
    await server.query(FILL, 'shop')
  })
  after(() => server[Symbol.asyncDispose]())
  const elsewhere = () => {
    const { host, port, user, password } = server
    return { host, port, user, password }
  }

  it('never replaces Holdfast’s own database, by whatever name its server is reached', async () => {
    const storePlace = await makePlace()
    assert.ok('url' in storePlace.place)
    const own = new URL(storePlace.place.url)
    await using app = await openRestores(async () => storePlace)
    const snapshotId = await app.takeSnapshot(
      await app.addServer('elsewhere', 'postgresql', elsewhere()),
      'shop',
    )
    const database = own.pathname.slice(1)
    const place = { port: Number(own.port), user: own.username, password: own.password }
    for (const host of ['127.0.0.1', 'localhost']) {
      const serverId = await app.addServer(`own ${host}`, 'postgresql', { ...place, host })
      const body = { snapshotId, serverId, mode: 'replace', endSessions: true }
      const refused = await app.refused({ ...body, database })
      assert.deepEqual([refused.code, refused.errors?.[0]?.field], ['invalid_input', 'database'])
      assert.match(refused.title, /Holdfast keeps/)
      const beside = await app.restore({
        ...body,
        mode: 'new',
        database: `beside_${host.replaceAll('.', '_')}`,
      })
      assert.equal(beside.state, 'succeeded', 'another one on that server is a target like any other')
    }
    await server.query(`create database ${database}`)
    const serverId = await app.addServer('its twin', 'postgresql', elsewhere())
    const twin = await app.restore({ snapshotId, serverId, mode: 'replace', database })
    assert.equal(twin.state, 'succeeded', 'a database of that name elsewhere is another one')
  })
})
