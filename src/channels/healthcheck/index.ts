import { z } from 'zod'
import type { Severity } from '../../shared/notifications.ts'
import { AskedToWait, deliver, refused } from '../answers.ts'
import { defineChannel } from '../channel.ts'
import { below, secretUrl } from '../fields.ts'
import { bytesOf, fit, oneLine } from '../fit.ts'
import { bodyOf } from '../wording.ts'

const config = z.strictObject({
  pingUrl: secretUrl('Ping URL', 'https://hc-ping.com/…, or one of your own server'),
})

export const healthcheck = defineChannel({
  label: 'Health check',
  config,
  wants: 'all severities',
  open: ({ pingUrl }, environment) => ({
    async send(notice, signal) {
      const end = ends[notice.severity]
      if (end === undefined) {
        return {
          isSent: false,
          answer:
            'Nothing was sent: a health check is told of starts, successes and failures, and this is none of them.',
        }
      }
      const title = fit(oneLine(notice.title), 1000, { measure: bytesOf })
      const { status, said } = await deliver(
        {
          receiver: 'The health check',
          url: end === '' ? pingUrl : below(pingUrl, end),
          request: {
            method: 'POST',
            body: `${title}\n\n${bodyOf(notice, 9000, { measure: bytesOf })}`,
            headers: { 'content-type': 'text/plain; charset=utf-8' },
          },
          secrets: [pingUrl],
        },
        environment,
        signal,
      )
      // Both have status 200.
      if (/^OK \(not found\)$/i.test(said)) {
        throw refused('The health check', `It answered: “${said}”.`, 'Copy the ping URL from the check anew.')
      }
      if (/^OK \(rate limited\)$/i.test(said)) {
        throw new AskedToWait(`The health check did not count the ping. It answered: “${said}”.`, undefined)
      }
      const what = end === '' ? 'success' : end
      return {
        answer: `The health check was told “${what}”, and answered with status ${status}${said === '' ? '' : `: “${said}”`}.`,
      }
    },
  }),
})

/** What is put behind the ping URL. */
const ends = {
  started: 'start',
  success: '',
  recovery: '',
  failure: 'fail',
  warning: undefined,
  info: undefined,
} as const satisfies Record<Severity, string | undefined>
