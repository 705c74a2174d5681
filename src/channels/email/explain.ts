import { CERTIFICATE_HINT, tlsReason } from '../../lib/tls-faults.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import type { Smtp } from '../../shared/instance-settings.ts'
import { quote, refused } from '../answers.ts'

/** As nodemailer throws it. */
interface MailFault extends Error {
  code?: string
  /** Of the socket, where `code` is nodemailer's own. */
  originalCode?: string
  response?: string
  responseCode?: number
  recipient?: string
  rejectedErrors?: MailFault[]
}

const RECEIVER = 'The mail server'
const ADDRESS_HINT = 'Correct the addresses, or ask whoever runs the mail server why it does not take them.'

/** Some were accepted, and have got the mail. Final, whatever the reason: another try would tell those again. */
export function refusedRecipients(
  sent: { accepted: string[]; rejected: string[]; rejectedErrors?: MailFault[] | undefined },
  server: Smtp,
): AppError {
  const faults = sent.rejectedErrors ?? []
  return new AppError(
    'channel_refused',
    `${RECEIVER} took it for ${sent.accepted.join(', ')}, but not for ${each(faults, sent.rejected, server)}.`,
    { hint: `It is not sent again, since the others have it. ${ADDRESS_HINT}`, isFinal: true },
  )
}

export function explained(error: unknown, server: Smtp): AppError {
  if (error instanceof AppError) return error
  const fault = error as MailFault
  const { host, port } = server
  const code = fault.originalCode ?? fault.code ?? ''
  const said = quote(fault.response ?? '', secretsOf(server))
  const reason = tlsReason(fault, code) ?? (fault.code === 'ETLS' ? said || messageOf(fault) : undefined)
  if (reason !== undefined) {
    return new AppError('tls_failed', `No encrypted connection to the mail server ${host}: ${reason}.`, {
      hint:
        fault.code === 'ETLS' && said !== ''
          ? 'The server does not offer STARTTLS at this port: try TLS from the start, at port 465.'
          : CERTIFICATE_HINT,
    })
  }
  const faults = fault.rejectedErrors ?? []
  if (faults.length > 0) {
    const sentence = `${RECEIVER} did not take it for ${each(faults, [], server)}.`
    // Nobody has got it: another try is worth it if it may help any of them.
    if (faults.some(isTemporary)) return new AppError('channel_refused', sentence, { retryable: true })
    return new AppError('channel_refused', sentence, { hint: ADDRESS_HINT, isFinal: true })
  }
  if (said !== '') {
    if (isTemporary(fault)) {
      return new AppError('channel_unreachable', `${RECEIVER} ${host} has trouble of its own: “${said}”.`)
    }
    const hint =
      fault.code === 'EAUTH'
        ? 'Check user and password of the mail server in the settings of the installation.'
        : 'Check the sender, and whether this server sends for it.'
    return refused(`${RECEIVER} ${host}`, `It answered: “${said}”.`, hint)
  }
  if (fault.code === 'EAUTH') {
    return refused(`${RECEIVER} ${host}`, `${quote(messageOf(fault), secretsOf(server))}.`)
  }
  return new AppError(
    'channel_unreachable',
    `The mail server ${host}:${port} could not be reached: ${quote(messageOf(fault), secretsOf(server))}.`,
  )
}

function each(faults: MailFault[], addresses: string[], server: Smtp): string {
  const named = faults.map(
    ({ recipient, response, message }) =>
      `${recipient ?? 'a recipient'} (“${quote(response ?? message, secretsOf(server))}”)`,
  )
  return (named.length > 0 ? named : addresses).join(', ')
}

function isTemporary({ responseCode = 0 }: MailFault): boolean {
  return responseCode >= 400 && responseCode < 500
}

/** As they are, and as they travel. */
export function secretsOf({ user = '', password }: Smtp): (string | undefined)[] {
  if (password === undefined) return []
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return [password, base64(password), base64(`\0${user}\0${password}`)]
}
