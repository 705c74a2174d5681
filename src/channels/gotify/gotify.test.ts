import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { describe, it } from 'node:test'
import { startHttpReceiver } from '../../../test/servers/http-receiver.ts'
import { gotifyVendor, secrets } from '../../../test/servers/vendors.ts'
import { channelConformance, fails, overHttp, send } from '../conformance.ts'

const open = overHttp({
  kind: 'gotify',
  vendor: gotifyVendor,
  settings: (url) => ({ url, token: secrets.gotify }),
  wrongSettings: (url) => ({ url, token: 'AwrongwrongWrong' }),
  secrets: [secrets.gotify, 'AwrongwrongWrong'],
})

channelConformance('Gotify', open)

describe('Gotify', { timeout: 60_000 }, () => {
  it('that has moved does not get the token, and is not said to refuse it', async () => {
    await using test = await open()
    await using moved = await startHttpReceiver((request) =>
      gotifyVendor(request, () => assert.fail('shown')),
    )
    test.http?.receiver.answer(({ path }) => ({ status: 308, headers: { location: moved.origin + path } }))
    const error = await fails(test, send(test), ['channel_refused'])
    assert.match(error.message, /status 401/)
    assert.equal(
      error.hint,
      `A redirect leads to ${moved.origin}, and no token or signature is taken along: enter that address itself.`,
    )
    assert.equal(moved.received[0]?.headers['x-gotify-key'], undefined)

    const location = `http://${secrets.gotify}.test:${moved.port}/message`
    test.http?.receiver.answer(() => ({ status: 308, headers: { location } }))
    const lookup: LookupFunction = (_hostname, _options, callback) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }])
    const repeating = await fails(test, send({ ...test, environment: { lookup } }), ['channel_refused'])
    assert.ok(
      repeating.hint?.startsWith(`A redirect leads to http://***.test:${moved.port}, `),
      repeating.hint,
    )
  })
})
