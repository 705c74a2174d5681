import { z } from 'zod'
import { signatureHeaders } from '../../lib/signature.ts'
import { deliver, json } from '../answers.ts'
import { defineChannel } from '../channel.ts'
import { receiverUrl, token } from '../fields.ts'

const config = z.strictObject({
  url: receiverUrl('URL'),
  secret: token('Secret', 'Signs each request, so that the receiver can tell that it is ours').min(
    8,
    'must have at least 8 characters',
  ),
})

export const webhook = defineChannel({
  label: 'Webhook',
  config,
  open: ({ url, secret }, environment) => ({
    async send(notice, signal) {
      const { id, event, severity, title, text, facts, url: page, at, thread, data } = notice
      const request = json({ id, event, severity, title, text, facts, url: page, at, thread, data })
      const headers = { ...request.headers, 'x-holdfast-id': id, ...signatureHeaders(secret, request.body) }
      const { status, said } = await deliver(
        { receiver: 'The webhook', url, request: { body: request.body, headers }, secrets: [secret] },
        environment,
        signal,
      )
      return { answer: `The webhook answered with status ${status}${said === '' ? '' : `: “${said}”`}.` }
    },
  }),
})
