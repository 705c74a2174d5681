import { z } from 'zod'
import type { Severity } from '../../shared/notifications.ts'
import { deliver, json, textIn } from '../answers.ts'
import { defineChannel } from '../channel.ts'
import { receiverUrl, token } from '../fields.ts'
import { fit, oneLine } from '../fit.ts'
import { bodyOf, pageOf } from '../wording.ts'

const config = z.strictObject({
  url: receiverUrl('URL', 'Of the server').default('https://ntfy.sh'),
  topic: z
    .string()
    .trim()
    .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
    .meta({ title: 'Topic', description: 'On a public server whoever guesses it can read along' }),
  token: token('Token', 'For a topic that is protected').optional(),
})

export const ntfy = defineChannel({
  label: 'ntfy',
  config,
  open: ({ url, topic, token }, environment) => ({
    async send(notice, signal) {
      const page = pageOf(notice)
      const { priority, tags } = looks[notice.severity]
      const request = json(
        {
          topic,
          title: fit(oneLine(notice.title), 500, { measure }),
          message: bodyOf(notice, 4096, { measure }) || '–',
          priority,
          tags,
          ...(page !== undefined && { click: page }),
        },
        token === undefined ? {} : { authorization: `Bearer ${token}` },
      )
      const { json: answer, status } = await deliver(
        { receiver: 'ntfy', url, request, secrets: [token], words },
        environment,
        signal,
      )
      const id = textIn(answer, 'id')
      return {
        answer:
          id === undefined ? `The server answered with status ${status}.` : `ntfy took it as message ${id}.`,
      }
    },
  }),
})

/** The tags are emojis. */
const looks = {
  started: { priority: 1, tags: ['arrow_forward'] },
  success: { priority: 2, tags: ['white_check_mark'] },
  recovery: { priority: 3, tags: ['white_check_mark'] },
  warning: { priority: 4, tags: ['warning'] },
  failure: { priority: 5, tags: ['rotating_light'] },
  info: { priority: 3, tags: ['information_source'] },
} as const satisfies Record<Severity, { priority: number; tags: readonly string[] }>

/** The server counts a message in bytes, and takes twice as many of JSON: whichever comes first is never reached. */
function measure(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}

function words(body: unknown): string | undefined {
  return textIn(body, 'error')
}
