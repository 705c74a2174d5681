import { AppError } from '../shared/errors.ts'
import { type Client, wait } from './client.ts'

export interface ReceivedEvent {
  /** For `after`. */
  id: string
  event: string
  data: unknown
}

export interface EventOptions {
  signal: AbortSignal
  /** The id of the last event that was received: the stream goes on behind it. */
  after?: string
  /** Milliseconds before it connects again. */
  pause?: number
}

const PAUSE = 1_000
const LONGEST_PAUSE = 30_000

/**
 * The events of a stream of the API, like `/api/v1/events`. A connection that breaks is made again, and goes on where it
 * was; some events may come twice. Ends when the app says that no more will come. Throws what the app refuses.
 */
export async function* eventsOf(
  client: Client,
  path: string,
  { signal, after, pause = PAUSE }: EventOptions,
): AsyncGenerator<ReceivedEvent, void> {
  let lastId = after
  for (let failures = 0; ;) {
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' }
      if (lastId !== undefined) headers['last-event-id'] = lastId
      const response = await client.send('GET', path, { headers, signal })
      if (response.status === 204 || !response.body) return
      failures = 0
      for await (const received of readEvents(response.body, lastId)) {
        lastId = received.id
        if (received.data !== undefined) yield received
      }
    } catch (error) {
      signal.throwIfAborted()
      // An app that is not there may be starting anew.
      const mayComeBack = error instanceof AppError && error.code === 'app_unreachable'
      if (error instanceof AppError && !error.retryable && !mayComeBack) throw error
    }
    await wait(Math.min(pause * 2 ** failures++, LONGEST_PAUSE), signal)
  }
}

/** Also what is no event but moves the id: without data. */
export async function* readEvents(
  bytes: ReadableStream<Uint8Array>,
  lastId = '',
): AsyncGenerator<ReceivedEvent, void> {
  let id = lastId
  let event = 'message'
  let data: string[] = []
  for await (const line of linesOf(bytes)) {
    const [, name, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (line === '') {
      yield { id, event, data: data.length === 0 ? undefined : JSON.parse(data.join('\n')) }
      event = 'message'
      data = []
    } else if (name === 'id') id = value
    else if (name === 'event') event = value
    else if (name === 'data') data.push(value)
  }
}

/** Not by `for await` over the stream, which not every browser knows. */
async function* linesOf(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const reader = bytes.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
