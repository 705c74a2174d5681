import { z } from 'zod'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { visibleJobs } from './visible.ts'
import { changesSince, type JobChange, type JobWatch, watchJobs } from './job-changes.ts'
import { type EventStream, openStream, unknownEventId } from './streams.ts'

/** Changes that may wait while a client reads what it has missed. */
const MOST_WAITING = 1_000

export function eventRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    const watch = watchJobs(context, {
      onTrouble: (error) => app.log.warn({ err: error }, 'Changes of jobs could not be looked for.'),
    })
    app.get(
      '/api/v1/events',
      {
        config: { requires: 'view' },
        exposeHeadRoute: false,
        schema: {
          tags: ['events'],
          summary:
            'What happens, as server-sent events: each change of a job as “job”, with the job in its data',
          response: {
            200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
          },
        },
      },
      async (request, reply) => {
        const organizationId = request.own.organizationId
        const lastId = readId(request.headers['last-event-id'])
        let isCaughtUp = false
        const position = () => (isCaughtUp ? String(watch.position) : undefined)
        const stream = openStream(context, request, reply, { position })
        const onTrouble = (error: unknown) => {
          request.log.warn({ err: error }, 'Events could not be sent.')
          stream.end()
        }
        const onCaughtUp = () => (isCaughtUp = true)
        follow(context, watch, { organizationId, lastId, stream, onCaughtUp, onTrouble }).catch(onTrouble)
        return reply
      },
    )
  }
}

interface Listener {
  organizationId: string
  lastId: number | undefined
  stream: EventStream
  onCaughtUp: () => void
  onTrouble: (error: unknown) => void
}

/** Sends what was missed, then what happens, until the stream ends. */
async function follow(
  context: AppContext,
  watch: JobWatch,
  { organizationId, lastId, stream, onCaughtUp, onTrouble }: Listener,
): Promise<void> {
  /** What happens while the client reads what it has missed. */
  let waiting: JobChange[] | undefined = []
  let isTooMuch = false
  let sending = Promise.resolve()
  const stop = await watch.listen(organizationId, (changes) => {
    if (!waiting) {
      sending = sending.then(() => send(context, stream, changes)).catch(onTrouble)
      return
    }
    if (waiting.length + changes.length > MOST_WAITING) isTooMuch = true
    else waiting.push(...changes)
  })
  if (stream.signal.aborted) return stop()
  stream.signal.addEventListener('abort', stop, { once: true })

  let since = lastId ?? watch.position
  do {
    isTooMuch = false
    waiting = []
    for await (const changes of changesSince(context, [organizationId], since)) {
      await send(context, stream, changes)
      since = changes.at(-1)?.at ?? since
      await stream.taken()
      if (stream.signal.aborted) return
    }
  } while (isTooMuch)
  while (waiting.length > 0) {
    const next: JobChange[] = waiting
    waiting = []
    await send(context, stream, next)
  }
  waiting = undefined
  // Also a client that is cut off before anything happens comes back to where it was.
  stream.mark(String(watch.position))
  onCaughtUp()
}

/** Only what its listener may see. */
async function send(
  { store }: AppContext,
  stream: EventStream,
  changes: readonly JobChange[],
): Promise<void> {
  const visible = await visibleJobs(
    store,
    stream.caller,
    changes.map(({ job }) => job.id),
  )
  for (const { at, job } of changes.filter(({ job }) => visible.has(job.id))) {
    stream.send({ id: String(at), event: 'job', data: job })
  }
}

/** Milliseconds of the store's clock. */
function readId(lastId: string | string[] | undefined): number | undefined {
  if (lastId === undefined || lastId === '') return undefined
  if (/^\d{1,15}$/.test(String(lastId))) return Number(lastId)
  throw unknownEventId()
}
