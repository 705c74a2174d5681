import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from '../../src/client/client.ts'
import { readEvents } from '../../src/client/events.ts'
import { skipUnless } from '../servers/needs.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { describeAtLength } from '../servers/share.ts'
import { startApp } from './app.ts'
import { type Desk, openDesk } from './cli.ts'

const shop = {
  name: 'shop',
  engine: 'postgresql',
  connection: { host: '127.0.0.1', port: 1, user: 'backup', password: 'canary-password-1234' },
}

async function serversOf(url: string, token: string): Promise<string[]> {
  const { items } = (await connect({ url, token }).ask('GET /api/v1/servers')).body
  return items.map(({ name }) => name)
}

describe('holdfast token', () => {
  let desk: Desk
  before(async () => (desk = await openDesk()))
  after(() => desk[Symbol.asyncDispose]())

  it('makes a token beside a running app, which takes it at once', async () => {
    const data = join(desk.folder.path, 'data')
    const env = { HOLDFAST_DATA_DIR: data }
    const before = await desk.run(['token', 'create'], { env })
    assert.equal(before.exitCode, 4, before.stderr)
    assert.match(before.stderr, /There is no store of Holdfast/)
    assert.ok(!(await readdir(desk.folder.path)).includes('data'), 'nothing is made where nothing was')

    await using app = await startApp(data)
    assert.ok(app.isUp, app.said())
    const made = await desk.run(['token', 'create', '--name', 'ci'], { env })
    assert.equal(made.exitCode, 0, made.stderr)
    assert.match(made.stdout, /^hf_[\w-]{43}\n$/, 'for a script: nothing but the token')
    assert.deepEqual(await serversOf(app.url, made.stdout.trim()), [])

    const json = await desk.run(['token', 'create', '--json'], { env })
    assert.deepEqual(await serversOf(app.url, JSON.parse(json.stdout).token), [])
    const twin = await desk.run(['token', 'create', '--name', 'ci'], { env })
    assert.equal(twin.exitCode, 1)
    assert.match(twin.stderr, /“ci” already/)
    const nobody = await desk.run(['token', 'create', '--organization', 'nobody'], { env })
    assert.equal(nobody.exitCode, 4)
    assert.match(nobody.stderr, /There are: Default/)
  })
})

