import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { AppContext } from '../context.ts'

/** Where the app is, as whoever asks has reached it, if the environment does not say it. */
export function originOf(
  { appUrl, basePath = '' }: Pick<AppContext, 'appUrl' | 'basePath'>,
  { protocol, host }: Pick<FastifyRequest, 'protocol' | 'host'>,
): string {
  return appUrl ?? `${protocol}://${host}${basePath}`
}

export function makeLinkToken(): string {
  return randomBytes(32).toString('base64url')
}

export function invitationLink(origin: string, token: string): string {
  return `${origin}/invitation#token=${token}`
}
