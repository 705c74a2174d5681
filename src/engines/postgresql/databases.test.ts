import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { skipUnless } from '../../../test/servers/needs.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { AppError } from '../../shared/errors.ts'
import { postgresql } from './index.ts'
import { checkTarget, dropDatabase, exchangeDatabases, renameDatabase } from './databases.ts'
import { quoteName } from './names.ts'
import type { PostgresConnection } from './settings.ts'
import { Client } from 'pg'

const signal = AbortSignal.timeout(120_000)

describe('databases of a PostgreSQL server', { skip: skipUnless('postgres15') }, () => {
  let server: PostgresServer
  let connection: PostgresConnection

  before(async () => {
    server = await startPostgres({ major: 15, tls: { serverNames: ['db.example'] } })
    const { host, port, user, password } = server
    connection = postgresql.connection.parse({ host, port, user, password, tls: 'require' })
  })
  after(() => server?.[Symbol.asyncDispose]())

  /** Someone who has the database open. */
  const visit = async (database: string) => {
    const { host, port, user, password } = server
    const client = new Client({ host, port, user, password, database, ssl: { rejectUnauthorized: false } })
    const left = new Promise<void>((resolve) => client.on('error', () => resolve()))
    await client.connect()
    return { client, left }
  }

  it('are created with encoding, collation, provider, owner and settings of another', async () => {
    await server.query([
      'create role merchant',
      `create database original template template0 encoding 'LATIN1'
      locale_provider icu icu_locale 'de-DE' lc_collate 'C' lc_ctype 'C' owner merchant`,
    ])
    await server.query([
      `alter database original set search_path to "a, b", "$user"`,
      `alter database original set datestyle to 'ISO, DMY'`,
      `alter database original set app.secret to 'canary'`,
    ])
    const facts = await postgresql.describe(connection, 'original', signal)
    assert.equal(JSON.stringify(facts).includes('canary'), false)
    await postgresql.createDatabase(connection, 'copied', facts, signal)
    const { bytes: _, ...copied } = await postgresql.describe(connection, 'copied', signal)
    const { bytes: __, ...original } = facts
    assert.deepEqual(copied, original)
    assert.equal(copied.locale?.['provider'], 'icu')
  })

  it('are owned by whoever creates them if the owner does not exist here', async () => {
    await postgresql.createDatabase(connection, 'orphan', { owner: 'nobody here' }, signal)
    assert.equal((await postgresql.describe(connection, 'orphan', signal)).owner, 'postgres')
  })

  it('are not created with another collation than they were asked for', async () => {
    const create = postgresql.createDatabase(
      connection,
      'klingon',
      { collation: 'tlh_QO.UTF-8', encoding: 'UTF8' },
      signal,
    )
    await assert.rejects(create, (error) => error instanceof AppError && error.code === 'unsupported')
    assert.equal(await postgresql.databaseExists(connection, 'klingon', signal), false)
  })

  it('are listed without those of the system, but with postgres', async () => {
    await server.query('create database azure_maintenance')
    await server.query('create database azure_billing')
    const names = await postgresql.listDatabases(connection, signal)
    for (const listed of ['postgres', 'azure_billing']) assert.ok(names.includes(listed))
    for (const hidden of ['template0', 'template1', 'azure_maintenance']) assert.ok(!names.includes(hidden))
  })

  it('are no targets of a restore if they are the system’s or templates', async () => {
    await server.query('create database mould is_template true')
    for (const name of ['template0', 'template1', 'rdsadmin', 'azure_sys', 'mould']) {
      await assert.rejects(
        checkTarget(connection, name, signal),
        (error) => error instanceof AppError && error.code === 'invalid_input',
        name,
      )
    }
    for (const name of ['postgres', 'azure_billing', 'Template1', 'nobody has it']) {
      await checkTarget(connection, name, signal)
    }
  })

  for (const [title, work] of [
    ['renamed', (options: object) => renameDatabase(connection, 'busy', 'idle', signal, options)],
    ['dropped', (options: object) => dropDatabase(connection, 'busy', signal, options)],
  ] as const) {
    it(`are ${title} under the feet of others only when that is asked for`, async () => {
      await server.query('create database busy')
      const { left } = await visit('busy')
      await assert.rejects(work({}), (error) => error instanceof AppError && error.code === 'database_in_use')
      await work({ endSessions: true })
      await left
      assert.equal(await postgresql.databaseExists(connection, 'busy', signal), false)
      await dropDatabase(connection, 'idle', signal)
    })
  }

  it('are exchanged both or not at all', async () => {
    for (const name of ['shop', 'incoming']) {
      await server.query(`create database ${name}`)
      await server.query(`create table ${name}_was_here (id int)`, name)
    }
    const exchange = (incoming: string) =>
      exchangeDatabases(connection, { incoming, target: 'shop', former: 'shop before' }, signal, {})
    const holds = async (database: string) => {
      const [row] = await server.query('select relname::text from pg_stat_user_tables', database)
      return row?.['relname']
    }
    await assert.rejects(exchange('nothing'), AppError)
    assert.equal(await holds('shop'), 'shop_was_here')
    const { client } = await visit('incoming')
    await assert.rejects(
      exchange('incoming'),
      (error) => error instanceof AppError && error.code === 'database_in_use',
    )
    assert.equal(await holds('shop'), 'shop_was_here')
    await client.end()
    await exchange('incoming')
    assert.equal(await holds('shop'), 'incoming_was_here')
    assert.equal(await holds('shop before'), 'shop_was_here')
  })

  it('can be those that maintenance connects to', async () => {
    const home = { ...connection, maintenanceDatabase: 'at home' }
    await server.query('create database "at home"')
    await renameDatabase(home, 'at home', 'away', signal)
    await dropDatabase({ ...connection, maintenanceDatabase: 'away' }, 'away', signal)
    assert.equal(await postgresql.databaseExists(connection, 'away', signal), false)
  })

  it('are counted at one moment, table by table', async () => {
    await server.query('create database counted')
    await server.query(
      [
        'create table "a.b" (id int)',
        'insert into "a.b" values (1), (2)',
        'create table p (id int) partition by list (id)',
        'create table p1 partition of p for values in (1)',
        'insert into p values (1)',
        'create view v as select 1',
      ],
      'counted',
    )
    assert.deepEqual(await postgresql.countRows(connection, 'counted', signal), {
      'public."a.b"': 2,
      'public.p1': 1,
    })
  })

  it('stop being asked at once when the job is cancelled', async () => {
    const controller = new AbortController()
    const counting = postgresql.countRows(connection, 'postgres', controller.signal)
    controller.abort(new Error('enough'))
    await assert.rejects(counting, /enough/)
  })

  it('are backed up by a user whom our statements create, who can change nothing', async () => {
    await server.query('create database guarded')
    await server.query(
      [
        'create table t (id int)',
        'insert into t values (1)',
        'alter table t enable row level security',
        'create schema s',
        'create sequence s.q',
      ],
      'guarded',
    )
    const user = 'backup "user"'
    const facts = await postgresql.inspect(connection, signal)
    for (const version of [facts.version, '13.22']) {
      for (const statement of postgresql.backupUserStatements(user, 'guarded', { ...facts, version })) {
        await server.query(statement.replace('<password>', 'its password'), 'guarded')
      }
      const modest = { ...connection, user, password: 'its password' }
      assert.deepEqual(await postgresql.missingPrivileges(modest, 'guarded', signal), [], version)
      await server.query([`drop owned by ${quoteName(user)}`], 'guarded')
      await server.query(
        [`revoke all on database guarded from ${quoteName(user)}`, `drop role ${quoteName(user)}`],
        'guarded',
      )
    }
  })

  it('name the grant that lets a user connect, when that is what is missing', async () => {
    await server.query([
      'create database closed',
      'revoke connect on database closed from public',
      `create role outsider login password 'x'`,
    ])
    const outsider = { ...connection, user: 'outsider', password: 'x' }
    const [missing] = await postgresql.missingPrivileges(outsider, 'closed', signal)
    assert.equal(missing?.grant, 'GRANT CONNECT ON DATABASE "closed" TO "outsider"')
  })

  it('are behind a certificate for another name: verify-ca does not mind, verify-full does', async () => {
    const ca = server.certificates?.ca
    assert.equal(
      (await postgresql.inspect({ ...connection, tls: 'verify-ca', tlsCa: ca }, signal)).tls,
      'TLSv1.3',
    )
    const full = { ...connection, tls: 'verify-full' as const, tlsCa: ca }
    await assert.rejects(postgresql.inspect(full, signal), (error) => {
      return (
        error instanceof AppError && error.code === 'tls_failed' && /not for the host/.test(error.message)
      )
    })
  })
})
