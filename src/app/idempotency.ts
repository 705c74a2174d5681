import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type SqlBool, sql } from 'kysely'
import { AppError } from '../shared/errors.ts'
import type { Problem } from '../shared/problems.ts'
import type { Store } from '../store/database.ts'
import type { AppContext } from './context.ts'

/*
 * A key is reserved before its request is done, and gets the answer before anybody else does: so of all that carry it,
 * one is done. Only if the process dies in between, nobody knows how far it came; then the key is free again after a
 * while, and what the request makes must have a name of its own.
 */

const KEPT_FOR = 24 * 3_600_000
/** Longer than any answer takes. */
const RESERVED_FOR = 5 * 60_000
const CLEAN_UP_EVERY = 10 * 60_000
const LONGEST_ANSWER = 1_048_576
const KEPT_HEADERS = ['content-type', 'location', 'etag'] as const

/** A request that may be sent again: the first of its key that is done. */
interface Reservation {
  tokenId: string
  key: string
  /** The fence: whoever reserved it later has another time. */
  createdAt: number
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What tells this request from others of the same key; null where it has none. */
    fingerprint: string | null
    reservation: Reservation | null
  }
}

/**
 * A POST with an `Idempotency-Key` that was answered already gets the same answer again, on whatever node. Answers that
 * another try may change (5xx, and what is retryable) are not kept, nor are streams.
 */
export function keepAnswers(app: FastifyInstance, context: AppContext): void {
  let cleanedUpAt = performance.now()
  app.decorateRequest('fingerprint', null)
  app.decorateRequest('reservation', null)

  // Before anything is validated: that may change what was sent, and another release may do so in another way.
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST' && request.headers['idempotency-key'] !== undefined) {
      request.fingerprint = fingerprintOf(request)
    }
  })
  const answerAgain = async (request: FastifyRequest, reply: FastifyReply) => {
    const { fingerprint, caller, headers } = request
    if (fingerprint === null || caller === null) return
    const key = readKey(headers['idempotency-key'])
    if (performance.now() - cleanedUpAt > CLEAN_UP_EVERY) {
      cleanedUpAt = performance.now()
      await removeOld(context.store)
    }
    const place = { tokenId: caller.token.id, key }
    const found = await reserve(context.store, place, fingerprint)
    if ('createdAt' in found) {
      request.reservation = { ...place, ...found }
      return
    }
    if (found.request !== fingerprint) throw reused()
    if (found.status === null) {
      reply.header('retry-after', '2')
      throw inProgress()
    }
    const body = found.body === null ? undefined : context.sealer.open(found.body, sealedFor(place))
    await reply
      .code(found.status)
      .headers(JSON.parse(found.headers ?? '{}') as Record<string, string>)
      .header('idempotency-replayed', 'true')
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

/** Forgets what a token has sent: when it goes, nobody can ask again. */
export async function forgetAnswers(trx: Pick<Store['db'], 'deleteFrom'>, tokenId: string): Promise<void> {
  await trx.deleteFrom('idempotencyKeys').where('tokenId', '=', tokenId).execute()
}

/** What the body of a kept answer is sealed for. */
export function sealedFor({ tokenId, key }: { tokenId: string; key: string }): string {
  return `idempotency-keys/${tokenId}/${key}`
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

function fingerprintOf({ method, url, body }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest('hex')
}

interface KeptAnswer {
  request: string
  status: number | null
  headers: string | null
  body: string | null
}

async function reserve(
  store: Store,
  { tokenId, key }: Omit<Reservation, 'createdAt'>,
  request: string,
): Promise<Pick<Reservation, 'createdAt'> | KeptAnswer> {
  for (;;) {
    const reserved = await store.db
      .insertInto('idempotencyKeys')
      .values({ tokenId, key, request, createdAt: store.now })
      .onConflict((conflict) => conflict.columns(['tokenId', 'key']).doNothing())
      .returning('createdAt')
      .executeTakeFirst()
    if (reserved) return reserved
    const over = await store.db
      .deleteFrom('idempotencyKeys')
      .where('tokenId', '=', tokenId)
      .where('key', '=', key)
      .where((eb) =>
        eb.or([
          eb('createdAt', '<', before(store, KEPT_FOR)),
          eb.and([eb('status', 'is', null), eb('createdAt', '<', before(store, RESERVED_FOR))]),
        ]),
      )
      .returning('key')
      .executeTakeFirst()
    if (over) continue
    const kept = await store.db
      .selectFrom('idempotencyKeys')
      .select(['request', 'status', 'headers', 'body'])
      .where('tokenId', '=', tokenId)
      .where('key', '=', key)
      .executeTakeFirst()
    if (kept) return kept
    // It was freed in between.
  }
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
  await store.db
    .updateTable('idempotencyKeys')
    .set({
      status: reply.statusCode,
      headers: JSON.stringify(Object.fromEntries(headers)),
      body: payload ? sealer.seal(payload, sealedFor(reservation)) : null,
    })
    .where(isOurs(reservation))
    .execute()
}

async function free(store: Store, reservation: Reservation): Promise<void> {
  await store.db.deleteFrom('idempotencyKeys').where(isOurs(reservation)).execute()
}

/** False if it took so long that another one has reserved the key. */
function isOurs({ tokenId, key, createdAt }: Reservation) {
  return sql<SqlBool>`token_id = ${tokenId} and key = ${key} and created_at = ${createdAt} and status is null`
}

async function removeOld(store: Store): Promise<void> {
  await store.db.deleteFrom('idempotencyKeys').where('createdAt', '<', before(store, KEPT_FOR)).execute()
}

function before(store: Store, milliseconds: number) {
  return sql<number>`${store.now} - ${sql.lit(milliseconds)}`
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
