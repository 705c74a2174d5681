import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { PASSWORD } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>

const volume = { name: 'v', kind: 'local', settings: { path: '/srv/backups' } }

async function addProvider({ store }: App, name = 'Keycloak'): Promise<void> {
  const values = { id: name, name, kind: 'oidc', settings: '{}', isEnabled: 1, revision: 1 }
  await store.db
    .insertInto('identityProviders')
    .values({ ...values, rules: '{}', createdAt: store.now, updatedAt: store.now })
    .execute()
}

describeStores('signing in with a password', (makePlace) => {
  it('gives the browser a session, with which it may do what its user may', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add({ role: 'viewer' })
    assert.deepEqual([...person.cookies.keys()], ['holdfast.session'])
    assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 200)
    const refused = await person.request('POST', '/api/v1/volumes', volume)
    assert.equal(refused.statusCode, 403, refused.body)
    assert.equal((await app.app.inject('/api/v1/servers')).statusCode, 401)
  })

  it('says the same of an account that does not exist and of a wrong password', async () => {
    await using app = await openApp(makePlace)
    const { email } = await app.people.add()
    const browser = app.people.browser()
    const wrong = await browser.request('POST', '/api/v1/sign-in', { email, password: 'wrong' })
    const other = { email: 'nobody@example.com', password: 'wrong' }
    const unknown = await browser.request('POST', '/api/v1/sign-in', other)
    assert.equal(wrong.statusCode, 401)
    assert.equal(wrong.json().code, 'sign_in_failed')
    assert.equal(unknown.body, wrong.body)
    assert.equal(browser.cookies.size, 0)
  })

  it('minds neither the case of the e-mail, nor what stands around it', async () => {
    await using app = await openApp(makePlace)
    await app.people.add({ email: 'ada@example.com' })
    const body = { email: ' Ada@Example.COM ', password: PASSWORD }
    assert.equal((await app.people.browser().request('POST', '/api/v1/sign-in', body)).statusCode, 200)
  })

  it('ends when its user signs out', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const cookies = new Map(person.cookies)
    assert.equal((await person.request('POST', '/api/v1/sign-out')).statusCode, 204)
    assert.equal(person.cookies.size, 0)
    for (const [name, value] of cookies) person.cookies.set(name, value)
    assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 401)
    assert.equal(person.cookies.size, 0, 'the browser is told to forget it')
  })

  it('is refused to a disabled account, which is not told whether the password is right', async () => {
    await using app = await openApp(makePlace)
    const { id, email, request } = await app.people.add()
    await app.store.db.updateTable('users').set({ isDisabled: 1 }).where('id', '=', id).execute()
    assert.equal((await request('GET', '/api/v1/servers')).statusCode, 401, 'its sessions are of no use')
    const browser = app.people.browser()
    const refused = await browser.request('POST', '/api/v1/sign-in', { email, password: PASSWORD })
    assert.equal(refused.statusCode, 401, refused.body)
    assert.doesNotMatch(refused.json().title, /disabled/)
    const wrong = await browser.request('POST', '/api/v1/sign-in', { email, password: 'wrong' })
    assert.equal(wrong.json().code, 'sign_in_failed')
    assert.equal(browser.cookies.size, 0)
  })

  it('asks for the second factor where there is one, and gives no session before', async () => {
    await using app = await openApp(makePlace)
    const { id, email } = await app.people.add()
    await app.store.db.updateTable('users').set({ twoFactorEnabled: 1 }).where('id', '=', id).execute()
    await app.store.db.deleteFrom('sessions').execute()
    const browser = app.people.browser()
    const answer = await browser.request('POST', '/api/v1/sign-in', { email, password: PASSWORD })
    assert.deepEqual(answer.json(), { secondFactor: ['totp', 'recovery-code'] })
    assert.equal(browser.cookies.has('holdfast.session'), false)
    assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 401)
    assert.deepEqual(await app.store.db.selectFrom('sessions').selectAll().execute(), [])
  })

  it('can be switched off where there is an identity provider, for everybody', async () => {
    await using app = await openApp(makePlace)
    const { email, request } = await app.people.add({ isInstanceAdministrator: true })
    const off = () => request('PATCH', '/api/v1/instance-settings', { passwordSignIn: false })
    const early = await off()
    assert.equal(early.statusCode, 400)
    assert.match(early.json().title, /without an identity provider/)

    await addProvider(app)
    const switched = await off()
    assert.equal(switched.statusCode, 200, switched.body)
    const browser = app.people.browser()
    const refused = await browser.request('POST', '/api/v1/sign-in', { email, password: PASSWORD })
    assert.equal(refused.statusCode, 403)
    assert.match(refused.json().hint, /a passkey or “Keycloak”.*holdfast users reset-password/)
    const ways = (await browser.request('GET', '/api/v1/sign-in')).json()
    assert.equal(ways.password, false)
    assert.equal(ways.passwordReset, false)
    assert.deepEqual(
      ways.providers.map(({ name }: { name: string }) => name),
      ['Keycloak'],
    )
    assert.equal((await browser.request('POST', '/api/v1/password-reset', { email })).statusCode, 403)
  })
})

