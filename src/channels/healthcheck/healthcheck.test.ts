import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { healthcheckVendor, secrets } from '../../../test/servers/vendors.ts'
import type { Severity } from '../../shared/notifications.ts'
import { aNotice, channelConformance, fails, overHttp, send } from '../conformance.ts'

const open = overHttp({
  kind: 'healthcheck',
  vendor: healthcheckVendor,
  settings: (origin) => ({ pingUrl: `${origin}/${secrets.ping}?create=1` }),
  wrongSettings: (origin) => ({ pingUrl: `${origin}/0000-wrongwrong-0000` }),
  secrets: [secrets.ping, 'wrongwrong'],
})

channelConformance('Health check', open)

describe('Health check', { timeout: 60_000 }, () => {
  it('pings what the severity means, and keeps the query', async () => {
    const pinged = async (severity: Severity) => {
      await using test = await open()
      const { answer, isSent } = await send(test, aNotice({ severity }))
      const [shown] = test.shown
      assert.equal(isSent, shown ? undefined : false)
      if (!shown) assert.match(answer, /Nothing was sent/)
      return shown?.text.split('\n')[0]
    }
    assert.equal(await pinged('started'), '[start]?create=1')
    assert.equal(await pinged('success'), '[success]?create=1')
    assert.equal(await pinged('recovery'), '[success]?create=1')
    assert.equal(await pinged('failure'), '[fail]?create=1')
    assert.equal(await pinged('warning'), undefined)
    assert.equal(await pinged('info'), undefined)
  })

  it('takes neither an unknown check nor a ping that was not counted for success', async () => {
    await using test = await open()
    test.http?.receiver.answer(() => ({ status: 200, body: 'OK (not found)' }))
    assert.equal((await fails(test, send(test), ['channel_refused'])).isFinal, true)
    test.http?.receiver.answer(() => ({ status: 200, body: 'OK (rate limited)' }))
    assert.equal((await fails(test, send(test), ['channel_refused'])).retryable, true)
  })
})
