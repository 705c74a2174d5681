import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { type Ability, abilityNames } from '../shared/abilities.ts'
import { problem } from '../shared/problems.ts'
import { describeStores } from '../store/test-bed.ts'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { makeOrganization } from './organizations/organizations.ts'
import { openApp } from './test-bed.ts'
import { addToken, unrestricted } from './tokens/tokens.ts'
import { readyVolume } from './volumes/volumes.ts'

describeStores('the files of the machine', (makePlace) => {
  /** An app with a second organization, and somebody who may do everything in it but administer the instance. */
  async function openShared() {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await tempFolder('shared'))
    const app = stack.use(await openApp(makePlace))
    const { store } = app
    const member = async (organizationId: string) => {
      const order = { ...unrestricted, name: 'member', isInstanceAdministrator: false }
      const scopes: Ability[] = [...abilityNames]
      return (await addToken(store, organizationId, { ...order, scopes })).token
    }
    const share = async () =>
      await store.db.transaction().execute((trx) => makeOrganization(store, trx, 'Second'))
    const ask = async (token: string, method: 'GET' | 'POST' | 'PATCH', path: string, payload?: object) => {
      const headers = { authorization: `Bearer ${token}` }
      const answer = await app.app.inject({
        method,
        url: `/api/v1/${path}`,
        headers,
        ...(payload && { payload }),
      })
      const { statusCode, body } = answer
      return { statusCode, body, json: () => answer.json() }
    }
    const file = join(folder.path, 'shop.db')
    const database = new DatabaseSync(file)
    database.exec('create table things (id integer)')
    database.close()
    const opened = stack.move()
    const server = { name: 'shop', engine: 'sqlite', connection: { path: file } }
    const volume = (name: string) => ({ name, kind: 'local', settings: { path: join(folder.path, name) } })
    return {
      ...app,
      folder: folder.path,
      member,
      share,
      ask,
      server,
      volume,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  }

  it('may be named by who manages servers and volumes, as long as there is one organization', async () => {
    await using app = await openShared()
    const token = await app.member(app.organizationId)
    assert.equal((await app.ask(token, 'POST', 'volumes', app.volume('a'))).statusCode, 201)
    assert.equal((await app.ask(token, 'POST', 'servers', app.server)).statusCode, 201)
  })

  it('are named only by who administers the instance once there are several', async () => {
    await using app = await openShared()
    const second = await app.share()
    const token = await app.member(second)
    const server = { ...app.server, name: 'pg', engine: 'postgresql', connection: { host: 'x', user: 'x' } }
    assert.equal(
      (await app.ask(token, 'POST', 'servers', server)).statusCode,
      201,
      'another machine is its own',
    )
    const refused = [
      await app.ask(token, 'POST', 'volumes', app.volume('a')),
      await app.ask(token, 'POST', 'volumes/test', { kind: 'local', settings: app.volume('a').settings }),
      await app.ask(token, 'POST', 'servers', app.server),
      await app.ask(token, 'POST', 'servers/test', { engine: 'sqlite', connection: app.server.connection }),
      await app.ask(token, 'POST', 'sample-server'),
    ]
    for (const { statusCode, body } of refused) {
      assert.equal(statusCode, 403, body)
      assert.equal(problem.parse(JSON.parse(body)).code, 'forbidden')
    }
    const administrator = (await addToken(app.store, second, { name: 'administrator', ...unrestricted }))
      .token
    const made = await app.ask(administrator, 'POST', 'volumes', app.volume('a'))
    assert.equal(made.statusCode, 201, made.body)
    const { id } = made.json()
    const moved = { settings: { path: join(app.folder, 'b') } }
    assert.equal((await app.ask(token, 'PATCH', `volumes/${id}`, moved)).statusCode, 403)
    assert.equal((await app.ask(token, 'PATCH', `volumes/${id}`, { name: 'renamed' })).statusCode, 200)
    const file = (await app.ask(administrator, 'POST', 'servers', app.server)).json()
    const other = { connection: { path: join(app.folder, 'other.db') } }
    assert.equal((await app.ask(token, 'PATCH', `servers/${file.id}`, other)).statusCode, 403)
    const restore = { snapshotId: 'none', serverId: file.id, mode: 'new' }
    const elsewhere = await app.ask(token, 'POST', 'restores/check', {
      ...restore,
      database: '/tmp/else/x.db',
    })
    assert.equal(elsewhere.statusCode, 403, elsewhere.body)
    const dotted = await app.ask(token, 'POST', 'restores', { ...restore, database: '../x.db' })
    assert.equal(dotted.statusCode, 403, dotted.body)
    const beside = await app.ask(token, 'POST', 'restores/check', { ...restore, database: 'copy.db' })
    assert.notEqual(beside.statusCode, 403, beside.body)
  })

  it('and its own keys are lent only by who administers the instance', async () => {
    await using app = await openShared()
    const keys = { accessKeyId: 'x', secretAccessKey: 'a secret key' }
    const bucket = (name: string, more: object = {}) => ({
      name,
      kind: 's3',
      settings: { bucket: 'backups', endpoint: 'http://127.0.0.1:1', ...more },
    })
    const alone = await app.member(app.organizationId)
    assert.equal((await app.ask(alone, 'POST', 'volumes', bucket('a'))).statusCode, 201)
    const token = await app.member(await app.share())
    const own = await app.ask(token, 'POST', 'volumes', bucket('b', keys))
    assert.equal(own.statusCode, 201, own.body)
    const { id } = own.json()
    const settings = { ...bucket('b').settings, secretAccessKey: null }
    const role = { ...settings, roleArn: 'arn:aws:iam::123456789012:role/backup' }
    for (const { statusCode, body } of [
      await app.ask(token, 'POST', 'volumes', bucket('c')),
      await app.ask(token, 'POST', 'volumes/test', { kind: 's3', settings: bucket('c').settings }),
      await app.ask(token, 'POST', 'volumes/test', { kind: 's3', settings, volumeId: id }),
      await app.ask(token, 'PATCH', `volumes/${id}`, { settings }),
      await app.ask(token, 'PATCH', `volumes/${id}`, { settings: role }),
    ]) {
      assert.equal(statusCode, 403, body)
      assert.match(body, /without keys of its own/)
    }
  })

  it('are never a volume of two organizations, nor one inside the other', async () => {
    await using app = await openShared()
    assert.equal((await app.ask(app.token, 'POST', 'volumes', app.volume('a'))).statusCode, 201)
    const second = await app.share()
    const { token } = await addToken(app.store, second, { name: 'administrator', ...unrestricted })
    for (const name of ['a', 'a/b', '', 'a/../a']) {
      const { statusCode, body } = await app.ask(token, 'POST', 'volumes', {
        ...app.volume(name),
        name: 'mine',
      })
      assert.equal(statusCode, 409, body)
      assert.equal(problem.parse(JSON.parse(body)).code, 'place_taken')
    }
    assert.equal((await app.ask(token, 'POST', 'volumes', app.volume('ab'))).statusCode, 201)
  })

  it('that are there for a first volume are each organization’s own', async () => {
    await using app = await openShared()
    const second = await app.share()
    await readyVolume(app.context, app.organizationId)
    await readyVolume(app.context, second)
    const rows = await app.store.db.selectFrom('volumes').select(['organizationId', 'settings']).execute()
    const paths = rows.map(({ settings }) => (JSON.parse(settings) as { path: string }).path)
    assert.equal(new Set(paths).size, 2)
    const [one = '', other = ''] = paths
    assert.ok(!other.startsWith(one) && !one.startsWith(other), paths.join())
  })
})
