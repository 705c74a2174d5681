import { betterAuth } from 'better-auth/minimal'
import { APIError } from 'better-auth/api'
import { twoFactor } from 'better-auth/plugins'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { COOKIE_DAYS, cookieRules } from '../identity/cookies.ts'
import { identitySecret } from '../identity/secret.ts'
import { sendSessionCookie } from '../identity/sessions.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import { authStore, currentDb } from './auth-store.ts'
import { type Proof, withProof } from './credentials.ts'
import { hashPassword, isPassword } from './passwords.ts'

/*
 * better-auth does what is easily done wrong: signing in with passwords, sessions, second factors. Its own routes are not
 * there; ours ask it by `auth.api` and `auth.$context`. See docs/decisions/0032-what-better-auth-does.md.
 */

export type Auth = Awaited<ReturnType<typeof makeAuth>>

const DAY = 86_400_000
/** What tells better-auth where a request comes from: set by us, and never passed on from a request. */
const ADDRESS_HEADER = 'x-holdfast-address'

const made = new WeakMap<AppContext, Promise<Auth>>()

/** The one of this app. */
export async function authOf(context: AppContext): Promise<Auth> {
  let auth = made.get(context)
  if (!auth) {
    auth = makeAuth(context)
    made.set(context, auth)
    auth.catch(() => made.delete(context)) // the next one tries again
  }
  return await auth
}

/** For better-auth: who sends the request, and its cookies; nothing else. */
export function authHeaders({ headers, ip }: FastifyRequest): Headers {
  const passed = new Headers({ [ADDRESS_HEADER]: ip, 'user-agent': userAgentOf(headers) })
  if (headers.cookie !== undefined) passed.set('cookie', headers.cookie)
  return passed
}

/** Passes the cookies on that better-auth has set. */
export function passCookies(reply: FastifyReply, headers: Headers): void {
  for (const cookie of headers.getSetCookie()) reply.header('set-cookie', cookie)
}

/**
 * Signs a user in whose identity was proven in another way: `method` says by what. Throws `forbidden` for a disabled
 * account, and `sign_in_expired` if what was proven does not count any more.
 */
export async function startSession(
  context: AppContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { proof, method }: { proof: Proof | undefined; method: string },
): Promise<void> {
  const { internalAdapter } = await (await authOf(context)).$context
  const { token } = await withProof(proof, () =>
    internalAdapter.createSession(proof?.userId ?? '', false, {
      method,
      ipAddress: request.ip,
      userAgent: userAgentOf(request.headers),
    }),
  )
  await sendSessionCookie(context, reply, token)
}

/** The code that better-auth gives an error, as `INVALID_CODE`; undefined for what is none of its errors. */
export function authErrorCode(error: unknown): string | undefined {
  if (!(error instanceof APIError)) return undefined
  return error.body?.code ?? error.message
}

async function makeAuth(context: AppContext) {
  const { store, appUrl } = context
  const { prefix, session, attributes } = cookieRules(context)
  return betterAuth({
    appName: 'Holdfast',
    // Only links of its own routes would be made of it.
    baseURL: appUrl === undefined ? 'http://localhost' : new URL(appUrl).origin,
    secret: await identitySecret(context),
    database: authStore(store),
    telemetry: { enabled: false },
    logger: { disabled: true },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: 1, // what a password must be is said in password-policy.ts
      maxPasswordLength: 256,
      password: {
        hash: hashPassword,
        verify: async ({ hash, password }) => await isPassword(password, hash),
      },
    },
    user: {
      additionalFields: {
        isInstanceAdministrator: { type: 'boolean', required: false, input: false },
        isDisabled: { type: 'boolean', required: false, input: false },
      },
    },
    session: {
      expiresIn: COOKIE_DAYS * 86_400, // of the cookie; for the session, see below
      disableSessionRefresh: true, // identity/sessions.ts does it
      additionalFields: {
        organizationId: { type: 'string', required: false, input: false },
        method: { type: 'string', required: false, input: false },
      },
    },
    verification: { storeIdentifier: 'hashed' },
    databaseHooks: {
      session: {
        create: {
          async before(made) {
            const db = currentDb(store)
            const { sessionDays, longestSessionDays } = await signInSettingsOf(context, db)
            const days = Math.min(sessionDays, longestSessionDays || Infinity)
            const now = await nowOf(store, db)
            return {
              data: {
                expiresAt: new Date(now + days * DAY),
                createdAt: new Date(now),
                updatedAt: new Date(now),
                method: made['method'] ?? 'password',
              },
            }
          },
        },
      },
    },
    plugins: [twoFactor({ issuer: 'Holdfast' })],
    rateLimit: { enabled: false }, // limits.ts
    advanced: {
      cookiePrefix: prefix,
      useSecureCookies: false, // the prefix says it
      cookies: { session_token: { name: session } },
      defaultCookieAttributes: attributes,
      disableCSRFCheck: true, // identity/same-origin.ts
      ipAddress: { ipAddressHeaders: [ADDRESS_HEADER], ipv6Subnet: 128 },
      database: { generateId: () => uuidv7(), validateSchema: false },
    },
  })
}

function userAgentOf({ 'user-agent': agent = '' }: FastifyRequest['headers']): string {
  return agent.replace(/[^\x20-\x7e]/g, '').slice(0, 500)
}
