import { AppError, type ErrorCode, type ErrorDetails, errors, messageOf } from '../shared/errors.ts'
import type { Problem } from '../shared/problems.ts'
import type { Operations } from './api.ts'

/*
 * The API for the command line and the web page: nothing in here needs more than a browser has. What can be asked, and
 * what is answered, is in api.ts.
 */

export interface ClientOptions {
  /** `https://backups.example.com`, as HOLDFAST_URL has it. */
  url: string
  /** A browser has a session instead. */
  token?: string | undefined
  fetch?: typeof fetch
  /** How often a request is sent in all when it does not come through; 4 if absent. */
  tries?: number
  /** Milliseconds before the second try, doubled before each further one. */
  pause?: number
}

export interface Client {
  /**
   * Asks the app: `await ask('GET /api/v1/servers/{id}', { params: { id } })`. Throws the app's own error, and
   * `app_unreachable`. What did not come through is sent again where that is safe: reading always, a POST under its
   * `Idempotency-Key`.
   */
  ask<O extends keyof Operations>(operation: O, ...given: Given<O>): Promise<Answer<Operations[O]['answer']>>
  /** The same without types, for a path that is complete. */
  call<Body>(method: string, path: string, input?: CallInput): Promise<Answer<Body>>
  /** Sends a request once, and hands over what it is answered with, unless that is an error. */
  send(method: string, path: string, init?: RequestInit): Promise<Response>
}

export interface Answer<Body> {
  body: Body
  status: number
  /** For `ifMatch`. */
  etag: string | undefined
  location: string | undefined
  /** It is the answer to an earlier request with the same key. */
  isReplayed: boolean
}

interface CallOptions {
  signal?: AbortSignal | undefined
  /** The etag of what was read: if somebody has changed it since, `changed_meanwhile` is thrown. */
  ifMatch?: string | undefined
  /** Of a POST that may have been sent before; a new one if absent. */
  idempotencyKey?: string | undefined
}

type Input<O extends keyof Operations> = Omit<Operations[O], 'answer'> & CallOptions
export type Given<O extends keyof Operations> =
  object extends Input<O> ? [given?: Input<O>] : [given: Input<O>]

/** The operations that give a list, page by page. */
export type ListOperation = {
  [O in keyof Operations]: Operations[O]['answer'] extends { nextCursor: string | null } ? O : never
}[keyof Operations]

export type Item<O extends ListOperation> = Operations[O]['answer'] extends { items: (infer I)[] } ? I : never

type QueryValue = string | number | boolean | undefined

export interface CallInput extends CallOptions {
  query?: Record<string, QueryValue | QueryValue[]>
  body?: unknown
}

interface AnyInput extends CallInput {
  params?: Record<string, string>
}

const TRIES = 4
const PAUSE = 500
const LONGEST_PAUSE = 60_000
/** The app was not able to begin: what is busy or overloaded now may answer soon. */
const worthWaiting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'app_unreachable',
  'request_in_progress',
  'store_unavailable',
  'too_many_requests',
])

/** A client of the app at that address. It connects only when something is asked. */
export function connect(options: ClientOptions): Client {
  const send: Client['send'] = (method, path, init = {}) => request(options, method, path, init)
  return {
    send,
    call: (method, path, input = {}) => call(options, method, path, input),
    async ask(operation, ...given) {
      const { params = {}, ...input } = (given[0] ?? {}) as AnyInput
      const [method = '', template = ''] = operation.split(' ')
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
      return await call(options, method, path, input)
    },
  }
}

/** All items of a list, however many pages it has. */
export async function* itemsOf<O extends ListOperation>(
  client: Client,
  operation: O,
  ...given: Given<O>
): AsyncGenerator<Item<O>, void> {
  const { query, ...rest } = (given[0] ?? {}) as AnyInput
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = { ...rest, query: { limit: 200, ...query, ...(cursor !== undefined && { cursor }) } }
    const { body } = await client.ask(operation, ...([page] as unknown as Given<O>))
    const { items, nextCursor } = body as { items: Item<O>[]; nextCursor: string | null }
    yield* items
    cursor = nextCursor
  }
}

/** Resolves after so many milliseconds, or rejects with the signal's reason. */
export function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

