import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { discordVendor, secrets } from '../../../test/servers/vendors.ts'
import { AskedToWait } from '../answers.ts'
import { channelConformance, fails, overHttp, send } from '../conformance.ts'

const limited = () => ({
  status: 429,
  body: JSON.stringify({ message: 'You are being rate limited.', retry_after: 64.57, global: false }),
})

const byWebhook = overHttp({
  kind: 'discord',
  vendor: discordVendor,
  settings: (origin) => ({ webhookUrl: `${origin}${secrets.discordPath}?thread_id=77` }),
  wrongSettings: (origin) => ({ webhookUrl: `${origin}/api/webhooks/1/wrong-wrong-wrong` }),
  secrets: ['discord-secret', 'wrong-wrong'],
  busy: limited,
})

const byBot = overHttp({
  kind: 'discord',
  vendor: discordVendor,
  settings: () => ({ botToken: secrets.discordBot, channelId: '223456789012345678' }),
  wrongSettings: () => ({ botToken: 'wrong.wrong.wrong', channelId: '223456789012345678' }),
  secrets: ['bot-token', 'wrong.wrong'],
  fixedOrigin: 'https://discord.com',
  busy: limited,
})

channelConformance('Discord by webhook', byWebhook)
channelConformance('Discord by bot', byBot)

describe('Discord', { timeout: 60_000 }, () => {
  it('keeps the thread of a webhook, and waits for what became of the message', async () => {
    await using test = await byWebhook()
    assert.equal((await send(test)).answer, 'Discord took it as message 998877665544332211.')
    const { searchParams } = new URL(test.http?.receiver.received[0]?.path ?? '', 'http://discord.test')
    assert.equal(searchParams.get('thread_id'), '77')
  })

  it('tells how long it was asked to wait', async () => {
    await using test = await byWebhook()
    test.become('busy')
    const error = await fails(test, send(test), ['channel_refused'])
    assert.ok(error instanceof AskedToWait)
    assert.equal(error.seconds, 64.57)
    assert.match(error.message, /65 seconds.*being rate limited/)
  })

  it('wants a webhook or a bot, and says what is missing', async () => {
    await using test = await byBot()
    const { botToken, channelId } = test.settings
    for (const [settings, sentence] of [
      [{}, /webhookUrl: is needed, or a bot token and a channel ID/],
      [{ botToken }, /channelId: is needed for a bot/],
      [
        { botToken, channelId, webhookUrl: 'https://discord.com/api/webhooks/1/x' },
        /botToken: is not needed/,
      ],
    ] as const) {
      assert.match((await fails(test, send(test, undefined, settings), ['invalid_input'])).message, sentence)
    }
  })
})
