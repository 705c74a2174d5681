import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeStores } from '../../store/test-bed.ts'
import type { Browser } from '../sign-in/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { makeAuthenticator } from './test-bed.ts'

const usual = { rpId: 'localhost', origin: 'http://localhost' }

async function challengeOf(browser: Browser, url: string): Promise<string> {
  const answer = await browser.request('POST', url)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json().challenge
}

const toAdd = (browser: Browser) => challengeOf(browser, '/api/v1/me/passkeys/options')
const toSignIn = (browser: Browser) => challengeOf(browser, '/api/v1/sign-in/passkey/options')

async function add(browser: Browser, name = 'laptop', more: object = {}) {
  const authenticator = makeAuthenticator()
  const response = authenticator.create({ ...usual, challenge: await toAdd(browser), ...more })
  const answer = await browser.request('POST', '/api/v1/me/passkeys', { name, response })
  return { authenticator, answer }
}

async function signIn(
  browser: Browser,
  authenticator: ReturnType<typeof makeAuthenticator>,
  more: Partial<Parameters<typeof authenticator.get>[0]> = {},
) {
  const response = authenticator.get({ ...usual, challenge: await toSignIn(browser), ...more })
  return await browser.request('POST', '/api/v1/sign-in/passkey', { response })
}

describeStores('passkeys', (makePlace) => {
  it('sign in without a name, and without a second factor', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add({ role: 'viewer' })
    const begun = await person.request('POST', '/api/v1/me/passkeys/options')
    const { rp, user, authenticatorSelection } = begun.json()
    assert.deepEqual(
      [rp.id, user.name, authenticatorSelection.residentKey, authenticatorSelection.userVerification],
      ['localhost', person.email, 'required', 'required'],
    )
    const { authenticator, answer } = await add(person, 'laptop', { isBackedUp: true })
    assert.equal(answer.statusCode, 201, answer.body)
    const { id, ...shown } = answer.json()
    assert.deepEqual(
      { ...shown, createdAt: '' },
      {
        name: 'laptop',
        transports: ['internal'],
        mayBeBackedUp: true,
        isBackedUp: true,
        createdAt: '',
        lastUsedAt: null,
      },
    )
    await app.store.db.updateTable('users').set({ twoFactorEnabled: 1 }).execute()
    const browser = app.people.browser()
    const userHandle = Buffer.from(person.id).toString('base64url')
    const signedIn = await signIn(browser, authenticator, { userHandle, isBackedUp: true })
    assert.equal(signedIn.statusCode, 200, signedIn.body)
    assert.deepEqual([...browser.cookies.keys()], ['holdfast.session'])
    assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 200)
    const { items } = (await browser.request('GET', '/api/v1/me/passkeys')).json()
    assert.equal(items.length, 1)
    assert.ok(items[0].lastUsedAt)
    const sessions = await app.store.db.selectFrom('sessions').select('method').orderBy('id').execute()
    assert.equal(sessions.at(-1)?.method, 'passkey')

    const renamed = await browser.request('PATCH', `/api/v1/me/passkeys/${id}`, { name: 'phone' })
    assert.equal(renamed.json().name, 'phone')
    assert.equal((await browser.request('DELETE', `/api/v1/me/passkeys/${id}`)).statusCode, 204)
    assert.equal((await signIn(app.people.browser(), authenticator)).json().code, 'passkey_refused')
  })

  it('work where passwords are switched off', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const { authenticator } = await add(person)
    const settings = { discoveryUrl: 'https://sso.example.com/', clientId: 'x' }
    await app.ask('POST', '/api/v1/identity-providers', { name: 'Company', kind: 'oidc', settings })
    const off = await app.ask('PATCH', '/api/v1/instance-settings', { passwordSignIn: false })
    assert.equal(off.statusCode, 200, off.body)
    assert.equal((await signIn(app.people.browser(), authenticator)).statusCode, 200)
  })

  it('are refused for another challenge, page, host or kind, and without their user', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const refusedAtFirst = [
      { challenge: 'AAAA' },
      { origin: 'http://evil.test' },
      { rpId: 'evil.test' },
      { isVerified: false },
      { type: 'webauthn.get' },
    ]
    for (const wrong of refusedAtFirst) {
      const { answer } = await add(person, 'wrong', wrong)
      assert.equal(answer.json().code, 'passkey_refused', JSON.stringify(wrong))
    }
    const { authenticator } = await add(person)
    const refusedLater = [
      ...refusedAtFirst.slice(0, 4),
      { type: 'webauthn.create' },
      { userHandle: Buffer.from('somebody').toString('base64url') },
    ]
    for (const wrong of refusedLater) {
      const browser = app.people.browser()
      assert.equal((await signIn(browser, authenticator, wrong)).json().code, 'passkey_refused')
      assert.equal(browser.cookies.size, 0)
    }
    const stranger = makeAuthenticator()
    const forged = {
      ...stranger,
      get: (ceremony: Parameters<typeof stranger.get>[0]) => ({
        ...stranger.get(ceremony),
        id: authenticator.credentialId,
        rawId: authenticator.credentialId,
      }),
    }
    assert.equal((await signIn(app.people.browser(), forged)).json().code, 'passkey_refused')
    assert.equal((await signIn(app.people.browser(), authenticator)).statusCode, 200)
  })

  it('answer each challenge once, in the browser that asked', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const { authenticator } = await add(person)
    const browser = app.people.browser()
    const response = authenticator.get({ ...usual, challenge: await toSignIn(browser) })
    const kept = new Map(browser.cookies)
    const send = (one: Browser) => one.request('POST', '/api/v1/sign-in/passkey', { response })
    assert.equal((await send(app.people.browser())).json().code, 'sign_in_expired')
    assert.equal((await send(browser)).statusCode, 200)
    const other = app.people.browser()
    for (const [name, value] of kept) other.cookies.set(name, value)
    assert.equal((await send(other)).json().code, 'sign_in_expired')

    const late = makeAuthenticator()
    const created = late.create({ ...usual, challenge: await toAdd(person) })
    const somebody = await app.people.add()
    for (const [name, value] of person.cookies) {
      if (!name.includes('session')) somebody.cookies.set(name, value)
    }
    const stolen = await somebody.request('POST', '/api/v1/me/passkeys', { name: 'x', response: created })
    assert.equal(stolen.json().code, 'passkey_refused')
  })

  it('whose counter goes back are refused: there may be a copy', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const { authenticator } = await add(person, 'key', { counter: 7 })
    const next = async (counter: number) => await signIn(app.people.browser(), authenticator, { counter })
    assert.equal((await next(8)).statusCode, 200)
    const refused = await next(8)
    assert.match(refused.json().title, /copy/)
    assert.equal((await next(3)).statusCode, 400)
    assert.equal((await next(0)).statusCode, 400)
    assert.equal((await next(9)).statusCode, 200)
  })

  it('of a disabled user sign nobody in', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const { authenticator } = await add(person)
    await app.store.db.updateTable('users').set({ isDisabled: 1 }).execute()
    const browser = app.people.browser()
    assert.equal((await signIn(browser, authenticator)).json().code, 'forbidden')
    assert.equal(browser.cookies.size, 0)
  })

  it('are one’s own, and the last way to sign in stays', async () => {
    await using app = await openApp(makePlace)
    const [person, stranger] = [await app.people.add(), await app.people.add()]
    const { id } = (await add(person)).answer.json()
    const url = `/api/v1/me/passkeys/${id}`
    assert.equal((await stranger.request('PATCH', url, { name: 'mine' })).statusCode, 404)
    assert.equal((await stranger.request('DELETE', url)).statusCode, 404)
    assert.equal((await app.ask('GET', '/api/v1/me/passkeys')).statusCode, 403, 'with a token')
    await app.store.db.deleteFrom('accounts').where('userId', '=', person.id).execute()
    assert.equal((await person.request('DELETE', url)).json().code, 'last_way_to_sign_in')
    await add(person, 'another')
    assert.equal((await person.request('DELETE', url)).statusCode, 204)
  })

  it('are fifty at most, also if they are added at once', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const values = Array.from({ length: 49 }, (_, n) => ({
      id: `p${n}`,
      userId: person.id,
      name: 'p',
      credentialId: `c${n}`,
      publicKey: 'k',
      counter: 0,
      transports: '[]',
      mayBeBackedUp: 0,
      isBackedUp: 0,
      createdAt: app.store.now,
    }))
    await app.store.db.insertInto('passkeys').values(values).execute()
    const browsers = [person, await person.signInAgain()]
    const begun: { browser: Browser; challenge: string }[] = []
    for (const browser of browsers) begun.push({ browser, challenge: await toAdd(browser) })
    const codes: unknown[] = []
    for (const { browser, challenge } of begun) {
      const response = makeAuthenticator().create({ ...usual, challenge })
      const answer = await browser.request('POST', '/api/v1/me/passkeys', { name: 'last', response })
      codes.push(answer.json().code)
    }
    assert.deepEqual(codes, [undefined, 'quota_reached'])
  })

  it('are not added once the account was signed out, or its password changed', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const challenge = await toAdd(person)
    const change = { current: person.password, new: 'Seven quiet lanterns' }
    assert.equal((await person.request('POST', '/api/v1/me/password', change)).statusCode, 204)
    const response = makeAuthenticator().create({ ...usual, challenge })
    const answer = await person.request('POST', '/api/v1/me/passkeys', { name: 'late', response })
    assert.equal(answer.json().code, 'sign_in_expired', answer.body)
  })

  it('leave nothing in the store of an answer that proves nothing', async () => {
    await using app = await openApp(makePlace)
    const { authenticator } = await add(await app.people.add())
    const rows = async () => (await app.store.db.selectFrom('verifications').select('id').execute()).length
    const before = await rows()
    const unknown = await signIn(app.people.browser(), makeAuthenticator())
    const forged = await signIn(app.people.browser(), authenticator, { origin: 'http://evil.test' })
    assert.deepEqual([unknown.json().code, forged.json().code], ['passkey_refused', 'passkey_refused'])
    assert.equal(await rows(), before)
  })

  it('take nothing from another site', async () => {
    await using app = await openApp(makePlace)
    const cross = { 'sec-fetch-site': 'cross-site' }
    const browser = app.people.browser()
    const answer = await browser.request('POST', '/api/v1/sign-in/passkey/options', undefined, cross)
    assert.equal(answer.statusCode, 403)
  })
})
