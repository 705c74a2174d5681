import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startApp } from './app.ts'
import { type Desk, openDesk } from './cli.ts'

const PASSWORD = 'Nacre-tiled 7 harbours'
const NEXT = 'Seven quiet lanterns'

async function post(url: string, path: string, body: object) {
  const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return { status: response.status, cookie, text: await response.text() }
}

async function statusOf(url: string, cookie: string): Promise<number> {
  return (await fetch(`${url}/api/v1/me`, { headers: { cookie } })).status
}

describe('holdfast users', () => {
  let desk: Desk
  before(async () => (desk = await openDesk()))
  after(() => desk[Symbol.asyncDispose]())

  it('makes accounts, lists them, and lets people in again, beside a running app', async () => {
    const data = join(desk.folder.path, 'data')
    await using app = await startApp(data)
    assert.ok(app.isUp, app.said())
    const env = { HOLDFAST_DATA_DIR: data, HOLDFAST_PORT: app.port }
    const [file, next] = [join(desk.folder.path, 'password'), join(desk.folder.path, 'next')]
    await writeFile(file, `${PASSWORD}\n`)
    await writeFile(next, NEXT)
    const users = (...args: string[]) => desk.run(['users', ...args], { env })

    const add = ['add', 'Ada@example.com', '--name', 'Ada', '--role', 'Admin', '--instance-administrator']
    const unasked = await users(...add)
    assert.equal(unasked.exitCode, 2)
    assert.match(unasked.stderr, /standard input is no terminal/)
    const added = await users(...add, '--password-file', file)
    assert.equal(added.exitCode, 0, added.stderr)
    assert.match(added.stdout, /ada@example\.com has an account, and is “Admin” of “Default”/)
    const twin = await users(...add, '--password-file', file)
    assert.equal(twin.exitCode, 1)
    const stranger = await users(
      'add',
      'b@example.com',
      '--name',
      'B',
      '--role',
      'King',
      '--password-file',
      file,
    )
    assert.match(stranger.stderr, /no role “King”/)

    const signIn = (password: string) =>
      post(app.url, '/api/v1/sign-in', { email: 'ada@example.com', password })
    const { status, cookie, text } = await signIn(PASSWORD)
    assert.equal(status, 200, text)
    assert.equal(await statusOf(app.url, cookie), 200)
    assert.equal(
      (
        await post(app.url, '/api/v1/setup', {
          token: app.setupToken,
          name: 'x',
          email: 'x@example.com',
          password: NEXT,
        })
      ).status,
      409,
    )

    const reset = await users('reset-password', 'ada@example.com', '--password-file', next)
    assert.equal(reset.exitCode, 0, reset.stderr)
    assert.equal(await statusOf(app.url, cookie), 401, 'signed out everywhere')
    assert.equal((await signIn(PASSWORD)).status, 401)
    assert.equal((await signIn(NEXT)).status, 200)
    const weak = await users('reset-password', 'ada@example.com', '--password-file', '/dev/null')
    assert.equal(weak.exitCode, 2)
    assert.match(weak.stderr, /too short/)

    const linked = await users('reset-password', 'ada@example.com', '--link')
    assert.equal(linked.exitCode, 0, linked.stderr)
    const [, origin, token] = /^(.*)\/sign-in\/link#token=([\w-]{43})\n$/.exec(linked.stdout) ?? []
    assert.equal(origin, app.url)
    const followed = await post(app.url, '/api/v1/sign-in/link', { token })
    assert.equal(followed.status, 200, followed.text)
    assert.equal(await statusOf(app.url, followed.cookie), 200)

    const listed = await users('ls')
    assert.match(listed.stdout, /ada@example\.com +Ada +Default \(Admin\) +password +instance administrator/)
    const { items } = JSON.parse((await users('list', '--json')).stdout)
    assert.equal(items.length, 1)
    assert.equal(items[0].email, 'ada@example.com')
    const nobody = await users('reset-password', 'nobody@example.com', '--link')
    assert.equal(nobody.exitCode, 4)
    for (const said of [linked, listed, reset, added]) assert.ok(!said.stderr.includes(PASSWORD))
  })

  it('lets in whoever was disabled, has lost the second factor, or may use no password', async () => {
    const { openStore } = await import('../../src/store/database.ts')
    const data = join(desk.folder.path, 'other')
    const admin = { HOLDFAST_ADMIN_EMAIL: 'ops@example.com', HOLDFAST_ADMIN_PASSWORD: PASSWORD }
    {
      await using app = await startApp(data, { env: admin })
      assert.ok(app.isUp, app.said())
      assert.match(
        app.said(),
        /The account ops@example\.com was made, with the password of HOLDFAST_ADMIN_PASSWORD/,
      )
      assert.equal(app.setupToken, undefined)
      assert.ok(!app.said().includes(PASSWORD))
      assert.equal((await app.stop()).exitCode, 0)
    }
    {
      await using store = await openStore({ path: join(data, 'holdfast.db') })
      await store.db.updateTable('users').set({ isDisabled: 1, twoFactorEnabled: 1 }).execute()
      await store.db
        .insertInto('instanceSettings')
        .values({ id: 'instance', content: '{"passwordSignIn":false}', revision: 1, updatedAt: 0 })
        .execute()
    }
    await using app = await startApp(data, { env: admin })
    assert.ok(app.isUp, app.said())
    assert.doesNotMatch(app.said(), /ops@example\.com|setup/, 'there is an account')
    const env = { HOLDFAST_DATA_DIR: data, APP_URL: 'https://backups.example.com' }
    const early = await desk.run(['users', 'reset-password', 'ops@example.com'], { env })
    assert.match(early.stderr, /Passwords are switched off: a link is made instead/)
    assert.match(early.stderr, /The account is disabled/)
    const args = ['users', 'reset-password', 'ops@example.com', '--enable', '--without-second-factor']
    const done = await desk.run(args, { env })
    assert.equal(done.exitCode, 0, done.stderr)
    const token = /^https:\/\/backups\.example\.com\/sign-in\/link#token=([\w-]{43})\n$/.exec(
      done.stdout,
    )?.[1]
    const followed = await post(app.url, '/api/v1/sign-in/link', { token })
    assert.equal(followed.status, 200, followed.text)
    const me = await fetch(`${app.url}/api/v1/me`, { headers: { cookie: followed.cookie } })
    const { user } = (await me.json()) as { user: { hasSecondFactor: boolean } }
    assert.equal(user.hasSecondFactor, false)
  })

  it('does not start with half of an administrator, or a password that others would guess', async () => {
    const data = join(desk.folder.path, 'third')
    await using half = await startApp(data, { env: { HOLDFAST_ADMIN_EMAIL: 'ops@example.com' } })
    assert.equal((await half.ended).exitCode, 2)
    assert.match(half.said(), /HOLDFAST_ADMIN_PASSWORD: is not set, but HOLDFAST_ADMIN_EMAIL is/)
    const env = { HOLDFAST_ADMIN_EMAIL: 'ops@example.com', HOLDFAST_ADMIN_PASSWORD: 'changeme1234' }
    await using weak = await startApp(data, { env })
    assert.equal((await weak.ended).exitCode, 2)
    assert.match(weak.said(), /HOLDFAST_ADMIN_PASSWORD: the password is /)
    assert.doesNotMatch(weak.said(), /changeme1234/)
  })
})