describeStores('a session', (makePlace) => {
  it('has a cookie that no script reads, that no other site sends, and of TLS only where there is TLS', async () => {
    await using app = await openApp(makePlace)
    await app.people.add({ email: 'ada@example.com' })
    const cookieOf = async (changes: object) => {
      Object.assign(app.context, { appUrl: undefined, basePath: '', ...changes })
      const { buildApp } = await import('../app.ts')
      const fresh = await buildApp({ ...app.context }, { rateLimit: 0 })
      const answer = await fresh.inject({
        method: 'POST',
        url: '/api/v1/sign-in',
        payload: { email: 'ada@example.com', password: PASSWORD },
        headers: { 'sec-fetch-site': 'same-origin' },
      })
      await fresh.close()
      return String(answer.headers['set-cookie'])
    }
    const plain = await cookieOf({})
    assert.match(plain, /^holdfast\.session=[^;]+; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax$/)
    const secure = await cookieOf({ appUrl: 'https://backups.example.com' })
    assert.match(secure, /^__Host-holdfast\.session=.*Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    assert.match(await cookieOf({ isTls: true }), /^__Host-holdfast\.session=.*Secure/)
    const below = await cookieOf({ isTls: true, basePath: '/backups' })
    assert.match(below, /^__Secure-holdfast\.session=.*Path=\/backups; HttpOnly; Secure/)
  })

  it('is not one whose cookie was made up or changed', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const cookie = decodeURIComponent(person.cookies.get('holdfast.session') ?? '')
    const [token = '', signature = ''] = cookie.split('.')
    const { token: stored } = await app.store.db
      .selectFrom('sessions')
      .select('token')
      .executeTakeFirstOrThrow()
    assert.equal(token, stored)
    for (const forged of [
      token,
      `${token}.`,
      `${token}.${'A'.repeat(43)}=`,
      `x${token}.${signature}`,
      '.',
      '',
    ]) {
      person.cookies.set('holdfast.session', encodeURIComponent(forged))
      assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 401, forged)
    }
    person.cookies.set('holdfast.session', encodeURIComponent(cookie))
    assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 200)
  })

  it('changes nothing for pages of other sites, or for what does not say where it comes from', async () => {
    await using app = await openApp(makePlace)
    const { request } = await app.people.add()
    Object.assign(app.context, { appUrl: 'http://backups.example.com/x' })
    const change = (headers: Record<string, string>) =>
      request('PATCH', '/api/v1/me', { name: 'Mallory' }, { 'sec-fetch-site': undefined, ...headers })
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: 'http://backups.example.com' },
      { origin: 'https://evil.example.com' },
      { origin: 'null' },
      {},
    ] as Record<string, string>[]) {
      const refused = await change(headers)
      assert.equal(refused.statusCode, 403, JSON.stringify(headers))
      assert.equal(refused.json().code, 'forbidden')
    }
    const { name } = (await request('GET', '/api/v1/me')).json().user
    assert.notEqual(name, 'Mallory')
    for (const headers of [
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { origin: 'http://backups.example.com' },
      { origin: 'http://10.0.0.7:7300', host: '10.0.0.7:7300' },
    ] as Record<string, string>[]) {
      const passed = await change(headers)
      assert.equal(passed.statusCode, 200, passed.body)
    }
  })

  it('gives way to a token, which may come from everywhere', async () => {
    await using app = await openApp(makePlace)
    const { request } = await app.people.add({ role: 'viewer' })
    const headers = { authorization: `Bearer ${app.token}`, 'sec-fetch-site': 'cross-site' }
    assert.equal((await request('PATCH', '/api/v1/settings', {}, headers)).statusCode, 200)
    const wrong = await request('GET', '/api/v1/servers', undefined, { authorization: 'Bearer hf_wrong' })
    assert.equal(wrong.statusCode, 401, 'and not the session')
  })

  it('is not begun by a page of another site', async () => {
    await using app = await openApp(makePlace)
    const { email } = await app.people.add()
    const browser = app.people.browser()
    const body = { email, password: PASSWORD }
    const refused = await browser.request('POST', '/api/v1/sign-in', body, { 'sec-fetch-site': 'cross-site' })
    assert.equal(refused.statusCode, 403)
    const form = await app.app.inject({
      method: 'POST',
      url: '/api/v1/sign-in',
      payload: `email=${email}&password=x`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    })
    assert.equal(form.statusCode, 415)
    const text = await app.app.inject({
      method: 'POST',
      url: '/api/v1/sign-in',
      payload: JSON.stringify(body),
      headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' },
    })
    assert.equal(text.statusCode, 415)
  })

  it('ends after so many days without use, and goes on while it is used', async () => {
    await using app = await openApp(makePlace)
    const { request, id } = await app.people.add({ isInstanceAdministrator: true })
    await request('PATCH', '/api/v1/instance-settings', { sessionDays: 2 })
    const day = 86_400_000
    const age = (used: number, left: number) =>
      app.store.db
        .updateTable('sessions')
        .set((eb) => ({
          updatedAt: eb(app.store.now, '-', used),
          expiresAt: eb(app.store.now, '+', left),
        }))
        .where('userId', '=', id)
        .execute()
    const times = async () => {
      const query = app.store.db.selectFrom('sessions').select(['expiresAt', 'updatedAt'])
      const { expiresAt, updatedAt } = await query
        .select(app.store.now.as('now'))
        .executeTakeFirstOrThrow()
        .then(({ now, ...row }) => ({ expiresAt: row.expiresAt - now, updatedAt: row.updatedAt - now }))
      return { left: expiresAt, used: -updatedAt }
    }
    await age(day / 2, day)
    const renewed = await request('GET', '/api/v1/servers')
    assert.ok(renewed.headers['set-cookie'], 'the cookie lasts as long')
    const { left, used } = await times()
    assert.ok(left > 1.9 * day && left <= 2 * day, String(left))
    assert.ok(used < day / 4)

    await age(60_000, day)
    const soon = await request('GET', '/api/v1/servers')
    assert.equal(soon.headers['set-cookie'], undefined, 'within the hour nothing is written')
    assert.ok((await times()).left <= day)

    await age(2 * day, -1)
    assert.equal((await request('GET', '/api/v1/servers')).statusCode, 401)
  })

  it('ends after so many days, however it is used, where the settings say so', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add({ isInstanceAdministrator: true })
    await person.request('PATCH', '/api/v1/instance-settings', { sessionDays: 10, longestSessionDays: 4 })
    const day = 86_400_000
    const days = async () => {
      const query = app.store.db
        .selectFrom('sessions')
        .select(({ eb }) => [eb('expiresAt', '-', app.store.now).as('left')])
      return (await query.where('userId', '=', person.id).execute()).map(({ left }) => left / day)
    }
    const begunBefore = (ago: number) =>
      app.store.db
        .updateTable('sessions')
        .set((eb) => ({
          createdAt: eb(app.store.now, '-', ago * day),
          updatedAt: eb(app.store.now, '-', day / 2),
        }))
        .where('userId', '=', person.id)
        .execute()

    await begunBefore(3)
    assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 200)
    const [left = 0] = await days()
    assert.ok(left > 0.9 && left <= 1, String(left))
    await begunBefore(5)
    await person.request('GET', '/api/v1/servers')
    assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 401)

    await app.store.db.deleteFrom('sessions').execute()
    await person.signInAgain()
    const [fresh = 0] = await days()
    assert.ok(fresh > 3.9 && fresh <= 4, String(fresh))
  })
})
