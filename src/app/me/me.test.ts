import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeStores } from '../../store/test-bed.ts'
import { makeOrganization } from '../organizations/organizations.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import { PASSWORD } from '../sign-in/test-bed.ts'
import { openApp } from '../test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>

const NEXT = 'Seven quiet lanterns'

async function addOrganization({ store }: App, name: string): Promise<string> {
  return await store.db.transaction().execute((trx) => makeOrganization(store, trx, name))
}

describeStores('one’s own account', (makePlace) => {
  it('is who one is, where, and what one may', async () => {
    await using app = await openApp(makePlace)
    await addOrganization(app, 'Other')
    const { id, name, email, request } = await app.people.add({ role: 'viewer' })
    const organization = { id: app.organizationId, name: 'Default' }
    assert.deepEqual((await request('GET', '/api/v1/me')).json(), {
      user: { id, name, email, hasPassword: true, hasSecondFactor: false },
      organization,
      organizations: [organization],
      role: { id: builtInRoleId(app.organizationId, 'viewer'), name: 'Viewer' },
      abilities: ['view'],
      servers: null,
      isInstanceAdministrator: false,
      lacksSecondFactor: false,
    })
  })

  it('has a name that can be changed', async () => {
    await using app = await openApp(makePlace)
    const { request } = await app.people.add()
    const changed = await request('PATCH', '/api/v1/me', { name: ' Ada ' })
    assert.equal(changed.json().user.name, 'Ada')
    assert.equal((await request('PATCH', '/api/v1/me', { email: 'x@example.com' })).statusCode, 400)
    assert.equal((await request('PATCH', '/api/v1/me', { isInstanceAdministrator: true })).statusCode, 400)
  })

  it('gets another password only for the current one, and is then signed out everywhere else', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const other = await person.signInAgain()
    const stranger = await app.people.add()
    const change = (body: object) => person.request('POST', '/api/v1/me/password', body)
    const wrong = await change({ current: 'wrong', new: NEXT })
    assert.equal(wrong.statusCode, 401)
    assert.equal(wrong.json().errors[0].field, 'current')
    const bad = await change({ current: PASSWORD, new: person.email })
    assert.equal(bad.statusCode, 400)
    assert.equal(bad.json().errors[0].field, 'new')
    assert.equal((await change({ current: PASSWORD, new: PASSWORD })).statusCode, 400)
    assert.equal((await other.request('GET', '/api/v1/me')).statusCode, 200, 'nothing has happened yet')

    assert.equal((await change({ current: PASSWORD, new: NEXT })).statusCode, 204)
    assert.equal((await person.request('GET', '/api/v1/me')).statusCode, 200)
    assert.equal((await other.request('GET', '/api/v1/me')).statusCode, 401)
    assert.equal((await stranger.request('GET', '/api/v1/me')).statusCode, 200)
    const { email } = person
    const signIn = (password: string) =>
      app.people.browser().request('POST', '/api/v1/sign-in', { email, password })
    assert.equal((await signIn(PASSWORD)).statusCode, 401)
    assert.equal((await signIn(NEXT)).statusCode, 200)
  })

  it('does not give its password to whoever has found a session and guesses', async () => {
    await using app = await openApp(makePlace)
    const { request } = await app.people.add()
    const codes: number[] = []
    for (let n = 0; n < 7; n++) {
      const answer = await request('POST', '/api/v1/me/password', { current: `guess ${n}`, new: NEXT })
      codes.push(answer.statusCode)
    }
    assert.deepEqual(codes, [401, 401, 401, 401, 401, 429, 429])
  })

  it('is for its user to change, and for no token', async () => {
    await using app = await openApp(makePlace)
    const { request } = await app.people.add()
    const { token } = (await request('POST', '/api/v1/tokens', { name: 'ci' })).json()
    const ask = (authorization: string, method: 'GET' | 'PATCH' | 'DELETE', url: string) =>
      app.app.inject({ method, url, headers: { authorization }, ...(method === 'PATCH' && { payload: {} }) })
    const me = await ask(`Bearer ${token}`, 'GET', '/api/v1/me')
    assert.equal(me.statusCode, 200, me.body)
    assert.equal(typeof me.json().user.id, 'string')
    assert.equal((await ask(`Bearer ${app.token}`, 'GET', '/api/v1/me')).json().user, null)
    for (const [method, url] of [
      ['PATCH', '/api/v1/me'],
      ['GET', '/api/v1/me/sessions'],
      ['DELETE', '/api/v1/me/sessions'],
    ] as const) {
      const own = await ask(`Bearer ${token}`, method, url)
      assert.equal(own.statusCode, 403, url)
      assert.match(own.json().title, /A token may not change the account of its owner/)
      assert.equal((await ask(`Bearer ${app.token}`, method, url)).statusCode, 403, 'nobody’s, too')
    }
  })
})

