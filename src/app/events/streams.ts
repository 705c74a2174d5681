import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../shared/errors.ts'
import { type Caller, renewCaller, signedIn } from '../identity/callers.ts'
import type { AppContext } from '../context.ts'

/** A stream of server-sent events to one client. */
export interface EventStream {
  /** Aborts when there is no point in going on: the client has gone or is too slow, it may not listen any more, or the app stops. */
  readonly signal: AbortSignal
  /** Who listens, as of the last heartbeat. */
  readonly caller: Caller
  /** Sends an event. A client that leaves too much lying about is cut off: it comes back with `Last-Event-ID`. */
  send(event: ServerEvent): void
  /** Moves the client’s `Last-Event-ID`, without an event. */
  mark(id: string): void
  /** Resolves when the client has taken most of what was sent, or never will. */
  taken(): Promise<void>
  /** All is sent. */
  end(): void
}

export interface ServerEvent {
  id: string
  event: string
  data: unknown
}

export interface StreamOptions {
  /** The id that a client which has everything should come back with; undefined: that of the last event. */
  position?: () => string | undefined
  heartbeat?: number
}

/** Proxies and clients cut off what is silent for a minute, or half of one. */
const HEARTBEAT = 15_000
/** Bytes that may wait for a client. */
const MOST_WAITING = 1_048_576
/** Milliseconds for a client to take what waits. */
const PATIENCE = 60_000
/** Milliseconds for it to take the end, when the app stops. */
const LAST_PATIENCE = 1_000

/** Whether the request asks for a stream of events rather than for an answer. */
export function wantsEvents({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers.accept?.includes('text/event-stream') === true
}

/** Answers with a stream, which begins at once. */
export function openStream(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { position = () => undefined, heartbeat = HEARTBEAT }: StreamOptions = {},
): EventStream {
  let caller = signedIn(request.caller)
  const { closing } = request.server
  const gone = new AbortController()
  const stream = new PassThrough()
  const write = (text: string) => {
    if (gone.signal.aborted) return
    stream.write(text)
    if (stream.readableLength + stream.writableLength > MOST_WAITING) stream.destroy()
  }
  const mark = (id: string) => write(`:\nid: ${id}\n\n`)
  const beat = async () => {
    const id = position()
    if (id === undefined) write(':\n\n')
    else mark(id)
    try {
      const renewed = await renewCaller(context.store, caller)
      if (renewed) caller = renewed
      else end()
    } catch {
      // The store is away: it is not the client's fault.
    }
  }
  const end = () => {
    gone.abort()
    stream.end()
  }
  const close = () => {
    end()
    const timer = setTimeout(() => stream.destroy(), LAST_PATIENCE)
    stream.once('close', () => clearTimeout(timer))
  }
  const timer = setInterval(() => void beat(), heartbeat)
  stream.once('close', () => {
    gone.abort()
    clearInterval(timer)
    closing.removeEventListener('abort', close)
  })
  stream.on('error', () => {}) // it is told by `signal`
  if (closing.aborted) close()
  else closing.addEventListener('abort', close, { once: true })

  write(':\n\n')
  void reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no') // nginx would keep it all until the end
    .send(stream)
  return {
    signal: gone.signal,
    get caller() {
      return caller
    },
    send: ({ id, event, data }) => write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    mark,
    async taken() {
      if (gone.signal.aborted || !stream.writableNeedDrain) return
      const late = AbortSignal.timeout(PATIENCE)
      try {
        await once(stream, 'drain', { signal: AbortSignal.any([gone.signal, late]) })
      } catch {
        if (late.aborted) stream.destroy()
      }
    },
    end,
  }
}

/** A client’s `Last-Event-ID` is none of ours. */
export function unknownEventId(): AppError {
  const message = 'must be the id of an event of this stream'
  return new AppError('invalid_input', `Last-Event-ID: ${message}.`, {
    fields: [{ field: 'Last-Event-ID', message }],
  })
}
