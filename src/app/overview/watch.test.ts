import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { openStore } from '../../store/database.ts'
import { startReceiver } from '../channels/test-bed.ts'
import { readConfiguration } from '../configuration.ts'
import { serve } from '../serve.ts'
import { readTokenFile } from '../token-file.ts'

const HOUR = 3_600_000

describe('an app that was stopped for longer than backups may be missing', () => {
  it('says so when it is started, before it catches up, and then that all is well', async () => {
    await using folder = await tempFolder('watch')
    await using receiver = await startReceiver()
    const { configuration } = readConfiguration({
      HOLDFAST_DATA_DIR: join(folder.path, 'data'),
      HOLDFAST_PORT: '0',
      LOG_LEVEL: 'fatal',
    })
    const shop = join(folder.path, 'shop.db')
    const database = new DatabaseSync(shop)
    database.exec('create table things (id integer primary key)')
    database.close()
    {
      await using app = await serve(configuration)
      const token = (await readTokenFile(join(folder.path, 'data'))) ?? assert.fail()
      const post = async (path: string, body: object) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const answer = await fetch(`${app.url}/api/v1/${path}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        })
        assert.ok(answer.ok, await answer.clone().text())
        return (await answer.json()) as { id: string }
      }
      await post('channels', {
        name: 'ops',
        kind: 'webhook',
        settings: { url: receiver.url, secret: 'of-the-receiver' },
      })
      const volume = await post('volumes', {
        name: 'v',
        kind: 'local',
        settings: { path: join(folder.path, 'backups') },
      })
      const server = await post('servers', { name: 'shop', engine: 'sqlite', connection: { path: shop } })
      const schedule = await post('schedules', {
        name: 'hourly',
        rule: { type: 'hourly', every: 1, minute: 0, timeZone: 'UTC' },
      })
      const plan = await post('plans', {
        serverId: server.id,
        name: 'all',
        volumes: [{ id: volume.id }],
        schedules: [schedule.id],
        overdueMinutes: 90,
      })
      await post(`plans/${plan.id}/run`, { wait: true })
    }
    assert.deepEqual(receiver.received, [])
    {
      await using store = await openStore(configuration.store)
      const lastSuccessAt = Date.now() - 5 * HOUR
      await store.db.updateTable('planDatabases').set({ lastSuccessAt }).execute()
      await store.db.updateTable('schedules').set({ since: lastSuccessAt, nextAt: lastSuccessAt }).execute()
      await store.db.deleteFrom('firings').execute()
    }
    await using _app = await serve(configuration)
    for (let n = 0; n < 400 && receiver.received.length < 2; n++) await sleep(50)
    assert.deepEqual(
      receiver.received.map(({ body }) => body['event']),
      ['backup.overdue', 'backup.recovered'],
    )
  })
})
