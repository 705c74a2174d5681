import type { FastifyRequest } from 'fastify'
import { AppError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'

/**
 * Throws `forbidden` unless the request comes from a page of the app: a browser sends the cookie of the session along
 * whoever makes it ask. Browsers say where a request comes from; what says nothing is none of ours.
 */
export function refuseOtherOrigins({ appUrl }: Pick<AppContext, 'appUrl'>, request: FastifyRequest): void {
  const { 'sec-fetch-site': site, origin } = request.headers
  if (site !== undefined) {
    if (site === 'same-origin' || site === 'none') return
    throw refused('The request comes from another site.')
  }
  if (origin === undefined) throw refused('The request does not say which page it comes from.')
  const own = [
    `${request.protocol}://${request.host}`,
    ...(appUrl === undefined ? [] : [new URL(appUrl).origin]),
  ]
  if (!own.includes(origin)) throw refused('The request comes from another site.')
}

function refused(sentence: string): AppError {
  return new AppError('forbidden', sentence, {
    hint: 'Programs send a token instead of a cookie. If this is a page of Holdfast behind a proxy, set APP_URL to its address.',
  })
}
