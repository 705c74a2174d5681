import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import { type FastifyPluginAsyncZod, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { AppError, throwNow } from '../shared/errors.ts'
import { version } from '../shared/version.ts'
import { apiDocsRoutes } from './api-docs/routes.ts'
import { appBackupRoutes } from './app-backups/routes.ts'
import { auditRoutes } from './audit/routes.ts'
import { auditRequests, isLook } from './audit/routes-hook.ts'
import { refuseBrokenText } from './broken-text.ts'
import { channelRoutes } from './channels/routes.ts'
import { checkRoutes } from './checks/routes.ts'
import { answerClientError } from './client-errors.ts'
import type { AppContext, RouteContext } from './context.ts'
import { refuseDemoAccount } from './demo/account.ts'
import { eventRoutes } from './events/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { hookRoutes } from './hooks/routes.ts'
import {
  type Caller,
  callerOfSession,
  callerOfToken,
  notSignedIn,
  type OwnContext,
  ownContext,
  refuseElsewhere,
  refuseUnless,
  type Requirement,
} from './identity/callers.ts'
import { refuseOtherOrigins } from './identity/same-origin.ts'
import { sessionOf } from './identity/sessions.ts'
import { keepAnswers } from './idempotency/idempotency.ts'
import { identityProviderRoutes } from './identity-providers/routes.ts'
import { instanceSettingsRoutes } from './instance-settings/routes.ts'
import { invitationAcceptRoutes } from './invitations/accept-routes.ts'
import { invitationRoutes } from './invitations/routes.ts'
import { jobRoutes } from './jobs/routes.ts'
import { keyRoutes } from './keys/routes.ts'
import { meRoutes } from './me/routes.ts'
import { notificationRoutes } from './notifications/routes.ts'
import { describeApi, describeRoute } from './openapi.ts'
import { organizationRoutes } from './organizations/routes.ts'
import { overviewRoutes } from './overview/routes.ts'
import { servePage, wantsPage } from './page/routes.ts'
import { passkeyRoutes } from './passkeys/routes.ts'
import { planRoutes } from './plans/routes.ts'
import { sendProblem } from './problems.ts'
import { restoreRoutes } from './restores/routes.ts'
import { retentionRoutes } from './retention/routes.ts'
import { roleRoutes } from './roles/routes.ts'
import { scheduledRestoreRoutes } from './scheduled-restores/routes.ts'
import { scheduleRoutes } from './schedules/routes.ts'
import { basicHeaders, securityHeaders } from './security-headers.ts'
import { secondFactorRoutes } from './second-factor/routes.ts'
import { serverRoutes } from './servers/routes.ts'
import { settingsRoutes } from './settings/routes.ts'
import { settingsOf } from './settings/settings.ts'
import { signInRoutes } from './sign-in/routes.ts'
import { snapshotRoutes } from './snapshots/routes.ts'
import { tokenRoutes } from './tokens/routes.ts'
import { accountRoutes } from './users/account-routes.ts'
import { userRoutes } from './users/routes.ts'
import { volumeRoutes } from './volumes/routes.ts'

/** The routes of one feature. */
export type AppRoutes = FastifyPluginAsyncZod

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Anyone may ask, without having signed in. */
    isPublic?: boolean
    /** What the caller must be allowed. A route that is not public must say it, or the app does not start. */
    requires?: Requirement
    /** What the audit log calls it. A route that is no GET must say it; null: it changes nothing. */
    audit?: string | null
  }
  interface FastifyInstance {
    /** Aborts when the app begins to close: what goes on for longer than a request must end then. */
    closing: AbortSignal
    /** What each route asks of its caller, but for those that are public. */
    requirements: { method: string; url: string; requires: Requirement }[]
  }
  interface FastifyRequest {
    /** Null on public routes. */
    caller: Caller | null
    /** What the request may see and change. On public routes there is nothing: `not_signed_in`. */
    readonly own: OwnContext
    ownContext: OwnContext | null
  }
}

/** These see and change the instance, whosever it is. */
const instanceFeatures = [
  healthRoutes,
  apiDocsRoutes,
  appBackupRoutes,
  instanceSettingsRoutes,
  auditRoutes,
  signInRoutes,
  meRoutes,
  invitationAcceptRoutes,
  accountRoutes,
  organizationRoutes,
  identityProviderRoutes,
  secondFactorRoutes,
  passkeyRoutes,
  // One look at the jobs for all who listen; what each may hear is asked for by itself.
  eventRoutes,
]

/** These only what belongs to the organization of the request. */
const features: ((context: RouteContext) => AppRoutes)[] = [
  tokenRoutes,
  roleRoutes,
  userRoutes,
  invitationRoutes,
  jobRoutes,
  serverRoutes,
  volumeRoutes,
  keyRoutes,
  scheduleRoutes,
  planRoutes,
  settingsRoutes,
  hookRoutes,
  overviewRoutes,
  restoreRoutes,
  scheduledRestoreRoutes,
  snapshotRoutes,
  retentionRoutes,
  checkRoutes,
  channelRoutes,
  notificationRoutes,
]

const BODY_LIMIT = 1_048_576
/** How many requests of a browser count as one of a program. */
const QUESTIONS_OF_A_PAGE = 10
/** Milliseconds for the headers, and for all of a request, to arrive. How long its answer takes is not limited. */
const HEADERS_WITHIN = 20_000
const REQUEST_WITHIN = 60_000
/** How long a connection may be without a byte in either direction. Streams of events are never silent for so long. */
const LONGEST_SILENCE = 10 * 60_000

