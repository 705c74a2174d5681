import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { KeyPair } from './certificates.ts'

export interface ReceivedMail {
  from: string
  to: string[]
  /** As it came. */
  source: string
  /** Whether the line was encrypted when it came. */
  encrypted: boolean
  user: string | undefined
}

export interface SmtpReceiver extends AsyncDisposable {
  port: number
  received: ReceivedMail[]
  /** From now on: how recipients, and the mail as a whole, are refused. */
  refuse(refusal: SmtpRefusal): void
}

export interface SmtpRefusal {
  recipient?: (address: string) => { code: number; text: string } | undefined
  mail?: (source: string) => { code: number; text: string }
}

export interface SmtpReceiverOptions {
  certificate: KeyPair
  user: string
  password: string
  /** TLS from the start, offered by STARTTLS, or not at all. */
  tls?: 'tls' | 'starttls' | 'none'
}

/** A mail server on a loopback port that keeps what it gets. */
export async function startSmtpReceiver(options: SmtpReceiverOptions): Promise<SmtpReceiver> {
  const { certificate, user, password, tls = 'starttls' } = options
  const received: ReceivedMail[] = []
  let refusal: SmtpRefusal = {}
  const refused = (reply: { code: number; text: string }) =>
    Object.assign(new Error(reply.text), { responseCode: reply.code })
  const server = new SMTPServer({
    secure: tls === 'tls',
    cert: certificate.certificate,
    key: certificate.key,
    hideSTARTTLS: tls !== 'starttls',
    disabledCommands: tls === 'none' ? ['STARTTLS'] : [],
    allowInsecureAuth: tls === 'none',
    logger: false,
    onAuth(auth, _session, callback) {
      if (auth.username === user && auth.password === password) callback(null, { user })
      else callback(refused({ code: 535, text: `5.7.8 Wrong password ${auth.password} of ${auth.username}` }))
    },
    onRcptTo({ address }, _session, callback) {
      const reply = refusal.recipient?.(address)
      callback(reply ? refused(reply) : null)
    },
    onData(stream, session, callback) {
      const keep = (source: string): void => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          source,
          encrypted: session.secure,
          user: session.user,
        })
      }
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const source = Buffer.concat(chunks).toString('utf8')
        if (refusal.mail) return callback(refused(refusal.mail(source)))
        keep(source)
        callback(null, 'queued as 4F2A')
      })
    },
  })
  server.on('error', () => undefined) // of connections that a client breaks off
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    received,
    refuse: (now) => {
      refusal = now
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const connection of server.connections) connection.close()
      })
    },
  }
}

/** Takes connections on a loopback port, and never says a word. */
export async function startSilence(): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined) // whoever waits here has given up
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** The parts of a mail as a program shows them: the headers unfolded and decoded, the texts decoded. */
export function readMail(source: string): { headers: Map<string, string>; text: string; html: string } {
  const { headers, body } = split(source)
  const [, boundary = ''] = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '') ?? []
  const parts = body.split(`--${boundary}`).slice(1, -1).map(split)
  const part = (type: string): string => {
    const found = parts.find(({ headers }) => headers.get('content-type')?.startsWith(type))
    const encoding = found?.headers.get('content-transfer-encoding')
    const raw = (found?.body ?? '').replace(/\r\n$/, '')
    if (encoding === 'base64') return Buffer.from(raw, 'base64').toString('utf8')
    return encoding === 'quoted-printable' ? quotedPrintable(raw.replace(/=\r\n/g, '')) : raw
  }
  return { headers, text: part('text/plain'), html: part('text/html') }
}

function split(source: string): { headers: Map<string, string>; body: string } {
  const trimmed = source.replace(/^\r\n/, '')
  const end = trimmed.indexOf('\r\n\r\n')
  const lines = trimmed
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), words(line.slice(colon + 1).trim())]
    }),
  )
  return { headers, body: trimmed.slice(end + 4) }
}

/** `=?UTF-8?Q?…?=`; between two of them white space is nothing. */
function words(header: string): string {
  return header
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_all, encoding: string, text: string) =>
      encoding.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString('utf8')
        : quotedPrintable(text.replaceAll('_', ' ')),
    )
}

function quotedPrintable(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
