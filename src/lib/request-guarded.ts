import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { AppError, messageOf } from '../shared/errors.ts'
import { checkedUrl, guardedLookup } from './ssrf.ts'
import { CERTIFICATE_HINT, tlsReason } from './tls-faults.ts'

export interface RequestOptions {
  /** GET, unless there is a body: then POST. */
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** For all of it, redirects and the answer's body included. In milliseconds; half a minute unless told otherwise. */
  timeout?: number
  /** So many bytes of the answer's body are read; 64 KiB unless told otherwise. */
  maxAnswer?: number
  /** Instead of the system's. */
  lookup?: LookupFunction
}

/** Whatever the status. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** As UTF-8, at most `maxAnswer` bytes of it. */
  body: string
  /** Who has answered, after all redirects: host, and port if it is not the usual one. */
  host: string
  /** The origin that a redirect led to, if headers were left out for it: `https://push.example.com`. */
  withoutHeadersAt?: string
}

const REDIRECTS = 5
/** What is still sent when a redirect leads to another origin; the other headers may be secrets. */
const harmless = new Set(['accept', 'content-type', 'user-agent'])

/**
 * Asks a URL that somebody has entered. Every address is checked when it is connected to (`ssrf.ts`), also behind
 * redirects, of which five are followed. Connections are direct, whatever proxy the environment names, since a proxy
 * would look the names up itself; certificates are verified.
 *
 * A redirect is followed only if it cannot lose the body: 307 and 308 repeat the request, 301, 302 and 303 would
 * continue with a GET, whose success says nothing about the message. None is followed from https to http. Elsewhere
 * than at the first origin, headers that may be secrets are left out, and the answer says so. That is also so where the
 * same host only goes on to https: to keep them would work, and would send the secrets in the clear for ever, where now
 * somebody is told to enter the better address.
 *
 * Throws `address_refused`, `channel_unreachable` (also when the time is up), `tls_failed`, `channel_refused` for a
 * redirect that is not followed, or the signal's reason. The sentences show no more of any URL than its host.
 */
export async function requestGuarded(
  url: string | URL,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted()
  const { timeout = 30_000 } = options
  const limit = AbortSignal.timeout(timeout)
  const until = AbortSignal.any([signal, limit])
  let current = checkedUrl(url)
  let headers = { 'user-agent': 'Holdfast', ...lowerCased(options.headers ?? {}) }
  let withoutHeadersAt: string | undefined
  try {
    for (let redirects = 0; ; redirects++) {
      const { answer, response } = await ask(current, headers, options, until)
      const location = response.headers.location
      if (answer.status < 300 || answer.status > 399 || answer.status === 304 || location === undefined) {
        return withoutHeadersAt === undefined ? answer : { ...answer, withoutHeadersAt }
      }
      const next = target(location, current)
      refuseRedirect({ status: answer.status, redirects, from: current, to: next, options })
      if (next.origin !== current.origin) {
        const kept = Object.entries(headers).filter(([name]) => harmless.has(name))
        if (kept.length < Object.keys(headers).length) withoutHeadersAt = next.origin
        headers = Object.fromEntries(kept) as typeof headers
      }
      current = next
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (limit.aborted) {
      throw new AppError(
        'channel_unreachable',
        `${current.host} did not answer within ${timeout / 1000} seconds.`,
      )
    }
    throw explained(error, current)
  }
}

async function ask(
  url: URL,
  headers: Record<string, string>,
  { method, body, maxAnswer = 65_536, lookup }: RequestOptions,
  signal: AbortSignal,
): Promise<{ answer: Answer; response: IncomingMessage }> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  const request = send(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    lookup: guardedLookup(lookup),
    // An own connection: no other request's proxy, certificates or idle socket.
    agent: false,
    signal,
  })
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject).end(body)
    })
    const answer: Answer = {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await beginningOf(response, maxAnswer),
      host: url.host,
    }
    return { answer, response }
  } finally {
    request.destroy()
  }
}

async function beginningOf(response: IncomingMessage, bytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let read = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    read += chunk.length
    if (read >= bytes) break
  }
  return Buffer.concat(chunks).subarray(0, bytes).toString('utf8')
}

function target(location: string, from: URL): URL {
  const url = URL.parse(location, from.href)
  if (!url) throw refusedRedirect(from, 'to what is no URL')
  try {
    return checkedUrl(url)
  } catch (error) {
    // Not about the address that was entered.
    if (error instanceof AppError && error.code === 'invalid_input') {
      throw refusedRedirect(from, 'to an address that is not http or https, or has a password in it')
    }
    throw error
  }
}

function refuseRedirect(redirect: {
  status: number
  redirects: number
  from: URL
  to: URL
  options: RequestOptions
}): void {
  const { status, redirects, from, to, options } = redirect
  const isRepeated = status === 307 || status === 308
  if (!isRepeated && options.body !== undefined) {
    throw refusedRedirect(from, `to ${to.host} without the message (status ${status})`)
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw refusedRedirect(from, `to ${to.host}, which is not encrypted`)
  }
  if (redirects === REDIRECTS) throw refusedRedirect(from, `once more, after ${REDIRECTS} redirects`)
}

function refusedRedirect(from: URL, where: string): AppError {
  return new AppError('channel_refused', `${from.host} redirects ${where}; this is not followed.`, {
    hint: 'Enter the address that it redirects to, beginning with https:// if it has a certificate.',
    isFinal: true,
  })
}

/** The cause is left out: errors of the HTTP parser carry what was received, which may repeat a secret. */
function explained(error: unknown, url: URL): AppError {
  if (error instanceof AppError) return error
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const code = first instanceof Error && 'code' in first ? String(first.code) : ''
  const { hostname, host } = url
  if (code === 'ENOTFOUND') return new AppError('channel_unreachable', `There is no host “${hostname}”.`)
  if (code === 'ENODATA' || code.startsWith('EAI_')) {
    return new AppError('channel_unreachable', `The name “${hostname}” could not be looked up (${code}).`)
  }
  const reason = tlsReason(first, code)
  if (reason !== undefined) {
    return new AppError('tls_failed', `No encrypted connection to ${host}: ${reason}.`, {
      hint: CERTIFICATE_HINT,
    })
  }
  if (code.startsWith('HPE_')) {
    return new AppError('channel_unreachable', `${host} did not answer in HTTP (${code}).`)
  }
  return new AppError('channel_unreachable', `${host} could not be reached: ${messageOf(first)}.`)
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