export interface AppOptions {
  /** Fastify's own; silent if absent. */
  logger?: FastifyServerOptions['logger']
  trustProxy?: string[]
  /** PEM. */
  tls?: { certificate: string; key: string }
  /** Where the built page is; web/dist if absent. */
  pageDirectory?: string | undefined
  /** Requests per minute and token; 0 switches the limit off. What the settings say if absent. */
  rateLimit?: number | undefined
}

/** The app behind its HTTP interface, with all features; it does not listen yet. */
export async function buildApp(context: AppContext, options: AppOptions = {}): Promise<FastifyInstance> {
  const patience = { headersTimeout: HEADERS_WITHIN, connectionsCheckingInterval: 5_000 }
  const app = Fastify({
    logger: options.logger ?? false,
    bodyLimit: BODY_LIMIT,
    ...(options.trustProxy?.length && { trustProxy: options.trustProxy }),
    requestTimeout: REQUEST_WITHIN,
    connectionTimeout: LONGEST_SILENCE,
    ...(options.tls
      ? { https: { ...patience, cert: options.tls.certificate, key: options.tls.key } }
      : { http: patience }),
    clientErrorHandler: answerClientError,
    // Only bad requests speak of themselves; a healthy app writes no line for each.
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, basicHeaders(reply)),
  })
  app.removeContentTypeParser('text/plain')
  // Many clients say application/json of every request: without a byte, there is no body.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null) : void parseJson(request, String(body), done),
  )
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request, reply) => {
    if (app.sendPage && wantsPage(request)) return app.sendPage(reply)
    const nothing = `There is nothing at ${request.method} ${request.url.split('?')[0]}.`
    const hint = wantsPage(request) ? 'The page has not been built: “npm run build:page” does it.' : undefined
    return sendProblem(new AppError('not_found', nothing, hint === undefined ? {} : { hint }), request, reply)
  })
  await app.register(cookie)
  await securityHeaders(app, { ...context, isTls: options.tls !== undefined })
  if (options.rateLimit !== 0) {
    await app.register(rateLimit, {
      max: async ({ caller }) => options.rateLimit ?? (await requestsPerMinute(context, caller)),
      timeWindow: '1 minute',
      hook: 'preHandler', // behind the sign-in, so that the tokens are told apart
      allowList: (request) => request.routeOptions.config.isPublic === true || isLook(),
      keyGenerator: (request) => request.caller?.credential.id ?? request.ip,
      enableDraftSpec: true,
      errorResponseBuilder: (_request, { after }) =>
        new AppError('too_many_requests', `There were too many requests; the next one may come in ${after}.`),
    })
  }
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Holdfast', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: describeRoute,
    transformObject: describeApi,
  })
  const closing = new AbortController()
  app.decorate('closing', closing.signal)
  app.addHook('preClose', async () => closing.abort())
  signIn(app, context)
  refuseBrokenText(app)
  auditRequests(app, context)
  keepAnswers(app, context)

  await servePage(app, context, options.pageDirectory)
  for (const routes of instanceFeatures) await app.register(named(routes.name, routes(context)))
  for (const routes of features) await app.register(named(routes.name, routes(context)))
  app.get('/api/openapi.json', { config: { isPublic: true }, schema: { hide: true } }, (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  )
  return app
}

/** So that fastify does not look for a name among all modules that are loaded, which takes longer than the routes do. */
function named(name: string, routes: AppRoutes): AppRoutes {
  return Object.assign(routes, { [Symbol.for('fastify.display-name')]: name })
}

/** Finds out who asks, and whether they may: before anything of the request is read. */
function signIn(app: FastifyInstance, context: AppContext): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('ownContext', null)
  app.decorateRequest('own', {
    getter() {
      return this.ownContext ?? throwNow(notSignedIn('Nobody has signed in.'))
    },
  })
  app.decorate('requirements', [])
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.isPublic) return
    if (config?.requires === undefined)
      throw new Error(`${String(method)} ${url} does not say what it requires.`)
    if (![method].flat().every((one) => one === 'GET' || one === 'HEAD') && config.audit === undefined) {
      throw new Error(`${String(method)} ${url} does not say what the audit log calls it.`)
    }
    const { requires } = config
    for (const one of [method].flat()) app.requirements.push({ method: one, url, requires })
  })
  app.addHook('onRequest', async (request, reply) => {
    const { isPublic, requires, audit } = request.routeOptions.config
    // An unknown address is told as such only to who may know the known ones; those of the page are all alike.
    if (isPublic || (request.is404 && wantsPage(request))) return
    request.caller = await callerOf(context, request, reply)
    refuseUnless(request.caller, requires ?? 'sign-in')
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (!isReading && requires !== 'session') refuseElsewhere(request.caller)
    if (!isReading && audit !== 'sign-in.end') refuseDemoAccount(request.caller, requires)
    request.ownContext = await ownContext(context, request.caller)
  })
}

/**
 * A token is what the sender chose to send; a cookie comes along by itself, so what it signs must come from a page of the
 * app. Throws `not_signed_in`, and `forbidden` for what comes from elsewhere.
 */
async function callerOf(context: AppContext, request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
  const { authorization = '' } = request.headers
  const session = authorization === '' ? await sessionOf(context, request, reply) : undefined
  if (!session) return await callerOfToken(context.store, authorization, request.ip)
  if (request.method !== 'GET' && request.method !== 'HEAD') refuseOtherOrigins(context, request)
  return await callerOfSession(context.store, session)
}

/** What the organization's settings say; there 0 is no limit. A page asks many small questions where a program asks one. */
async function requestsPerMinute(context: AppContext, caller: Caller | null): Promise<number> {
  const limit = caller ? (await settingsOf(context, caller.organizationId)).apiRateLimit : 0
  if (limit === 0) return Number.MAX_SAFE_INTEGER
  return caller?.credential.kind === 'session' ? limit * QUESTIONS_OF_A_PAGE : limit
}
