import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secrets, teamsVendor } from '../../../test/servers/vendors.ts'
import { channelConformance, fails, overHttp, send } from '../conformance.ts'

const open = overHttp({
  kind: 'teams',
  vendor: teamsVendor,
  settings: (origin) => ({
    webhookUrl: `${origin}/workflows/abc/triggers/manual/paths/invoke?${secrets.teamsQuery}`,
  }),
  wrongSettings: (origin) => ({
    webhookUrl: `${origin}/workflows/abc/triggers/manual/paths/invoke?sig=wrongwrong`,
  }),
  secrets: ['teams-signature', 'wrongwrong'],
})

channelConformance('Teams', open)

describe('Teams', { timeout: 60_000 }, () => {
  it('says that a workflow was started, not that anything was posted', async () => {
    await using test = await open()
    assert.match((await send(test)).answer, /workflow was started.*whether it has posted/)
  })

  it('believes no success that a connector of the old kind takes back', async () => {
    await using test = await open()
    test.http?.receiver.answer(() => ({
      status: 200,
      body: 'Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413',
    }))
    await fails(test, send(test), ['channel_refused'])
  })
})
