import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { describeStores } from '../../store/test-bed.ts'
import { makeOrganization } from '../organizations/organizations.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import { openApp } from '../test-bed.ts'
import { addToken, type TokenOrder, unrestricted } from '../tokens/tokens.ts'

type App = Awaited<ReturnType<typeof openApp>>

const another = (app: App, name: string) =>
  app.store.db.transaction().execute((trx) => makeOrganization(app.store, trx, name))

const join = (app: App, organizationId: string, userId: string, createdAt: number) =>
  app.store.db
    .insertInto('memberships')
    .values({ organizationId, userId, roleId: builtInRoleId(organizationId, 'admin'), createdAt })
    .execute()

describeStores('who signs a request with a token', (makePlace) => {
  const open = async () => {
    const app = await openApp(makePlace)
    return {
      ...app,
      async tokenOf(order: Partial<TokenOrder>) {
        const name = `token ${Math.random()}`
        return (await addToken(app.store, app.organizationId, { ...unrestricted, name, ...order })).token
      },
      async ask(token: string, url = '/api/v1/servers', remoteAddress = '127.0.0.1') {
        const headers = { authorization: `Bearer ${token}` }
        const answer = await app.app.inject({ url, headers, remoteAddress })
        return { statusCode: answer.statusCode, body: answer.body }
      },
      [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
    }
  }

  it('may do what the token is for, and what its owner may, and no more', async () => {
    await using app = await open()
    const viewer = await app.people.add({ role: 'viewer' })
    const token = await app.tokenOf({ ownerId: viewer.id, isInstanceAdministrator: true })
    assert.equal((await app.ask(token)).statusCode, 200)
    assert.equal((await app.ask(token, '/api/v1/audit')).statusCode, 403)
    assert.equal((await app.ask(token, '/api/v1/instance-settings')).statusCode, 403)
    const narrow = await app.tokenOf({ scopes: ['view'], isInstanceAdministrator: false })
    assert.equal((await app.ask(narrow)).statusCode, 200)
    assert.equal((await app.ask(narrow, '/api/v1/audit')).statusCode, 403)
  })

  it('administers the instance only with a token that may do everything', async () => {
    await using app = await open()
    const administrator = await app.people.add({ isInstanceAdministrator: true })
    const restricted = await app.tokenOf({ ownerId: administrator.id, scopes: ['view'] })
    for (const url of ['/api/v1/instance-settings', '/api/v1/app-backups', '/api/v1/organizations']) {
      assert.equal((await app.ask(restricted, url)).statusCode, 403, url)
    }
    const whole = await app.tokenOf({ ownerId: administrator.id })
    assert.equal((await app.ask(whole, '/api/v1/instance-settings')).statusCode, 200)
  })

  it('is nobody once it has expired, its owner is disabled, has left, or from another network', async () => {
    await using app = await open()
    const expired = await app.tokenOf({ expiresAt: Date.now() - 60_000 })
    assert.match((await app.ask(expired)).body, /has expired/)
    const later = await app.tokenOf({ expiresAt: Date.now() + 600_000 })
    assert.equal((await app.ask(later)).statusCode, 200)

    const near = await app.tokenOf({ networks: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'] })
    for (const [address, statusCode] of [
      ['10.1.2.3', 200],
      ['::ffff:10.1.2.3', 200],
      ['2001:db8::5', 200],
      ['192.0.2.7', 200],
      ['11.1.2.3', 401],
      ['192.0.2.8', 401],
      ['2001:db9::5', 401],
    ] as const) {
      assert.equal((await app.ask(near, undefined, address)).statusCode, statusCode, address)
    }

    const person = await app.people.add()
    const theirs = await app.tokenOf({ ownerId: person.id })
    assert.equal((await app.ask(theirs)).statusCode, 200)
    await app.store.db.updateTable('users').set({ isDisabled: 1 }).where('id', '=', person.id).execute()
    assert.equal((await app.ask(theirs)).statusCode, 401)
    await app.store.db.updateTable('users').set({ isDisabled: 0 }).where('id', '=', person.id).execute()
    await app.store.db.deleteFrom('memberships').where('userId', '=', person.id).execute()
    assert.equal((await app.ask(theirs)).statusCode, 401)
  })
})

describeStores('the organization of a session', (makePlace) => {
  it('is the one that its user has belonged to for the longest, whatever others are called', async () => {
    await using app = await openApp(makePlace)
    const second = await another(app, '0 comes first')
    const person = await app.people.add()
    await join(app, second, person.id, Date.now() + 60_000)
    const again = await person.signInAgain()
    assert.equal((await again.request('GET', '/api/v1/me')).json().organization.id, app.organizationId)
  })

  it('is not another one all of a sudden for what the page still sends', async () => {
    await using app = await openApp(makePlace)
    const second = await another(app, 'Second')
    const person = await app.people.add()
    await join(app, second, person.id, Date.now())
    assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 200)
    await app.store.db
      .deleteFrom('memberships')
      .where('userId', '=', person.id)
      .where('organizationId', '=', app.organizationId)
      .execute()
    const schedule = { name: 'nightly', rule: { type: 'daily', times: ['02:00'] } }
    const refused = await person.request('POST', '/api/v1/schedules', schedule)
    assert.equal(refused.statusCode, 409, refused.body)
    assert.equal(problem.parse(refused.json()).code, 'organization_changed')
    assert.deepEqual(await app.store.db.selectFrom('schedules').select('id').execute(), [])
    assert.equal((await person.request('GET', '/api/v1/me')).json().organization.id, second)
    const switched = await person.request('POST', '/api/v1/me/organization', { id: second })
    assert.equal(switched.statusCode, 200, switched.body)
    assert.equal((await person.request('POST', '/api/v1/schedules', schedule)).statusCode, 201)
  })
})
