import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import { startPostgres } from '../../../test/servers/postgres.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { type ServerConnection, serverConnection } from '../../shared/servers.ts'
import { describeStores } from '../../store/test-bed.ts'
import { makeSample } from '../demo/sample.ts'
import { openApp } from '../test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>

const HALF_A_MINUTE = 30_000

async function addServer(app: App, engine: string, connection: object): Promise<string> {
  const added = await app.ask('POST', '/api/v1/servers', { name: 'shop', engine, connection })
  assert.equal(added.statusCode, 201, added.body)
  return added.json().id
}

async function look(app: App, id: string): Promise<ServerConnection> {
  const answer = await app.ask('GET', `/api/v1/servers/${id}/connection`)
  assert.equal(answer.statusCode, 200, answer.body)
  return serverConnection.parse(answer.json())
}

/** Lets everybody connect, and says nothing. */
async function startSilent(): Promise<Server & AsyncDisposable> {
  const server = createServer((socket) => socket.on('error', () => {}).resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

describeStores('a look at a server', (makePlace) => {
  const skip = skipUnless('postgres15')

  it('tells whether it answers, and again after half a minute', { skip }, async (test) => {
    await using app = await openApp(makePlace)
    await using postgres = await startPostgres({ major: 15 })
    const { host, port, user, password } = postgres
    const id = await addServer(app, 'postgresql', { host, port, user, password })
    const first = await look(app, id)
    assert.equal(first.isReachable, true, JSON.stringify(first))
    assert.match(first.version ?? '', /^15\./)
    assert.equal(first.error, null)
    assert.ok(Math.abs(Date.parse(first.checkedAt) - Date.now()) < 60_000)

    await postgres[Symbol.asyncDispose]()
    assert.deepEqual(await look(app, id), first, 'what is known is told again')
    const later = performance.now() + HALF_A_MINUTE
    test.mock.method(performance, 'now', () => later)
    const second = await look(app, id)
    assert.equal(second.isReachable, false)
    assert.equal(second.version, null)
    assert.equal(second.error?.code, 'database_unreachable')
    assert.ok(second.error?.message)
  })

  it('tells of a wrong password, and looks anew when that was changed', { skip }, async () => {
    await using app = await openApp(makePlace)
    await using postgres = await startPostgres({ major: 15 })
    const { host, port, user, password } = postgres
    const id = await addServer(app, 'postgresql', { host, port, user, password: 'wrong' })
    const { isReachable, error } = await look(app, id)
    assert.deepEqual([isReachable, error?.code], [false, 'authentication_failed'])
    await app.ask('PATCH', `/api/v1/servers/${id}`, { connection: { host, port, user, password } })
    assert.equal((await look(app, id)).isReachable, true)
  })

  it('is shared by all who ask meanwhile, and given up after ten seconds', async () => {
    await using app = await openApp(makePlace)
    await using silent = await startSilent()
    let connections = 0
    silent.on('connection', () => connections++)
    const { port } = silent.address() as AddressInfo
    const connection = { host: '127.0.0.1', port, user: 'x', connectTimeout: 60 }
    const id = await addServer(app, 'postgresql', connection)
    const startedAt = performance.now()
    const [one, ...others] = await Promise.all(Array.from({ length: 5 }, () => look(app, id)))
    assert.ok(performance.now() - startedAt < 15_000)
    assert.equal(one?.error?.code, 'database_unreachable')
    assert.match(one?.error?.message ?? '', /10 seconds/)
    for (const other of others) assert.deepEqual(other, one)
    assert.equal(connections, 1)
  })

  it('misses a file that is not there', async () => {
    await using app = await openApp(makePlace)
    const path = join(app.context.dataDirectory, 'shop.db')
    makeSample(path)
    const id = await addServer(app, 'sqlite', { path })
    assert.equal((await look(app, id)).isReachable, true)
    await rm(path)
    await app.ask('PATCH', `/api/v1/servers/${id}`, { maxRunning: 3 })
    assert.equal((await look(app, id)).error?.code, 'database_not_found')
  })

  it('is not for who does not see the server, also if it was looked at before', async () => {
    await using app = await openApp(makePlace)
    const path = join(app.context.dataDirectory, 'shop.db')
    makeSample(path)
    const id = await addServer(app, 'sqlite', { path })
    await look(app, id)
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    await app.store.db.updateTable('servers').set({ organizationId: 'other' }).execute()
    assert.equal((await app.ask('GET', `/api/v1/servers/${id}/connection`)).statusCode, 404)
  })
})