describeAtLength('holdfast app migrate-store', { skip: skipUnless('postgres15') }, () => {
  let desk: Desk
  let postgres: PostgresServer
  before(async () => {
    desk = await openDesk()
    postgres = await startPostgres({ major: 15 })
    await postgres.query('create database holdfast')
  })
  after(async () => {
    await desk[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
  })

  it('takes an app to PostgreSQL and back, as it is', async () => {
    const data = join(desk.folder.path, 'data')
    const { user, password, host, port } = postgres
    const url = `postgres://${user}:${password}@${host}:${port}/holdfast`
    let token: string
    {
      await using app = await startApp(data)
      assert.ok(app.isUp, app.said())
      token = app.token ?? assert.fail()
      await connect({ url: app.url, token }).ask('POST /api/v1/servers', { body: shop })
      const refused = await desk.run(['app', 'migrate-store'], {
        env: { HOLDFAST_DATA_DIR: data, HOLDFAST_TARGET_DATABASE_URL: url },
      })
      assert.equal(refused.exitCode, 1)
      assert.match(refused.stderr, /Another Holdfast \(process \d+\) is running/)
      await app.stop()
    }
    const moved = await desk.run(['app', 'migrate-store'], {
      env: { HOLDFAST_DATA_DIR: data, HOLDFAST_TARGET_DATABASE_URL: url },
    })
    assert.equal(moved.exitCode, 0, moved.stderr)
    assert.match(moved.stdout, /servers +1\n/)
    assert.match(moved.stdout, /Set DATABASE_URL/)
    assert.equal(moved.stderr, '')
    assert.ok(!`${moved.stdout}${moved.stderr}`.includes(`:${password}@`))
    {
      await using app = await startApp(data, { env: { DATABASE_URL: url } })
      assert.ok(app.isUp, app.said())
      assert.equal(app.token, token)
      assert.deepEqual(await serversOf(app.url, token), ['shop'])
      await app.stop()
    }
    const back = join(desk.folder.path, 'back')
    await mkdir(back, { mode: 0o700 })
    const returned = await desk.run(['app', 'migrate-store', '--to', back, '--json'], {
      env: { HOLDFAST_DATA_DIR: data, DATABASE_URL: url },
    })
    assert.equal(returned.exitCode, 0, returned.stderr)
    assert.equal(JSON.parse(returned.stdout).to, join(back, 'holdfast.db'))
    assert.ok(!returned.stdout.includes(`:${password}@`))
    await copyFile(join(data, 'app.key'), join(back, 'app.key'))
    await using app = await startApp(back)
    assert.ok(app.isUp, app.said())
    assert.deepEqual(await serversOf(app.url, token), ['shop'])
  })

  it('says what is missing, and warns of a password that all can see', async () => {
    const env = { HOLDFAST_DATA_DIR: join(desk.folder.path, 'none') }
    const nowhere = await desk.run(['app', 'migrate-store'], { env })
    assert.equal(nowhere.exitCode, 2)
    assert.match(nowhere.stderr, /Give --to, or set HOLDFAST_TARGET_DATABASE_URL/)
    const open = await desk.run(['app', 'migrate-store', '--to', 'postgres://me:canary@127.0.0.1:1/x'], {
      env,
    })
    assert.equal(open.exitCode, 4)
    assert.match(open.stderr, /warning: The database URL contains a password.* HOLDFAST_TARGET_DATABASE_URL/)
    assert.doesNotMatch(open.stderr, /canary/)
  })
})

describeAtLength('the key of an app', () => {
  it('changes without anything being lost, and not by mistake', async () => {
    await using desk = await openDesk()
    const data = join(desk.folder.path, 'data')
    const [former = '', next = '', other = ''] = [1, 2, 3].map(
      () => `base64:${randomBytes(32).toString('base64')}`,
    )
    let token: string
    {
      await using app = await startApp(data, { env: { APP_KEY: former } })
      assert.ok(app.isUp, app.said())
      token = app.token ?? assert.fail()
      await connect({ url: app.url, token }).ask('POST /api/v1/servers', { body: shop })
      await app.stop()
    }
    {
      await using app = await startApp(data, { env: { APP_KEY: other } })
      assert.equal((await app.ended).exitCode, 2)
      assert.match(app.said(), /is sealed with the APP_KEY/)
    }
    {
      await using app = await startApp(data, { env: { APP_KEY: next, APP_PREVIOUS_KEYS: former } })
      assert.ok(app.isUp, app.said())
      assert.match(app.said(), /secrets? (was|were) sealed anew/)
      await app.stop()
    }
    {
      await using app = await startApp(data, { env: { APP_KEY: next } })
      assert.ok(app.isUp, app.said())
      assert.doesNotMatch(app.said(), /sealed|warning/)
      assert.deepEqual(await serversOf(app.url, token), ['shop'])
      const tooEarly = ['app', 'accept-key', '--forget-secrets']
      const refused = await desk.run(tooEarly, { env: { HOLDFAST_DATA_DIR: data, APP_KEY: other } })
      assert.equal(refused.exitCode, 1, refused.stderr)
      assert.match(refused.stderr, /is running/)
      await app.stop()
    }
    const env = { HOLDFAST_DATA_DIR: data, APP_KEY: other }
    const refused = await desk.run(['app', 'accept-key'], { env })
    assert.equal(refused.exitCode, 2, refused.stderr)
    assert.match(refused.stderr, /A stored secret is sealed with a key that is not at hand/)
    const accepted = await desk.run(['app', 'accept-key', '--forget-secrets'], { env })
    assert.equal(accepted.exitCode, 0, accepted.stderr)
    assert.match(accepted.stderr, /A secret is lost/)

    const made = await desk.run(['app', 'accept-key'], { env: { HOLDFAST_DATA_DIR: data } })
    assert.equal(made.exitCode, 2, made.stderr)
    assert.match(made.stderr, /A new APP_KEY was made/)
    await rm(join(data, 'app.key'))
    const args = ['app', 'accept-key', '--forget-secrets', '--json']
    const again = await desk.run(args, { env: { HOLDFAST_DATA_DIR: data } })
    assert.equal(again.exitCode, 0, again.stderr)
    assert.match(JSON.parse(again.stdout).notes[0], /A new APP_KEY was made/)
    await using app = await startApp(data)
    assert.ok(app.isUp, app.said())
    assert.deepEqual(await serversOf(app.url, token), ['shop'])
  })
})

describe('holdfast serve', () => {
  it('stops in order while somebody listens to its events', async () => {
    await using desk = await openDesk()
    await using app = await startApp(join(desk.folder.path, 'data'))
    assert.ok(app.isUp, app.said())
    const client = connect({ url: app.url, token: app.token })
    const response = await client.send('GET', '/api/v1/events')
    const events = readEvents(response.body ?? assert.fail())
    await events.next()
    const { exitCode } = await app.stop()
    assert.equal(exitCode, 0)
    await Array.fromAsync(events) // it has ended, and was not broken off
  })
})
