import { z } from 'zod'
import type { Severity } from '../../shared/notifications.ts'
import { deliver, json, type Message, numberIn, textIn } from '../answers.ts'
import { defineChannel, type Notice } from '../channel.ts'
import { secretUrl, token } from '../fields.ts'
import { version } from '../../shared/version.ts'
import { fit, oneLine } from '../fit.ts'
import { pageOf } from '../wording.ts'

const config = z
  .strictObject({
    webhookUrl: secretUrl('Webhook URL', 'https://discord.com/api/webhooks/…').optional(),
    botToken: token('Bot token', 'Instead of a webhook; with the id of a channel').optional(),
    channelId: z
      .string()
      .trim()
      .regex(/^\d{5,25}$/, 'must be the number of a channel')
      .optional()
      .meta({ title: 'Channel ID', description: 'Only for a bot' }),
  })
  .superRefine(({ webhookUrl, botToken, channelId }, context) => {
    const wrong = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (webhookUrl !== undefined) {
      if (botToken !== undefined) wrong('botToken', 'is not needed beside a webhook URL: give one of them')
    } else if (botToken === undefined) wrong('webhookUrl', 'is needed, or a bot token and a channel ID')
    else if (channelId === undefined) wrong('channelId', 'is needed for a bot')
  })

export const discord = defineChannel({
  label: 'Discord',
  config,
  open: ({ webhookUrl, botToken, channelId }, environment) => ({
    async send(notice, signal) {
      const place =
        webhookUrl === undefined
          ? byBot(notice, botToken ?? '', channelId ?? '')
          : byWebhook(notice, webhookUrl)
      const { json: message } = await deliver(
        { receiver: 'Discord', ...place, secrets: [webhookUrl, botToken], words, wait },
        environment,
        signal,
      )
      const id = textIn(message, 'id')
      return { answer: id === undefined ? 'Discord took the message.' : `Discord took it as message ${id}.` }
    },
  }),
})

function byWebhook(notice: Notice, webhookUrl: string): Pick<Message, 'url' | 'request'> {
  const url = new URL(webhookUrl)
  // Without it Discord answers before it has looked at the message.
  url.searchParams.set('wait', 'true')
  return { url: url.href, request: json(messageOf(notice)) }
}

function byBot(notice: Notice, token: string, channelId: string): Pick<Message, 'url' | 'request'> {
  // Of two tries within some minutes Discord shows one.
  const nonce = { nonce: notice.id.replaceAll('-', '').slice(0, 25), enforce_nonce: true }
  return {
    url: `https://discord.com/api/v10/channels/${channelId}/messages`,
    request: json(
      { ...messageOf(notice), ...nonce },
      // It refuses bots that do not say so.
      { authorization: `Bot ${token}`, 'user-agent': `DiscordBot (https://holdfast.invalid, ${version})` },
    ),
  }
}

const colours = {
  started: 0x5865f2,
  success: 0x2e7d32,
  recovery: 0x2e7d32,
  warning: 0xf9a825,
  failure: 0xc62828,
  info: 0x607d8b,
} as const satisfies Record<Severity, number>

/** All texts of an embed have 6000 characters together: 250 the title, 3100 the text, 2400 the facts. */
function messageOf(notice: Notice): Record<string, unknown> {
  const page = pageOf(notice)
  const text = fit(notice.text.trim(), 2500, { escape })
  let room = 2400
  const fields: { name: string; value: string; inline: boolean }[] = []
  for (const { label, value } of notice.facts.slice(0, 25)) {
    const field = {
      name: fit(oneLine(label), 100, { escape }) || '–',
      value: fit(value.trim(), 1000, { escape }) || '–',
      inline: value.length <= 40,
    }
    room -= field.name.length + field.value.length
    if (room < 0) break
    fields.push(field)
  }
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: fit(oneLine(notice.title), 250, { escape }) || '–',
        description: [text, page ?? ''].filter((part) => part !== '').join('\n\n'),
        color: colours[notice.severity],
        fields,
        timestamp: notice.at,
      },
    ],
  }
}

/** A backslash before any sign makes it a sign. */
function escape(character: string): string {
  return character.replace(/[\\*_~`|<>#[\]():@&+.!-]/g, '\\$&')
}

function words(body: unknown): string | undefined {
  const message = textIn(body, 'message')
  const code = numberIn(body, 'code')
  const details = (body as { errors?: unknown }).errors
  return [message, code, details === undefined ? undefined : JSON.stringify(details)]
    .filter((part) => part !== undefined)
    .join(', ')
}

function wait(body: unknown): number | undefined {
  return numberIn(body, 'retry_after')
}
