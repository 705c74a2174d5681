import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { cookieRules } from '../identity/cookies.ts'
import { isFirstUse } from './pending-store.ts'

/*
 * What must come back within minutes, to the browser that began it: the other half of a sign-in by a provider, the answer
 * to a challenge. The browser keeps it sealed, so that whoever only asks, a thousand times, fills no table. That it is
 * used once is noted when it is used.
 */

type Context = Pick<AppContext, 'store' | 'sealer' | 'appUrl' | 'isTls' | 'basePath'>

const sealed = z.object({ until: z.int(), content: z.unknown() })

/** Gives the browser a cookie that `takePending` reads. */
export async function keepPending(
  context: Context,
  reply: FastifyReply,
  { kind, content, minutes }: { kind: string; content: unknown; minutes: number },
): Promise<void> {
  const until = (await nowOf(context.store)) + minutes * 60_000
  const { name, attributes } = cookieOf(context, kind)
  const value = context.sealer.seal(JSON.stringify({ until, content }), placeOf(kind))
  reply.setCookie(name, value, { ...attributes, maxAge: minutes * 60 })
}

/**
 * What the cookie has, once: it is gone from the browser, and counts for nothing if it comes again. Throws
 * `sign_in_expired`.
 */
export async function takePending<T extends z.ZodType>(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  what: { kind: string; schema: T },
): Promise<z.output<T>> {
  const { content, use } = await openPending(context, request, reply, what)
  await use()
  return content
}

/**
 * The same, for whoever looks first at what came back: nothing is noted before `use`, which throws `sign_in_expired` if it
 * was used before.
 */
export async function openPending<T extends z.ZodType>(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { kind, schema }: { kind: string; schema: T },
): Promise<{ content: z.output<T>; use: () => Promise<void> }> {
  const { name, attributes } = cookieOf(context, kind)
  const cookie = request.cookies[name]
  reply.setCookie(name, '', { ...attributes, maxAge: 0 })
  const found = cookie === undefined ? undefined : opened(context, cookie, kind)
  const content = schema.safeParse(found?.content)
  const now = await nowOf(context.store)
  if (!found || !content.success || found.until < now) throw expired()
  const id = createHash('sha256')
    .update(cookie ?? '')
    .digest('hex')
  const { until } = found
  return {
    content: content.data,
    async use() {
      if (!(await isFirstUse(context.store, { id, kind, until }))) throw expired()
    },
  }
}

export function expired(): AppError {
  return new AppError('sign_in_expired', 'This sign-in is over, or was begun in another browser.', {
    hint: 'Begin again. Cookies must be allowed for this page.',
  })
}

function opened({ sealer }: Context, cookie: string, kind: string) {
  try {
    return sealed.parse(JSON.parse(sealer.open(cookie, placeOf(kind))))
  } catch {
    return undefined
  }
}

function cookieOf(context: Context, kind: string) {
  const { prefix, attributes } = cookieRules(context)
  return { name: `${prefix}.${kind}`, attributes }
}

function placeOf(kind: string): string {
  return `pending/${kind}`
}
