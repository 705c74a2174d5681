import type { Answer, RequestOptions } from '../lib/request-guarded.ts'
import { redact } from '../lib/redact.ts'
import { requestGuarded } from '../lib/request-guarded.ts'
import { AppError } from '../shared/errors.ts'
import type { ChannelEnvironment } from './channel.ts'
import { fit, oneLine } from './fit.ts'

/** The receiver takes no more for now. Worth another try. */
export class AskedToWait extends AppError {
  /** So long, if it said how long. */
  readonly seconds: number | undefined

  constructor(sentence: string, seconds: number | undefined) {
    super('channel_refused', sentence, { retryable: true })
    this.seconds = seconds
  }
}

/** One message of a channel, and what its receiver made of it. */
export interface Message {
  /** Whose answer it is, for sentences: “Slack”. */
  receiver: string
  url: string
  request: Omit<RequestOptions, 'timeout' | 'lookup'>
  /** Never repeated to anybody, whatever the receiver says. */
  secrets: readonly (string | undefined)[]
  /** The receiver's own words in an answer's body, where it does not simply stand there. */
  words?: (body: unknown) => string | undefined
  /** The seconds that an answer's body says we should wait. */
  wait?: (body: unknown) => number | undefined
}

export interface Accepted {
  status: number
  /** As JSON; undefined if it is none. */
  json: unknown
  /** The receiver's words, short and without secrets; empty if it said nothing. */
  said: string
}

/** Sends the message, and throws what its status means unless that is success. */
export async function deliver(
  message: Message,
  { request = requestGuarded, lookup, timeout }: ChannelEnvironment,
  signal: AbortSignal,
): Promise<Accepted> {
  const { receiver, url, secrets } = message
  const answer = await request(
    url,
    { ...message.request, ...(lookup && { lookup }), ...(timeout !== undefined && { timeout }) },
    signal,
  )
  const json = asJson(answer.body)
  const said = quote((json === undefined ? undefined : message.words?.(json)) ?? answer.body, secrets)
  const { status } = answer
  if (status >= 200 && status < 300) return { status, json, said }
  const inItsWords = said === '' ? `with status ${status}` : `with status ${status}: “${said}”`
  if (status === 429) {
    const seconds = message.wait?.(json) ?? retryAfter(answer)
    const when = seconds === undefined ? '' : ` for ${Math.ceil(seconds)} seconds`
    throw new AskedToWait(`${receiver} asks to wait${when}. It answered ${inItsWords}.`, seconds)
  }
  if (status >= 500 || status === 408 || status === 425) {
    throw new AppError(
      'channel_unreachable',
      `${receiver} has trouble of its own. It answered ${inItsWords}.`,
    )
  }
  throw refused(receiver, `It answered ${inItsWords}.`, hintFor(answer, secrets))
}

/** For receivers that say no in an answer that looks like success, too. */
export function refused(receiver: string, sentence: string, hint?: string): AppError {
  return new AppError('channel_refused', `${receiver} did not take the message. ${sentence}`, {
    ...(hint !== undefined && { hint }),
    isFinal: true,
  })
}

/** A JSON body, and the header that says so. */
export function json(
  value: unknown,
  headers: Record<string, string> = {},
): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json', ...headers } }
}

/** What somebody said, in one short line and without the secrets, however these are spelled in it. */
export function quote(text: string, secrets: readonly (string | undefined)[]): string {
  return fit(oneLine(redact(text, secrets)), 300)
}

/** A text property of something unknown. */
export function textIn(value: unknown, ...path: string[]): string | undefined {
  const found = path.reduce<unknown>(
    (at, name) => (at as Record<string, unknown> | null | undefined)?.[name],
    value,
  )
  return typeof found === 'string' && found !== '' ? found : undefined
}

export function numberIn(value: unknown, ...path: string[]): number | undefined {
  const found = path.reduce<unknown>(
    (at, name) => (at as Record<string, unknown> | null | undefined)?.[name],
    value,
  )
  return typeof found === 'number' ? found : undefined
}

function asJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined // it answered in another language
  }
}

/** Seconds, or a date. */
function retryAfter({ headers }: Answer): number | undefined {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000)
}

function hintFor({ status, withoutHeadersAt }: Answer, secrets: Message['secrets']): string {
  // Whatever it says then, it has not seen them.
  if (withoutHeadersAt !== undefined) {
    const origin = quote(withoutHeadersAt, secrets)
    return `A redirect leads to ${origin}, and no token or signature is taken along: enter that address itself.`
  }
  if (status === 401 || status === 403) return 'Enter its token or URL again: it does not accept this one.'
  if (status === 404 || status === 410) {
    return 'Make a new address there and enter it: the receiver does not know this one (any more).'
  }
  return 'Correct the channel’s settings, then test it.'
}
