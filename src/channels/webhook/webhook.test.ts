import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secrets, webhookVendor } from '../../../test/servers/vendors.ts'
import { aNotice, channelConformance, fails, overHttp, send } from '../conformance.ts'

const open = overHttp({
  kind: 'webhook',
  vendor: webhookVendor,
  settings: (origin) => ({ url: `${origin}/hooks/holdfast?team=db`, secret: secrets.webhook }),
  wrongSettings: (origin) => ({ url: origin, secret: 'another-secret-another' }),
  secrets: [secrets.webhook, 'another-secret'],
})

channelConformance('Webhook', open)

describe('Webhook', { timeout: 60_000 }, () => {
  it('brings the notice as programs want it, with the same id in every try', async () => {
    await using test = await open()
    const notice = aNotice()
    test.become('broken')
    await fails(test, send(test, notice), ['channel_unreachable'])
    await using again = await open()
    await send(again, notice)
    const [first] = test.http?.receiver.received ?? []
    const [second] = again.http?.receiver.received ?? []
    assert.equal(first?.headers['x-holdfast-id'], notice.id)
    assert.equal(second?.headers['x-holdfast-id'], notice.id)
    assert.equal(second?.path, '/hooks/holdfast?team=db')
    assert.deepEqual(JSON.parse(second?.body ?? ''), notice)
  })

  it('repeats the request with its signature where a redirect says so, at the same host only', async () => {
    await using test = await open()
    const { http } = test
    assert.ok(http)
    await using other = await open()
    http.receiver.answer(({ path }) =>
      path === '/new' ? { status: 200 } : { status: 308, headers: { location: '/new' } },
    )
    await send(test)
    const [, repeated] = http.receiver.received
    assert.match(String(repeated?.headers['x-holdfast-signature']), /^sha256=/)
    http.receiver.answer(() => ({ status: 308, headers: { location: `${other.http?.receiver.origin}/x` } }))
    await fails(test, send(test), ['channel_refused'])
    assert.equal(other.http?.receiver.received[0]?.headers['x-holdfast-signature'], undefined)
  })
})
