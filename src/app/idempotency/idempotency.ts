import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Problem } from '../../shared/problems.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { free, type RequestPlace, type Reservation, reserve, setAnswer, setJob } from './store.ts'

export { forgetAnswers, forgetOldAnswers } from './store.ts'

/*
 * A key is reserved before its request is done, and gets the answer before anybody else does: so of all that carry it,
 * one is done. If the process dies in between, nobody knows how far it came; then the key is free again after a while,
 * and what the request makes must have a name of its own. A job has none: it is noted in the transaction that starts it,
 * and whoever sends the request again goes on with that job.
 */

const LONGEST_ANSWER = 1_048_576
const KEPT_HEADERS = ['content-type', 'location', 'etag'] as const

declare module 'fastify' {
  interface FastifyRequest {
    /** What tells this request from others of the same key; null where it has none. */
    fingerprint: string | null
    reservation: Reservation | null
    /** The job that this request has started when it was sent before, and that is to be answered with. */
    startedJob: string | null
  }
}

/**
 * A POST with an `Idempotency-Key` that was answered already gets the same answer again, on whatever node. Answers that
 * another try may change (5xx, and what is retryable) are not kept, nor are streams.
 */
export function keepAnswers(app: FastifyInstance, context: AppContext): void {
  app.decorateRequest('fingerprint', null)
  app.decorateRequest('reservation', null)
  app.decorateRequest('startedJob', null)

  // Before anything is validated: that may change what was sent, and another release may do so in another way.
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST' && request.headers['idempotency-key'] !== undefined) {
      request.fingerprint = fingerprintOf(request)
    }
  })
  const answerAgain = async (request: FastifyRequest, reply: FastifyReply) => {
    const { fingerprint, caller, headers } = request
    if (fingerprint === null || caller === null) return
    const { store, sealer } = context
    const place = { tokenId: caller.credential.id, key: readKey(headers['idempotency-key']) }
    const sealed = sealer.seal(fingerprint, sealedFor(place, 'request'))
    const { isFirst, known } = await reserve(store, place, sealed)
    const reservation = { ...place, createdAt: known.createdAt }
    if (isFirst) {
      request.reservation = reservation
      return
    }
    if (sealer.open(known.request, sealedFor(place, 'request')) !== fingerprint) throw reused()
    if (known.status === null && known.jobId === null) {
      reply.header('retry-after', '2')
      throw inProgress()
    }
    reply.header('idempotency-replayed', 'true')
    if (known.status === null) {
      request.reservation = reservation
      request.startedJob = known.jobId
      return
    }
    const body = known.body === null ? undefined : sealer.open(known.body, sealedFor(place, 'body'))
    await reply
      .code(known.status)
      .headers(JSON.parse(known.headers ?? '{}') as Record<string, string>)
      .send(body)
  }
  // The last of each route's own hooks: what is not valid, or one request too many, reserves nothing.
  app.addHook('onRoute', (route) => {
    if (![route.method].flat().includes('POST')) return
    route.preHandler = [route.preHandler ?? []].flat().concat(answerAgain)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const { reservation } = request
    if (!reservation) return
    request.reservation = null
    try {
      if (isKept(reply, payload)) await keep(context, reservation, reply, payload)
      else await free(context.store, reservation)
    } catch (error) {
      // What the request was for is done: its sender is told so.
      request.log.error({ err: error }, 'An answer could not be kept for its Idempotency-Key.')
    }
  })
}

/**
 * Notes, in the transaction that starts it, the job that the request is for: whoever sends the request again, for
 * instance because the line broke while it waited, finds that one as `startedJob`. Throws `request_in_progress` if it
 * took so long to come here that another one of the same key does it.
 */
export async function noteStartedJob(
  trx: Transaction<Tables>,
  { reservation }: FastifyRequest,
  jobId: string,
): Promise<void> {
  if (reservation && !(await setJob(trx, reservation, jobId))) throw inProgress()
}

/** What the parts of a kept request are sealed for. */
export function sealedFor({ tokenId, key }: RequestPlace, part: 'request' | 'body'): string {
  return `idempotency-keys/${tokenId}/${part}/${key}`
}

/** `"abc"`, as the draft has it, and abc, as nearly everybody sends it, are the same key. */
function readKey(header: string | string[] | undefined): string {
  const key = String(header).replace(/^"(.*)"$/, '$1')
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  const message = 'must be 1 to 255 letters, digits or signs of ASCII, without spaces'
  throw new AppError('invalid_input', `Idempotency-Key: ${message}.`, {
    hint: 'A new UUID for each request.',
    fields: [{ field: 'Idempotency-Key', message }],
  })
}

/** Kept sealed: against what lies open, guesses at a password in the body could be tried. */
function fingerprintOf({ method, url, body, caller }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null, caller?.organizationId ?? null]))
    .digest('hex')
}

function isKept(reply: FastifyReply, payload: unknown): payload is string | null | undefined {
  const text = payload ?? ''
  if (reply.statusCode >= 500 || typeof text !== 'string' || text.length > LONGEST_ANSWER) return false
  if (!String(reply.getHeader('content-type')).startsWith('application/problem+json')) return true
  const { retryable, code } = JSON.parse(text) as Problem
  return !retryable && code !== 'cancelled'
}

/** Also what shows a secret once is kept: sealed. */
async function keep(
  { store, sealer }: AppContext,
  reservation: Reservation,
  reply: FastifyReply,
  payload: string | null | undefined,
): Promise<void> {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name)
    return value === undefined ? [] : [[name, String(value)]]
  })
  await setAnswer(store, reservation, {
    status: reply.statusCode,
    headers: JSON.stringify(Object.fromEntries(headers)),
    body: payload ? sealer.seal(payload, sealedFor(reservation, 'body')) : null,
  })
}

function inProgress(): AppError {
  return new AppError('request_in_progress', 'The same request is being answered at this moment.', {
    hint: 'Send it again, with the same Idempotency-Key, in a few seconds.',
  })
}

function reused(): AppError {
  return new AppError(
    'idempotency_key_reused',
    'Another request was sent with this Idempotency-Key before.',
    {
      hint: 'Send each new request with a key of its own.',
    },
  )
}
