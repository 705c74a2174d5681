import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditActor, AuditTarget } from '../../shared/audit.ts'
import { AppError, type ErrorCode, errors } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { problemOf } from '../problems.ts'
import { differences, isFields } from './differences.ts'
import { actorOf, type NewAuditEntry, nobody, recordAuditNow } from './record.ts'
import { recordRefusal } from './refusals.ts'
import { withoutSecrets } from './without-secrets.ts'

/*
 * Every route that has a name for it (`audit` in its config) is recorded when it has done what it is for, before anybody
 * hears of that. What a thing was like before is what the API shows of it: so the entry has no more than the reader may
 * see anyway, and secrets are masked.
 */

/** What only the route knows of itself. Whatever is absent is found in the request and its answer. */
export interface AuditNote {
  actor?: AuditActor
  organizationId?: string | null
  target?: AuditTarget
  /** Beside what was before and after; without secrets. */
  details?: Record<string, unknown>
  /** What the request was for has not happened yet, and another one will say so: nothing is recorded. */
  isUnfinished?: boolean
  /** What has happened was recorded by the transaction that did it. */
  isRecorded?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Fields of its answer, at any depth, that are never recorded; those of without-secrets.ts never are. */
    auditSecrets?: readonly string[]
  }
  interface FastifyRequest {
    /**
     * Set by a route for the audit log. On a public route it says who it is: then refusals are recorded, too, whatever
     * their code.
     */
    auditNote: AuditNote | null
    /** What the API showed of the thing before the request. */
    auditBefore: Record<string, unknown> | null
  }
}

/** Set within requests that the app sends to itself, to see what the sender of another one would see. */
const looking = new AsyncLocalStorage<true>()

/** Whether the request is one of the app itself: nobody has sent it, so it counts for nothing. */
export function isLook(): boolean {
  return looking.getStore() === true
}

export function auditRequests(app: FastifyInstance, { store }: AppContext): void {
  app.decorateRequest('auditNote', null)
  app.decorateRequest('auditBefore', null)
  /** Addresses at which something is shown. */
  const shown = new Set<string>()

  const look = async (request: FastifyRequest) => {
    if (isLook()) return
    const path = placeOfThing(request, shown)
    if (path !== undefined) request.auditBefore = await lookAt(app, request, path)
  }
  app.addHook('onRoute', (route) => {
    if ([route.method].flat().includes('GET') && !route.config?.audit) shown.add(route.url)
    if (route.config?.audit) route.preHandler = [route.preHandler ?? []].flat().concat(look)
  })
  // Before an answer is kept for its Idempotency-Key: one that could not be recorded is not given again.
  app.addHook('onSend', async (request, reply, payload) => {
    const { audit } = request.routeOptions.config
    if (!audit || request.method === 'HEAD' || isLook()) return payload
    if (request.auditNote?.isUnfinished || request.auditNote?.isRecorded) return payload
    const outcome = outcomeOf(request, reply, payload)
    if (outcome === undefined) return payload
    try {
      const entry = entryOf(request, audit, outcome, answerOf(reply, payload))
      if (outcome === 'succeeded' || reply.statusCode >= 500) await recordAuditNow(store, entry)
      else await recordRefusal(store, entry)
      return payload
    } catch (error) {
      request.log.error({ err: error }, 'A request could not be recorded in the audit log.')
      return outcome === 'succeeded' ? notRecorded(request, reply, payload) : payload
    }
  })
}

/** Other errors are mistakes, and what comes of them is nothing; but for those of the app, which may have come too late. */
const REFUSALS = new Set<string>(['forbidden', 'sign_in_failed'])

/** Undefined: there is nothing to record. */
function outcomeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): NewAuditEntry['outcome'] | undefined {
  if (reply.statusCode < 400) {
    // Of a job that was started before, nobody knows whether it was recorded: its request had no answer.
    const isReplayed = reply.hasHeader('idempotency-replayed') && request.startedJob === null
    return isReplayed || reply.statusCode === 304 ? undefined : 'succeeded'
  }
  const { code } = (answerOf(reply, payload) ?? {}) as { code?: unknown }
  if (typeof code !== 'string' || !Object.hasOwn(errors, code)) return undefined
  if (reply.statusCode >= 500 && request.method !== 'GET' && (request.caller ?? request.auditNote)) {
    return code as ErrorCode
  }
  const isRefused = request.caller ? REFUSALS.has(code) : request.auditNote !== null
  return isRefused ? (code as ErrorCode) : undefined
}

function entryOf(
  request: FastifyRequest,
  action: string,
  outcome: NewAuditEntry['outcome'],
  answer: Record<string, unknown> | undefined,
): NewAuditEntry {
  const { caller, ip, auditNote: note, auditBefore: before } = request
  const { requires, auditSecrets } = request.routeOptions.config
  const done = outcome === 'succeeded' && request.method !== 'GET' ? answer : undefined
  const organizationId = requires === 'administer-instance' ? null : (caller?.organizationId ?? null)
  const mayBeDone = outcome === 'succeeded' || errors[outcome].status >= 500
  const details = mayBeDone
    ? { ...detailsOf(request, action, before ?? undefined, done), ...note?.details }
    : { ...note?.details }
  return {
    organizationId: note?.organizationId === undefined ? organizationId : note.organizationId,
    action,
    outcome,
    actor: note?.actor ?? (caller ? actorOf(caller) : nobody),
    address: ip,
    target: note?.target ?? targetOf(request, action, before ?? undefined, done),
    details: withoutSecrets(details, auditSecrets) as Record<string, unknown>,
  }
}

