import { z } from 'zod'
import type { Severity } from '../../shared/notifications.ts'
import { deliver, json, numberIn, textIn } from '../answers.ts'
import { defineChannel } from '../channel.ts'
import { below, receiverUrl, token } from '../fields.ts'
import { fit, oneLine } from '../fit.ts'
import { bodyOf, pageOf } from '../wording.ts'

const config = z.strictObject({
  url: receiverUrl('URL', 'Of the server: https://gotify.example.com'),
  token: token('Token', 'Of the application that Holdfast is there'),
})

export const gotify = defineChannel({
  label: 'Gotify',
  config,
  open: ({ url, token }, environment) => ({
    async send(notice, signal) {
      const page = pageOf(notice)
      const request = json(
        {
          title: fit(oneLine(notice.title), 250),
          message: bodyOf(notice, 8000) || '–',
          priority: priorities[notice.severity],
          extras: {
            'client::display': { contentType: 'text/plain' },
            ...(page !== undefined && { 'client::notification': { click: { url: page } } }),
          },
        },
        { 'x-gotify-key': token },
      )
      const { json: answer, status } = await deliver(
        { receiver: 'Gotify', url: below(url, 'message'), request, secrets: [token], words },
        environment,
        signal,
      )
      const id = numberIn(answer, 'id')
      return {
        answer:
          id === undefined
            ? `The server answered with status ${status}.`
            : `Gotify took it as message ${id}.`,
      }
    },
  }),
})

/** From 4 on its apps make a sound, from 8 on they insist. */
const priorities = {
  started: 0,
  success: 2,
  recovery: 5,
  warning: 5,
  failure: 8,
  info: 3,
} as const satisfies Record<Severity, number>

function words(body: unknown): string | undefined {
  return textIn(body, 'errorDescription') ?? textIn(body, 'error')
}
