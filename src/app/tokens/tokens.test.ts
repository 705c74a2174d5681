import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { createdToken, token as tokenSchema } from '../../shared/tokens.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { openTeam } from '../users/test-bed.ts'
import { addToken, unrestricted } from './tokens.ts'

describeStores('tokens', (makePlace) => {
  it('are made, shown once, listed, used and deleted', async () => {
    await using app = await openApp(makePlace)
    const answer = await app.ask('POST', '/api/v1/tokens', { name: 'ci' })
    assert.equal(answer.statusCode, 201, answer.body)
    const made = createdToken.parse(answer.json())
    assert.match(made.token, /^hf_[\w-]{43}$/)
    assert.equal(answer.headers['location'], `/api/v1/tokens/${made.id}`)

    const signedIn = await app.get('/api/v1/servers', `Bearer ${made.token}`)
    assert.equal(signedIn.statusCode, 200)
    const list = await app.ask('GET', '/api/v1/tokens')
    const items = list.json().items.map((item: unknown) => tokenSchema.parse(item))
    assert.deepEqual(
      items.map(({ name, isOwn }: { name: string; isOwn: boolean }) => [name, isOwn]),
      [
        ['administrator', true],
        ['ci', false],
      ],
    )
    assert.ok(items[1].lastUsedAt)
    const one = await app.ask('GET', `/api/v1/tokens/${made.id}`)
    for (const { body } of [list, one]) assert.ok(!body.includes(made.token))
    const stored = JSON.stringify(await app.store.db.selectFrom('tokens').selectAll().execute())
    assert.ok(!stored.includes(made.token))

    assert.equal((await app.ask('DELETE', `/api/v1/tokens/${made.id}`)).statusCode, 204)
    assert.equal((await app.get('/api/v1/servers', `Bearer ${made.token}`)).statusCode, 401)
    assert.equal((await app.ask('DELETE', `/api/v1/tokens/${made.id}`)).statusCode, 404)
  })

  it('are made by people, and by no token that is less than all', async () => {
    await using app = await openTeam(makePlace)
    const url = '/api/v1/tokens'
    const ada = await app.person('ada')
    const root = await app.person('root', { isInstanceAdministrator: true })
    const later = Date.now() + 3_600_000
    const asking = async (name: string, limits: object) => {
      const order = { ...unrestricted, name, ...limits }
      const { token } = await addToken(app.store, app.organizationId, order)
      return (name: string) => app.ask('POST', url, { name }, { authorization: `Bearer ${token}` })
    }
    const nobodys = [
      await asking('scoped', { scopes: ['view', 'manage-tokens'] }),
      await asking('near', { networks: ['127.0.0.0/8'] }),
      await asking('short', { expiresAt: later }),
    ]
    const owned = [ada, root].map(
      ({ ask }) =>
        (name: string) =>
          ask('POST', url, { name }),
    )
    for (const ask of [...nobodys, ...owned]) {
      const refused = await ask('heir')
      assert.equal(refused.statusCode, 403, refused.body)
      assert.match(problem.parse(refused.json()).hint ?? '', /Sign in with a browser/)
    }
    assert.equal((await (await asking('whole', {}))('of the command line')).statusCode, 201)
    const bob = await app.people.add({ name: 'Bob', role: 'operator' })
    const made = await bob.request('POST', url, {
      name: 'bobs',
      scopes: ['view', 'restore'],
      networks: ['::1'],
    })
    assert.deepEqual(createdToken.parse(made.json()).scopes, ['view', 'restore'])
    for (const wrong of [{ scopes: ['manage-plans'] }, { isInstanceAdministrator: true }]) {
      assert.equal((await bob.request('POST', url, { name: 'great', ...wrong })).statusCode, 403)
    }
    const all = await bob.request('POST', url, { name: 'all' })
    assert.equal(createdToken.parse(all.json()).scopes, null)
  })

  it('of one name are refused', async () => {
    await using app = await openApp(makePlace)
    const twin = await app.ask('POST', '/api/v1/tokens', { name: 'administrator' })
    assert.equal(twin.statusCode, 409)
    assert.equal(problem.parse(twin.json()).code, 'name_taken')
  })

  it('do not delete themselves by mistake', async () => {
    await using app = await openApp(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/tokens')).json()
    const url = `/api/v1/tokens/${items[0].id}`
    const refused = await app.ask('DELETE', url)
    assert.equal(refused.statusCode, 409)
    assert.equal(problem.parse(refused.json()).code, 'in_use')
    assert.equal((await app.ask('DELETE', `${url}?force=perhaps`)).statusCode, 400)
    assert.equal((await app.ask('DELETE', `${url}?force=false`)).statusCode, 409)
    assert.equal((await app.ask('DELETE', `${url}?force=true`)).statusCode, 204)
    assert.equal((await app.ask('GET', '/api/v1/tokens')).statusCode, 401)
  })

  it('of another organization are not seen', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', '/api/v1/tokens', { name: 'theirs' })).json()
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    await app.store.db.updateTable('tokens').set({ organizationId: 'other' }).where('id', '=', id).execute()
    const { items } = (await app.ask('GET', '/api/v1/tokens')).json()
    assert.equal(items.length, 1)
    assert.equal((await app.ask('GET', `/api/v1/tokens/${id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `/api/v1/tokens/${id}?force=true`)).statusCode, 404)
  })
})