function detailsOf(
  request: FastifyRequest,
  action: string,
  before: Record<string, unknown> | undefined,
  answer: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const { method, query, body, startedJob } = request
  const again = startedJob === null ? {} : { isSentAgain: true }
  const asked = request.url.includes('?') ? { query } : {}
  if (method === 'GET') return asked
  if (method === 'DELETE') return { ...asked, ...(before && { before }), ...(answer && { answer }) }
  if (method === 'PATCH' || method === 'PUT') {
    // Also of what is the same in both: a secret of which the mask does not change.
    const given = isFields(body) ? { given: Object.keys(body) } : {}
    if (!answer) return { ...given, ...(before && { before }) }
    return { ...given, ...(before ? differences(before, answer) : { after: answer }) }
  }
  if (before && answer && before['id'] === answer['id']) {
    return { ...again, ...differences(before, answer) }
  }
  return { ...again, ...(answer && (action.endsWith('.add') ? { after: answer } : { answer })) }
}

/** What the action is done to: `server` of server.change, of the id in the address, or in the answer. */
function targetOf(
  request: FastifyRequest,
  action: string,
  before: Record<string, unknown> | undefined,
  answer: Record<string, unknown> | undefined,
): AuditTarget | null {
  const [kind = action] = action.split('.')
  const id = idOf(request) ?? textOf(answer?.['id'])
  const isOfAnswer = answer !== undefined && (id === undefined || answer['id'] === id)
  const name = (isOfAnswer ? nameOf(answer) : undefined) ?? (before && nameOf(before))
  if (id === undefined && name === undefined) return null
  return { kind, id: id ?? null, name: name ?? null }
}

/** The last one in the address. */
function idOf({ params }: FastifyRequest): string | undefined {
  return isFields(params) ? textOf(Object.values(params).at(-1)) : undefined
}

function nameOf(thing: Record<string, unknown>): string | undefined {
  return ['name', 'email', 'title', 'database'].map((field) => textOf(thing[field])).find(Boolean)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The JSON object that is answered with, if it is one. */
function answerOf(reply: FastifyReply, payload: unknown): Record<string, unknown> | undefined {
  if (typeof payload !== 'string' || !/\bjson\b/.test(String(reply.getHeader('content-type'))))
    return undefined
  const answer: unknown = JSON.parse(payload)
  return isFields(answer) ? answer : undefined
}

/**
 * Where the thing is shown that the request is about: at its own address if it is changed or deleted, else at that of what
 * has the last id in it, as /plans/:id of /plans/:id/run.
 */
function placeOfThing({ method, url, routeOptions }: FastifyRequest, shown: Set<string>): string | undefined {
  const pattern = routeOptions.url ?? ''
  const ofThing = /^.*\/:[^/]+/.exec(pattern)?.[0]
  const candidates = ['PATCH', 'PUT', 'DELETE'].includes(method) ? [pattern, ofThing] : [ofThing]
  const found = candidates.find((one) => one !== undefined && shown.has(one))
  return found && url.split('?')[0]?.split('/').slice(0, found.split('/').length).join('/')
}

/** What the sender of the request would be shown there, if anything. */
async function lookAt(
  app: FastifyInstance,
  { headers, ip }: FastifyRequest,
  path: string,
): Promise<Record<string, unknown> | null> {
  const { host, authorization, cookie } = headers
  const sent = { host, authorization, cookie }
  const request = {
    url: path,
    remoteAddress: ip,
    headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
  }
  // Awaited within: it is only then that it begins.
  const answer = await looking.run(true, async () => await app.inject(request))
  if (answer.statusCode !== 200 || !String(answer.headers['content-type']).includes('json')) return null
  const thing: unknown = answer.json()
  return isFields(thing) && !Array.isArray(thing['items']) ? thing : null
}

/** What is told instead of an answer of which the log knows nothing. */
function notRecorded(request: FastifyRequest, reply: FastifyReply, payload: unknown): string {
  if (payload instanceof Readable) payload.destroy()
  const isReading = request.method === 'GET'
  const sentence = isReading
    ? 'The audit log cannot be written, and without that nothing is handed out.'
    : 'What was asked for is done, but could not be recorded in the audit log.'
  const hint = isReading
    ? 'Check the store, then try again.'
    : 'Look at how it is now before you try again. Check the store: the log of the app says what is wrong with it.'
  const problem = problemOf(new AppError('audit_failed', sentence, { hint, retryable: isReading }))
  for (const name of Object.keys(reply.getHeaders())) {
    if (/^(content-(type|length|range|disposition)|location|etag|accept-ranges|set-cookie)$/.test(name))
      reply.removeHeader(name)
  }
  reply.code(problem.status).type('application/problem+json')
  return JSON.stringify(problem)
}
