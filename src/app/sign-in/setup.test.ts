import assert from 'node:assert/strict'
import { it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { makeFirstAdministrator, openSetup } from './setup.ts'
import { PASSWORD } from './test-bed.ts'

const ada = { name: 'Ada', email: 'Ada@Example.com', password: PASSWORD }

describeBothStores('the first account', (makePlace) => {
  it('is made with the token of the start, administers the instance, and is signed in', async () => {
    await using app = await openApp(makePlace)
    const browser = app.people.browser()
    assert.deepEqual((await browser.request('GET', '/api/v1/setup')).json(), { isOpen: false })
    const token = await openSetup(app.store)
    assert.deepEqual((await browser.request('GET', '/api/v1/setup')).json(), { isOpen: true })
    const made = await browser.request('POST', '/api/v1/setup', { ...ada, token, organization: 'Engines' })
    assert.equal(made.statusCode, 200, made.body)

    const me = (await browser.request('GET', '/api/v1/me')).json()
    assert.equal(me.user.email, 'ada@example.com')
    assert.equal(me.isInstanceAdministrator, true)
    assert.equal(me.organization.name, 'Engines')
    assert.deepEqual((await browser.request('GET', '/api/v1/setup')).json(), { isOpen: false })
    const member = await app.store.db.selectFrom('memberships').selectAll().executeTakeFirstOrThrow()
    assert.equal(member.roleId, `${app.organizationId}-admin`)
    assert.equal(await openSetup(app.store), undefined, 'the next start offers nothing')
  })

  it('is one, however many try at once', async () => {
    await using app = await openApp(makePlace)
    const token = await openSetup(app.store)
    const tries = Array.from({ length: 8 }, async (_, n) => {
      const body = { ...ada, email: `ada${n}@example.com`, token }
      return (await app.people.browser().request('POST', '/api/v1/setup', body)).statusCode
    })
    const answers = (await Promise.all(tries)).toSorted((a, b) => a - b)
    assert.deepEqual(answers, [200, ...Array<number>(7).fill(409)])
    assert.equal((await app.store.db.selectFrom('users').selectAll().execute()).length, 1)
  })

  it('is not made with another token, also not with that of a former start', async () => {
    await using app = await openApp(makePlace)
    const former = await openSetup(app.store)
    await openSetup(app.store)
    for (const token of [former, 'guessed']) {
      const refused = await app.people.browser().request('POST', '/api/v1/setup', { ...ada, token })
      assert.equal(refused.statusCode, 403, refused.body)
    }
    assert.deepEqual(await app.store.db.selectFrom('users').selectAll().execute(), [])
  })

  it('is made by nobody who guesses for long', async () => {
    await using app = await openApp(makePlace)
    await openSetup(app.store)
    let answer
    for (let n = 0; n < 31; n++) {
      answer = await app.people.browser().request('POST', '/api/v1/setup', { ...ada, token: `guess ${n}` })
    }
    assert.equal(answer?.statusCode, 429)
  })

  it('keeps its token for another try if the password is one that others would guess', async () => {
    await using app = await openApp(makePlace)
    const token = await openSetup(app.store)
    const browser = app.people.browser()
    const bad = { ...ada, password: 'password1234', token }
    const refused = await browser.request('POST', '/api/v1/setup', bad)
    assert.equal(refused.statusCode, 400)
    assert.deepEqual(refused.json().errors[0].field, 'password')
    assert.doesNotMatch(refused.body, /password1234/)
    const made = await browser.request('POST', '/api/v1/setup', { ...ada, token })
    assert.equal(made.statusCode, 200)
  })

  it('is never made from a page of another site, or of none', async () => {
    await using app = await openApp(makePlace)
    const token = await openSetup(app.store)
    const foreign = { 'sec-fetch-site': 'cross-site' }
    const refused = await app.people.browser().request('POST', '/api/v1/setup', { ...ada, token }, foreign)
    assert.equal(refused.statusCode, 403)
    const bare = await app.app.inject({ method: 'POST', url: '/api/v1/setup', payload: { ...ada, token } })
    assert.equal(bare.statusCode, 403)
  })

  it('is made by the environment, once, by one of several nodes', async () => {
    await using app = await openApp(makePlace)
    const administrator = { email: 'ops@example.com', password: PASSWORD }
    const made = await Promise.all([1, 2, 3].map(() => makeFirstAdministrator(app.store, administrator)))
    assert.equal(made.filter(Boolean).length, 1)
    assert.equal(await makeFirstAdministrator(app.store, { ...administrator, password: 'short' }), false)
    const browser = app.people.browser()
    assert.equal((await browser.request('POST', '/api/v1/sign-in', administrator)).statusCode, 200)
    assert.deepEqual((await browser.request('GET', '/api/v1/setup')).json(), { isOpen: false })
  })

  it('is not made by the environment with a password that others would guess', async () => {
    await using app = await openApp(makePlace)
    const administrator = { email: 'ops@example.com', password: 'administrator' }
    await assert.rejects(makeFirstAdministrator(app.store, administrator), (error) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.code, 'configuration_invalid')
      assert.match(error.message, /^HOLDFAST_ADMIN_PASSWORD: the password is /)
      assert.doesNotMatch(error.message, /administrator\b.*administrator/)
      return true
    })
  })
})
