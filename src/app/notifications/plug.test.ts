import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { join } from 'node:path'
import { skipUnless } from '../../../test/servers/needs.ts'
import { startPostgres } from '../../../test/servers/postgres.ts'
import { startTcpProxy } from '../../../test/servers/tcp-proxy.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { placeOf } from '../../store/test-bed.ts'
import { openChannelApp, startReceiver } from '../channels/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'

describe('when the plug of a PostgreSQL server is pulled', () => {
  it(
    'every channel hears of it once, and once that all is well',
    { skip: skipUnless('postgres15') },
    async () => {
      await using folder = await tempFolder('plug')
      await using server = await startPostgres({ major: 15 })
      await using plug = await startTcpProxy({ to: server })
      await using receivers = new AsyncDisposableStack()
      const ops = receivers.use(await startReceiver())
      const chat = receivers.use(await startReceiver())
      await using app = await openChannelApp(async () =>
        placeOf('sqlite', { path: join(folder.path, 'store.db') }),
      )
      await app.addChannel('ops', ops.url)
      await app.addChannel('chat', chat.url)
      const add = async (path: string, body: object) => {
        const added = await app.ask('POST', `/api/v1/${path}`, body)
        assert.equal(added.statusCode, 201, added.body)
        return added.json<{ id: string }>().id
      }
      for (const name of ['shop', 'stock']) await server.query(`create database ${name}`)
      const { user, password } = server
      const serverId = await add('servers', {
        name: 'db1',
        engine: 'postgresql',
        connection: { host: plug.host, port: plug.port, user, password },
      })
      const volumeId = await add('volumes', {
        name: 'v',
        kind: 'local',
        settings: { path: join(folder.path, 'backups') },
      })
      const planId = await add('plans', {
        serverId,
        name: 'nightly',
        volumes: [{ id: volumeId }],
        databases: { mode: 'selected', names: ['shop', 'stock'] },
        tries: 2,
        backoffSeconds: 1,
      })
      const run = async () => {
        await app.ask('POST', `/api/v1/plans/${planId}/run`, {})
        await runJobs(app.context, { evenLater: true })
        return [ops, chat].map(({ received }) => received.map(({ body }) => body['event']))
      }
      assert.deepEqual(await run(), [[], []])
      await plug.refuse()
      plug.resetAll()
      for (let n = 0; n < 3; n++) await run()
      const told = ['backup.failed']
      assert.deepEqual(await run(), [told, told])
      assert.match(ops.received[0]?.body.title ?? '', /^No database of “db1” could be backed up/)
      await plug.accept()
      const well = [...told, 'backup.recovered']
      assert.deepEqual(await run(), [well, well])
      assert.deepEqual(await run(), [well, well])
    },
  )
})
