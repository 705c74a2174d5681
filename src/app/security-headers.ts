import helmet from '@fastify/helmet'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AppContext } from './context.ts'
import { cookieRules } from './identity/cookies.ts'

type Context = Pick<AppContext, 'appUrl' | 'isTls' | 'basePath'>

/** For what is no page: a browser that is led to it loads nothing and runs nothing. */
const answerPolicy = policyOf({})

/** For pages: all that they load and ask comes from the app, and no script stands in the page itself. */
export const pagePolicy = policyOf({
  'script-src': "'self'",
  // Components set sizes and colours where they stand.
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'manifest-src': "'self'",
})

/** Nothing here has a use for them. */
const permissions = [
  'accelerometer',
  'browsing-topics',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ')

const YEAR = 31_536_000

/** Says to browsers, with every answer, what they may do with it. A route that knows better sets its own headers. */
export async function securityHeaders(app: FastifyInstance, context: Context): Promise<void> {
  const { basePath = '' } = context
  await app.register(helmet, {
    contentSecurityPolicy: false,
    crossOriginEmbedderPolicy: true,
    frameguard: { action: 'deny' },
    // Below a path, the host belongs to others, too: what they do on its subdomains is not for us to say.
    strictTransportSecurity: cookieRules(context).attributes.secure && {
      maxAge: YEAR,
      includeSubDomains: basePath === '',
    },
  })
  app.addHook('onRequest', async (_request, reply) => {
    basicHeaders(reply)
    reply.header('permissions-policy', permissions)
  })
}

/** The least, for answers before which no hook runs: an address that cannot be read. Nothing is kept by caches. */
export function basicHeaders(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'cache-control': 'no-store',
    'content-security-policy': answerPolicy,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
}

function policyOf(directives: Record<string, string>): string {
  const all = {
    'default-src': "'none'",
    ...directives,
    'object-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  }
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ')
}