describeStores('one’s sessions', (makePlace) => {
  it('are listed with where they come from, and never with what their cookies carry', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const other = await person.signInAgain()
    await app.people.add()
    const listed = await person.request('GET', '/api/v1/me/sessions')
    const { items } = listed.json()
    assert.equal(items.length, 2)
    assert.equal(items.filter(({ isCurrent }: { isCurrent: boolean }) => isCurrent).length, 1)
    for (const item of items) {
      assert.equal(item.method, 'password')
      assert.equal(item.address, '127.0.0.1')
      assert.equal(item.userAgent, 'Browser of a test')
    }
    const cookie = decodeURIComponent(other.cookies.get('holdfast.session') ?? '').split('.')[0] ?? ''
    assert.ok(cookie.length > 20 && !listed.body.includes(cookie))
  })

  it('can be ended, one or all others, and none of anybody else', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const [second, third, fourth] = [
      await person.signInAgain(),
      await person.signInAgain(),
      await person.signInAgain(),
    ]
    const stranger = await app.people.add()
    const idOf = async ({ request }: typeof second) =>
      (await request('GET', '/api/v1/me/sessions'))
        .json()
        .items.find(({ isCurrent }: { isCurrent: boolean }) => isCurrent).id
    const foreign = await idOf(stranger)
    assert.equal((await person.request('DELETE', `/api/v1/me/sessions/${foreign}`)).statusCode, 404)
    assert.equal(
      (await person.request('DELETE', `/api/v1/me/sessions/${await idOf(second)}`)).statusCode,
      204,
    )
    assert.equal((await second.request('GET', '/api/v1/me')).statusCode, 401)
    assert.equal((await third.request('GET', '/api/v1/me')).statusCode, 200)
    const ended = await person.request('DELETE', '/api/v1/me/sessions')
    assert.deepEqual(ended.json(), { ended: 2 })
    assert.equal((await fourth.request('GET', '/api/v1/me')).statusCode, 401)
    assert.equal((await person.request('GET', '/api/v1/me')).statusCode, 200)
    assert.equal((await stranger.request('GET', '/api/v1/me')).statusCode, 200)
  })

  it('switch to another organization of their user, and to no other', async () => {
    await using app = await openApp(makePlace)
    const [mine, foreign] = [await addOrganization(app, 'Mine'), await addOrganization(app, 'Foreign')]
    const person = await app.people.add({ role: 'admin' })
    const values = { organizationId: mine, userId: person.id, roleId: `${mine}-viewer` }
    await app.store.db
      .insertInto('memberships')
      .values({ ...values, createdAt: app.store.now })
      .execute()
    const other = await person.signInAgain()
    const change = (id: string) => person.request('POST', '/api/v1/me/organization', { id })
    for (const id of [foreign, 'nothing']) assert.equal((await change(id)).statusCode, 404)
    const switched = await change(mine)
    assert.equal(switched.statusCode, 200, switched.body)
    assert.deepEqual(switched.json().organization, { id: mine, name: 'Mine' })
    assert.deepEqual(switched.json().abilities, ['view'])
    assert.deepEqual((await person.request('GET', '/api/v1/me')).json().organization.id, mine)
    assert.equal((await other.request('GET', '/api/v1/me')).json().organization.id, app.organizationId)
    await app.store.db.deleteFrom('memberships').where('organizationId', '=', mine).execute()
    const back = (await person.request('GET', '/api/v1/me')).json()
    assert.equal(back.organization.id, app.organizationId, 'whoever was put out is in the other one')
  })

  it('of who administers the instance switch to any', async () => {
    await using app = await openApp(makePlace)
    const other = await addOrganization(app, 'Other')
    const { request } = await app.people.add({ isInstanceAdministrator: true })
    assert.equal((await request('GET', '/api/v1/me')).json().organizations.length, 2)
    const switched = (await request('POST', '/api/v1/me/organization', { id: other })).json()
    assert.equal(switched.organization.name, 'Other')
    assert.ok(switched.abilities.includes('manage-users'))
    assert.equal((await request('POST', '/api/v1/me/organization', { id: 'nothing' })).statusCode, 404)
  })
})
