import { z } from 'zod'
import type { Severity } from '../../shared/notifications.ts'
import { deliver, refused, textIn } from '../answers.ts'
import { defineChannel, type Notice } from '../channel.ts'
import { token } from '../fields.ts'
import { fit, oneLine } from '../fit.ts'
import { bodyOf, pageOf } from '../wording.ts'

const config = z.strictObject({
  token: token('Application token'),
  userKey: token('User key', 'Or that of a group'),
  emergency: z.boolean().default(false).meta({
    title: 'Emergency',
    description: 'A failure is repeated every minute for an hour, until somebody acknowledges it',
  }),
})

export const pushover = defineChannel({
  label: 'Pushover',
  config,
  open: ({ token, userKey, emergency }, environment) => ({
    async send(notice, signal) {
      const body = new URLSearchParams({ token, user: userKey, ...messageOf(notice, emergency) })
      const { json: answer, said } = await deliver(
        {
          receiver: 'Pushover',
          url: 'https://api.pushover.net/1/messages.json',
          request: {
            body: body.toString(),
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          },
          secrets: [token, userKey],
          words,
        },
        environment,
        signal,
      )
      if ((answer as { status?: unknown } | undefined)?.status !== 1) {
        throw refused('Pushover', `It answered: “${said}”.`)
      }
      return { answer: `Pushover took it as request ${textIn(answer, 'request') ?? 'without a number'}.` }
    },
  }),
})

const priorities = {
  started: -2,
  success: -1,
  recovery: 0,
  warning: 0,
  failure: 1,
  info: -1,
} as const satisfies Record<Severity, number>

function messageOf(notice: Notice, emergency: boolean): Record<string, string> {
  const page = pageOf(notice)
  const isEmergency = emergency && notice.severity === 'failure'
  return {
    title: fit(oneLine(notice.title), 250),
    // The page has a field of its own.
    message: bodyOf({ ...notice, url: undefined }, 1024) || '–',
    priority: String(isEmergency ? 2 : priorities[notice.severity]),
    ...(isEmergency && { retry: '60', expire: '3600' }),
    timestamp: String(Math.floor(Date.parse(notice.at) / 1000)),
    ...(page !== undefined && { url: page, url_title: 'Open in Holdfast' }),
  }
}

function words(body: unknown): string | undefined {
  const { errors } = body as { errors?: unknown }
  return Array.isArray(errors) ? errors.map(String).join(', ') : undefined
}
