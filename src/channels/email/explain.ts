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

/** Some were accepted, and have got the mail. */
export function refusedRecipients(
  sent: { accepted: string[]; rejected: string[]; rejectedErrors?: MailFault[] | undefined },
  server: Smtp,
): AppError {
  const faults = sent.rejectedErrors ?? []
  const sentence = `${RECEIVER} took it for ${sent.accepted.join(', ')}, but not for ${each(faults, sent.rejected, server)}.`
  return final(sentence, faults)
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
    return final(`${RECEIVER} did not take it for ${each(faults, [], server)}.`, faults)
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

/** Another try is worth it if it may help every one that was refused. */
function final(sentence: string, faults: MailFault[]): AppError {
  if (faults.length > 0 && faults.every(isTemporary)) {
    return new AppError('channel_refused', sentence, { retryable: true })
  }
  return new AppError('channel_refused', sentence, {
    hint: 'Correct the addresses, or ask whoever runs the mail server why it does not take them.',
    isFinal: true,
  })
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
