import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppContext } from '../context.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import { COOKIE_DAYS, cookieRules } from './cookies.ts'
import { identitySecret } from './secret.ts'
import { findSessionByToken, prolongSession } from './store.ts'

/** Somebody who has signed in with a browser. */
export interface Session {
  id: string
  userId: string
  /** The organization that its requests are about; null: the first of the user's. */
  organizationId: string | null
  userAgent: string | null
  /** How it began; null: it is not known any more. */
  method: string | null
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/**
 * The session of a request’s cookie; undefined without one, and for one that is over, or was never ours: then the browser
 * is told to forget it. As long as it is used it goes on, which is noted once an hour, unless the settings say how long it
 * may at most.
 */
export async function sessionOf(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Session | undefined> {
  const cookie = request.cookies[cookieRules(context).session]
  if (cookie === undefined) return undefined
  const token = await tokenOf(context, cookie)
  const found = token === undefined ? undefined : await findSessionByToken(context.store, token)
  if (!found || token === undefined) {
    forgetSessionCookie(context, reply)
    return undefined
  }
  const { sinceUsed, ...session } = found
  if (sinceUsed >= HOUR) {
    const { sessionDays, longestSessionDays } = await signInSettingsOf(context)
    await prolongSession(context.store, session.id, {
      idle: sessionDays * DAY,
      longest: longestSessionDays === 0 ? undefined : longestSessionDays * DAY,
    })
    await sendSessionCookie(context, reply, token)
  }
  return session
}

/** Gives the browser the cookie of a session. */
export async function sendSessionCookie(
  context: AppContext,
  reply: FastifyReply,
  token: string,
): Promise<void> {
  const { session, attributes } = cookieRules(context)
  const value = `${token}.${await signatureOf(context, token)}`
  reply.setCookie(session, value, { ...attributes, maxAge: COOKIE_DAYS * 86_400 })
}

export function forgetSessionCookie(context: AppContext, reply: FastifyReply): void {
  const { session, attributes } = cookieRules(context)
  reply.setCookie(session, '', { ...attributes, maxAge: 0 })
}

/** What a cookie carries; undefined if its signature is not ours. */
async function tokenOf(context: AppContext, cookie: string): Promise<string | undefined> {
  const at = cookie.lastIndexOf('.')
  const token = cookie.slice(0, Math.max(at, 0))
  const [given, ours] = [cookie.slice(at + 1), await signatureOf(context, token)].map((text) =>
    Buffer.from(text),
  )
  return given && ours && given.length === ours.length && timingSafeEqual(given, ours) ? token : undefined
}

/** As better-auth signs cookies. */
async function signatureOf(context: AppContext, token: string): Promise<string> {
  return createHmac('sha256', await identitySecret(context))
    .update(token)
    .digest('base64')
}
