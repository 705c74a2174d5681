import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOver } from '../../shared/jobs.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import type { OwnContext } from '../identity/callers.ts'
import { jobOf, readLog } from '../jobs/jobs.ts'
import { type EventStream, openStream, unknownEventId } from './streams.ts'

const POLL = 1_000
const PIECES = 100
/** The id of the event behind the last line. */
const END = 'end'
/** The last lines may be stored a moment after the job has ended. */
const LAST_WORDS = 5_000

/**
 * Answers with the lines of a job's log, each an event `line`, as they come, and an event `end` when the job is over.
 * Throws `not_found`, and `invalid_input` for a `Last-Event-ID` that is none of ours.
 */
export async function streamLog(
  context: OwnContext,
  request: FastifyRequest,
  reply: FastifyReply,
  jobId: string,
): Promise<void> {
  const { organizationId } = context
  await jobOf(context, organizationId, jobId)
  const lastId = request.headers['last-event-id']
  if (lastId === END) {
    // That is how a browser is told not to come back.
    await reply.code(204).send()
    return
  }
  const place = readPlace(lastId)
  const stream = openStream(context, request, reply)
  follow(context, organizationId, jobId, place, stream).catch((error: unknown) => {
    if (!stream.signal.aborted) request.log.warn({ err: error }, 'The log of a job could not be followed.')
    stream.end()
  })
}

interface Place {
  /** Of the piece that the last line is in. */
  piece: number
  /** How many of its lines were sent. */
  lines: number
}

async function follow(
  context: AppContext,
  organizationId: string,
  jobId: string,
  place: Place,
  stream: EventStream,
): Promise<void> {
  let { piece, lines: skipped } = place
  while (!stream.signal.aborted) {
    const { state, finishedAt } = await jobOf(context, organizationId, jobId)
    const pieces = await readLog(context.store, jobId, piece - 1, PIECES)
    for (const { number, lines } of pieces) {
      for (const [index, line] of lines.entries()) {
        if (number === piece && index < skipped) continue
        stream.send({ id: `${number}.${index + 1}`, event: 'line', data: line })
        // Line by line: what is read at once may be far more than may wait for a client.
        await stream.taken()
        if (stream.signal.aborted) return
      }
      piece = number
      skipped = lines.length
    }
    if (pieces.length === PIECES) continue
    if (isOver(state) && (await nowOf(context.store)) - (finishedAt ?? 0) > LAST_WORDS) {
      stream.send({ id: END, event: 'end', data: { state } })
      stream.end()
      return
    }
    await sleep(POLL, undefined, { signal: stream.signal })
  }
}

function readPlace(lastId: string | string[] | undefined): Place {
  if (lastId === undefined || lastId === '') return { piece: 0, lines: 0 }
  const [, piece, lines] = /^(\d{1,12})\.(\d{1,12})$/.exec(String(lastId)) ?? []
  if (piece !== undefined && lines !== undefined) return { piece: Number(piece), lines: Number(lines) }
  throw unknownEventId()
}
