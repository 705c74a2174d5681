import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { AppError } from '../shared/errors.ts'
import { secretFields } from '../shared/secrets.ts'
import type { ChannelDriver } from './channel.ts'
import { channels, openChannel } from './index.ts'

const addresseesOf = ({ config }: ChannelDriver): string[] => {
  const { properties = {} } = z.toJSONSchema(config, { io: 'input' }) as {
    properties?: Record<string, { addressee?: boolean }>
  }
  return Object.keys(properties).filter((name) => properties[name]?.addressee === true)
}

describe('kinds of channels', () => {
  it('keep secret all that one needs to send, and ask for it anew where it would go to somebody else', () => {
    const found = Object.entries(channels as Record<string, ChannelDriver>).map(([kind, driver]) => [
      kind,
      secretFields(driver.config),
      addresseesOf(driver),
    ])
    assert.deepEqual(found, [
      ['email', [], []],
      ['slack', ['webhookUrl'], []],
      ['discord', ['webhookUrl', 'botToken'], []],
      ['telegram', ['botToken'], ['apiUrl']],
      ['teams', ['webhookUrl'], []],
      ['pushover', ['token', 'userKey'], []],
      ['gotify', ['token'], ['url']],
      ['ntfy', ['token'], ['url']],
      ['webhook', ['secret'], ['url']],
      ['healthcheck', ['pingUrl'], []],
    ])
  })

  it('say which setting is missing, unknown or wrong, and never what it is', () => {
    for (const [kind, settings, sentence] of [
      ['slack', {}, /webhookUrl/],
      ['slack', { webhookUrl: 'https://me:secret-word@hooks.slack.com/services/x' }, /without a user/],
      ['slack', { webhookUrl: 'ftp://hooks.slack.com/secret-word' }, /http:\/\/ or https:\/\//],
      ['gotify', { url: 'http://me:secret-word@10.0.0.1', token: 'x' }, /url: .*without a user/],
      ['gotify', { url: 'http://10.0.0.1', token: 'secret-word\u00e9' }, /token/],
      ['ntfy', { topic: 'a/b' }, /topic/],
      ['telegram', { botToken: 'secret-word', chatId: '1' }, /botToken/],
      ['email', { to: ['a@b.example, c@d.example'] }, /to\.0/],
      ['email', { to: ['a@b.example\r\nBcc: c@d.example'] }, /to\.0/],
      ['webhook', { url: 'https://a.example', secret: 'short' }, /secret/],
      ['healthcheck', { pingUrl: 'https://a.example', more: 1 }, /more/],
    ] as const) {
      assert.throws(
        () => openChannel(kind, settings, {}),
        (error) => {
          assert.ok(error instanceof AppError)
          assert.equal(error.code, 'invalid_input')
          assert.match(error.message, sentence)
          assert.doesNotMatch(error.message, /secret-word/)
          return true
        },
      )
    }
  })
})
