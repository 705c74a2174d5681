import { z } from 'zod'
import { createTransport } from 'nodemailer'
import { AppError } from '../../shared/errors.ts'
import type { Smtp } from '../../shared/instance-settings.ts'
import { quote } from '../answers.ts'
import { defineChannel, type Notice } from '../channel.ts'
import { explained, refusedRecipients, secretsOf } from './explain.ts'
import { mailOf } from './mail.ts'

const ADDRESS = 'must be an e-mail address'

const config = z.strictObject({
  to: z
    .array(z.email(ADDRESS).max(320, ADDRESS))
    .min(1, 'needs at least one address')
    .max(50, 'must have at most 50 addresses')
    .meta({ title: 'To' }),
})

export const email = defineChannel({
  label: 'E-mail',
  config,
  open: ({ to }, { mail, timeout = 30_000 }) => ({
    async send(notice, signal) {
      signal.throwIfAborted()
      const server = await mail?.()
      if (!server) throw noServer()
      const limit = AbortSignal.timeout(timeout)
      try {
        return { answer: await hand(notice, to, server, timeout, AbortSignal.any([signal, limit])) }
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (limit.aborted) {
          throw new AppError(
            'channel_unreachable',
            `The mail server ${server.host} did not answer within ${timeout / 1000} seconds.`,
          )
        }
        throw explained(error, server)
      }
    },
  }),
})

/** To all of them at once. What the server said is the answer. */
async function hand(
  notice: Notice,
  to: readonly string[],
  server: Smtp,
  timeout: number,
  signal: AbortSignal,
): Promise<string> {
  const { host, port, tls, user, password } = server
  const transport = createTransport({
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    // Nothing is read from a file or a URL, whatever a text looks like.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const sent = await transport.sendMail({ ...mailOf(notice, server.from), to: [...to], signal })
    if (sent.rejected.length > 0) throw refusedRecipients(sent, server)
    const people = sent.accepted.length === 1 ? 'one recipient' : `${sent.accepted.length} recipients`
    return `The mail server took it for ${people}: “${quote(sent.response, secretsOf(server))}”.`
  } finally {
    transport.close()
  }
}

function noServer(): AppError {
  return new AppError('invalid_input', 'No mail server is set, so that no mail can be sent.', {
    hint: 'Enter host, port, user and sender as SMTP in the settings of the installation.',
    isFinal: true,
  })
}
