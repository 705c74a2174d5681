import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { pagePolicy } from '../security-headers.ts'

/** Where `npm run build:page` puts it. */
const BUILT = join(import.meta.dirname, '../../../web/dist')

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers with the page; undefined where it has not been built. */
    sendPage: ((reply: FastifyReply) => FastifyReply) | undefined
  }
}

const common = { config: { isPublic: true }, schema: { hide: true } }

/**
 * The page: its files, which never change under their names, and itself, which is answered to whatever a browser asks for
 * that is no part of the API, so that every address of the page can be opened, sent to others and loaded again.
 */
export async function servePage(
  app: FastifyInstance,
  { basePath = '' }: Pick<AppContext, 'basePath'>,
  folder = BUILT,
): Promise<void> {
  const index = join(folder, 'index.html')
  const page = existsSync(index) ? below(basePath, readFileSync(index, 'utf8')) : undefined
  const send = (reply: FastifyReply) =>
    reply
      .code(200)
      .type('text/html; charset=utf-8')
      .headers({ 'content-security-policy': pagePolicy, 'cache-control': 'no-cache' })
      .send(page)
  app.decorate('sendPage', page === undefined ? undefined : send)
  if (page !== undefined) await app.register(files(folder))
}

/** Whether a browser asks for a page to show, and not a program for something that is not there. */
export function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  const isForApi = /^\/(api|health)(\/|\?|$)/.test(url)
  return (method === 'GET' || method === 'HEAD') && !isForApi && (headers.accept ?? '').includes('text/html')
}

function files(folder: string): AppRoutes {
  return async (app) => {
    await app.register(fastifyStatic, { root: folder, serve: false, preCompressed: true })
    app.get<{ Params: { '*': string } }>('/assets/*', common, (request, reply) =>
      reply.sendFile(`assets/${request.params['*']}`, { maxAge: '1y', immutable: true }),
    )
    for (const name of ['favicon.svg', 'color-scheme.js']) {
      app.get(`/${name}`, common, (_request, reply) => reply.sendFile(name, { maxAge: '1h' }))
    }
  }
}

/** Below which path a proxy shows it: addresses in the page are relative, but what a deep one is relative to is not the page. */
function below(basePath: string, html: string): string {
  return html
    .replace(/((?:src|href)=")\.\//g, `$1${basePath}/`)
    .replace('name="holdfast-base-path" content=""', `name="holdfast-base-path" content="${basePath}"`)
}
