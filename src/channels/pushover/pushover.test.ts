import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pushoverVendor, secrets } from '../../../test/servers/vendors.ts'
import type { Severity } from '../../shared/notifications.ts'
import { aNotice, channelConformance, fails, overHttp, send } from '../conformance.ts'

const open = overHttp({
  kind: 'pushover',
  vendor: pushoverVendor,
  settings: () => ({ token: secrets.pushoverToken, userKey: secrets.pushoverUser }),
  wrongSettings: () => ({ token: 'wrongtokenwrongtoken0000000000', userKey: secrets.pushoverUser }),
  secrets: ['pushovertoken', 'pushoveruser', 'wrongtoken'],
  fixedOrigin: 'https://api.pushover.net',
})

channelConformance('Pushover', open)

describe('Pushover', { timeout: 60_000 }, () => {
  it('insists on an acknowledgement only of failures, and only if that was asked for', async () => {
    await using test = await open()
    const priorityOf = async (severity: Severity, settings = {}) => {
      await send(test, aNotice({ severity }), { ...test.settings, ...settings })
      const form = new URLSearchParams(test.http?.receiver.received.at(-1)?.body)
      return [form.get('priority'), form.get('retry'), form.get('expire')]
    }
    assert.deepEqual(await priorityOf('failure'), ['1', null, null])
    assert.deepEqual(await priorityOf('success'), ['-1', null, null])
    assert.deepEqual(await priorityOf('failure', { emergency: true }), ['2', '60', '3600'])
    assert.deepEqual(await priorityOf('recovery', { emergency: true }), ['0', null, null])
  })

  it('believes no success without the status that Pushover gives', async () => {
    await using test = await open()
    test.http?.receiver.answer(() => ({ status: 200, body: '{"status":0,"errors":["no active devices"]}' }))
    const error = await fails(test, send(test), ['channel_refused'])
    assert.match(error.message, /no active devices/)
  })
})