async function call<Body>(
  options: ClientOptions,
  method: string,
  path: string,
  { query = {}, body, signal, ifMatch, idempotencyKey }: CallInput,
): Promise<Answer<Body>> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (ifMatch !== undefined) headers['if-match'] = ifMatch
  if (method === 'POST') headers['idempotency-key'] = idempotencyKey ?? newKey()
  const init: RequestInit = { headers }
  if (body !== undefined) init.body = JSON.stringify(body)
  if (signal) init.signal = signal
  const mayRepeat = method === 'GET' || method === 'POST'
  return await repeat(options, mayRepeat, signal, async () => {
    const response = await request(options, method, path + queryOf(query), init)
    return await answerOf(options, response)
  })
}

async function request(
  { url, token, fetch: send = fetch }: ClientOptions,
  method: string,
  path: string,
  init: RequestInit,
): Promise<Response> {
  const headers = new Headers(init.headers)
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  let response: Response
  try {
    response = await send(url.replace(/\/$/, '') + path, { ...init, method, headers, redirect: 'error' })
  } catch (error) {
    init.signal?.throwIfAborted()
    throw unreachable(url, reasonOf(error), { cause: error, retryable: !isNobodyThere(error) })
  }
  if (response.ok) return response
  throw await errorOf(url, response)
}

async function repeat<T>(
  { tries = TRIES, pause = PAUSE }: ClientOptions,
  mayRepeat: boolean,
  signal: AbortSignal | undefined,
  once: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await once()
    } catch (error) {
      const isWorthIt = error instanceof AppError && error.retryable && worthWaiting.has(error.code)
      if (!mayRepeat || tried >= tries || !isWorthIt) throw error
      // So that those who failed together do not come back together.
      const doubled = pause * 2 ** (tried - 1) * (0.75 + Math.random() / 2)
      await wait(Math.min(Math.max(doubled, retryAfter.get(error) ?? 0), LONGEST_PAUSE), signal)
    }
  }
}

async function answerOf<Body>({ url }: ClientOptions, response: Response): Promise<Answer<Body>> {
  const { status, headers } = response
  const text = await textOf(url, response)
  const isJson = headers.get('content-type')?.startsWith('application/json') === true
  if (!isJson && text !== '') throw unreachable(url, `HTTP ${status}, and no JSON`)
  return {
    body: (text === '' ? null : parse(url, text)) as Body,
    status,
    etag: headers.get('etag') ?? undefined,
    location: headers.get('location') ?? undefined,
    isReplayed: headers.get('idempotency-replayed') === 'true',
  }
}

function parse(url: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreachable(url, 'what it says is not JSON', { cause: error })
  }
}

/** The answer may break off in its middle. */
async function textOf(url: string, response: Response): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error
    throw unreachable(url, reasonOf(error), { cause: error })
  }
}

/** Milliseconds after which the app wants to be asked again. */
const retryAfter = new WeakMap<AppError, number>()

async function errorOf(url: string, response: Response): Promise<AppError> {
  const text = await textOf(url, response)
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true
  if (!isProblem) return unreachable(url, `HTTP ${response.status} ${response.statusText}`.trim())
  const { code, title, hint, retryable, errors: fields } = parse(url, text) as Problem
  // A newer app may have codes that we do not know.
  const error = new AppError(Object.hasOwn(errors, code) ? code : 'internal', title, {
    retryable,
    ...(hint !== undefined && { hint }),
    ...(fields && { fields }),
  })
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  if (Number.isFinite(seconds)) retryAfter.set(error, seconds * 1000)
  return error
}

function unreachable(url: string, reason: string, details: ErrorDetails = {}): AppError {
  return new AppError('app_unreachable', `Holdfast does not answer at ${url}: ${reason}.`, {
    hint: 'Check the address, and that the app runs.',
    ...details,
  })
}

/** Not a line that was cut, but an app that does not run, or an address that is wrong: who waits for it waits in vain. */
function isNobodyThere(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { code?: string }
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND'
}

/** “fetch failed” says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return messageOf(cause).replace(/\.$/, '')
}

function queryOf(query: NonNullable<AnyInput['query']>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined) search.append(name, String(one))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** Not `randomUUID`, which a page that came over plain HTTP does not have. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
