import { z } from 'zod'
import { wholeNumber } from '../../shared/fields.ts'
import { deliver, json, numberIn, refused, textIn } from '../answers.ts'
import { defineChannel, type Notice } from '../channel.ts'
import { below, receiverUrl, token } from '../fields.ts'
import { fit, oneLine } from '../fit.ts'
import { bodyOf, icons, withoutMentions } from '../wording.ts'

const config = z.strictObject({
  botToken: token('Bot token', 'As @BotFather gave it').regex(
    /^\d+:[\w-]+$/,
    'must be a bot’s token: digits, a colon, and letters',
  ),
  chatId: z
    .string()
    .trim()
    .regex(/^(-?\d{1,20}|@\w{4,64})$/, 'must be the number of a chat, or @ and the name of a channel')
    .meta({ title: 'Chat ID' }),
  topicId: wholeNumber(1, 2_147_483_647)
    .optional()
    .meta({ title: 'Topic ID', description: 'Of a group with topics' }),
  apiUrl: receiverUrl('API URL', 'Only for a Bot API server of your own').default('https://api.telegram.org'),
})

export const telegram = defineChannel({
  label: 'Telegram',
  config,
  open: ({ botToken, chatId, topicId, apiUrl }, environment) => ({
    async send(notice, signal) {
      const request = json({
        chat_id: chatId,
        ...(topicId !== undefined && { message_thread_id: topicId }),
        text: textOf(notice),
        parse_mode: 'HTML',
        link_preview_options: { is_disabled: true },
        disable_notification: notice.severity === 'started' || notice.severity === 'success',
      })
      const url = below(apiUrl, `bot${botToken}/sendMessage`)
      const { json: answer, said } = await deliver(
        { receiver: 'Telegram', url, request, secrets: [botToken], words, wait },
        environment,
        signal,
      )
      if ((answer as { ok?: unknown } | undefined)?.ok !== true) {
        throw refused('Telegram', `It answered: “${said}”.`, 'Is the API URL that of a Bot API server?')
      }
      const id = numberIn(answer, 'result', 'message_id')
      return { answer: `Telegram took it as message ${id ?? 'of unknown number'}.` }
    },
  }),
})

/** Telegram counts 4096 without the markup; with it we are on the safe side. */
function textOf(notice: Notice): string {
  const { severity, title, ...rest } = withoutMentions(notice)
  const heading = `${icons[severity]} <b>${fit(oneLine(title), 250, { escape })}</b>`
  const body = bodyOf({ ...rest, severity, title }, 4096 - heading.length - 2, {
    escape,
    // Neither a command nor a tag there, and easily copied.
    fact: (label, value) => `${label}: <code>${value}</code>`,
  })
  return `${heading}\n\n${body}`
}

function escape(character: string): string {
  return character.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function words(body: unknown): string | undefined {
  const description = textIn(body, 'description')
  const moved = numberIn(body, 'parameters', 'migrate_to_chat_id')
  return moved === undefined ? description : `${description}; the chat’s new ID is ${moved}`
}

function wait(body: unknown): number | undefined {
  return numberIn(body, 'parameters', 'retry_after')
}
