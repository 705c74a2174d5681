import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { readConfiguration } from '../configuration.ts'
import { serve } from '../serve.ts'
import { DEMO_EMAIL, DEMO_PASSWORD } from './account.ts'

describe('a demonstration', () => {
  it('lets anybody look around and start backups, and change nothing else', async () => {
    await using folder = await tempFolder('demo')
    const { configuration } = readConfiguration({
      HOLDFAST_DATA_DIR: folder.path,
      HOLDFAST_PORT: '0',
      HOLDFAST_DEMO: '1',
      LOG_LEVEL: 'fatal',
    })
    const signIn = async (url: string | undefined) => {
      const answer = await fetch(`${url}/api/v1/sign-in`, {
        method: 'POST',
        headers: { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
        body: JSON.stringify({ email: DEMO_EMAIL, password: DEMO_PASSWORD }),
      })
      return answer.status
    }
    {
      await using app = await serve(configuration)
      assert.match(app.notes.join('\n'), /This is a demonstration/)
      assert.match(app.notes.join('\n'), /setup#token=/, 'who administers it is still to be said')
      const url = app.url ?? assert.fail()
      let cookie = ''
      const ask = async (method: string, path: string, body?: object) => {
        const answer = await fetch(`${url}/api/v1/${path}`, {
          method,
          headers: {
            'sec-fetch-site': 'same-origin',
            ...(cookie && { cookie }),
            ...(body && { 'content-type': 'application/json' }),
          },
          ...(body && { body: JSON.stringify(body) }),
        })
        const [set = ''] = answer.headers.getSetCookie()
        if (cookie === '') cookie = set.split(';')[0] ?? ''
        const text = await answer.text()
        return { status: answer.status, json: text === '' ? null : JSON.parse(text) }
      }
      const { demo } = (await ask('GET', 'sign-in')).json
      assert.equal((await ask('POST', 'sign-in', demo)).status, 200)
      const servers = (await ask('GET', 'servers')).json.items
      assert.deepEqual(
        servers.map(({ name }: { name: string }) => name),
        ['Sample shop', 'Sample staging'],
      )
      for (let n = 0; (await ask('GET', 'snapshots')).json.items.length < 2; n++) {
        assert.ok(n < 300, 'the samples are not backed up')
        await sleep(100)
      }
      const [plan] = (await ask('GET', 'plans')).json.items
      assert.ok((await ask('POST', `plans/${plan.id}/run`, {})).status < 300)
      for (const [method, path, body] of [
        ['DELETE', `servers/${servers[0].id}`],
        ['PATCH', `plans/${plan.id}`, { name: 'mine' }],
        ['POST', 'restores', { snapshotId: 'x', serverId: servers[0].id }],
        ['POST', 'me/password', { current: demo.password, new: 'Nacre-tiled 7 harbours' }],
        ['PATCH', 'me', { name: 'Mine' }],
        ['DELETE', 'me/sessions'],
        ['POST', 'me/totp', { password: demo.password }],
        ['POST', 'me/passkeys/options'],
        ['POST', 'tokens', { name: 'mine' }],
        ['GET', 'instance-settings'],
        ['GET', 'audit'],
      ] as const) {
        assert.equal((await ask(method, path, body)).status, 403, `${method} ${path}`)
      }
      assert.equal(await signIn(url), 200)
      const sessions = (await ask('GET', 'me/sessions')).json.items
      assert.deepEqual(
        sessions.map(({ isCurrent }: { isCurrent: boolean }) => isCurrent),
        [true],
        'where others come from is not shown',
      )
      assert.equal((await ask('POST', 'sign-out')).status, 204)
    }
    {
      await using real = await serve({ ...configuration, isDemo: false })
      assert.equal(await signIn(real.url), 401, 'everybody knows the password')
    }
    await using again = await serve(configuration)
    assert.match(again.notes.join('\n'), /This is a demonstration/)
    assert.equal(await signIn(again.url), 200)
  })
})
