import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

/** Somebody who can sign in there. The name is all that must be entered. */
export interface OidcAccount {
  email?: string
  email_verified?: boolean
  name?: string
  groups?: string[]
  realm_access?: { roles: string[] }
}

export interface OidcServer extends AsyncDisposable {
  issuer: string
  discoveryUrl: string
  clientId: string
  clientSecret: string
  /** From now on; by the names that are entered. */
  accounts: Map<string, OidcAccount>
  /** Where it may send browsers back to. */
  allowRedirect(url: string): void
  /** Something else than the true answer of the token endpoint, from now on; undefined: the true one. */
  tamper(change: ((answer: Record<string, unknown>) => Record<string, unknown>) | undefined): void
}

const CLIENT_ID = 'holdfast'
const CLIENT_SECRET = 'a-secret-that-is-long-enough-for-any-client'

/**
 * A real provider of OpenID Connect on a loopback port. Groups are in the ID token, or, as with many providers, only where
 * the user is asked for (`groupsInUserInfo`).
 */
export async function startOidcProvider({
  groupsInUserInfo = false,
}: { groupsInUserInfo?: boolean } = {}): Promise<OidcServer> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const accounts = new Map<string, OidcAccount>()
  const redirects = new Set<string>()
  let change: Parameters<OidcServer['tamper']>[0]
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [
          {
            client_id: CLIENT_ID,
            client_secret: CLIENT_SECRET,
            redirect_uris: [`${issuer}/nowhere`],
            grant_types: ['authorization_code'],
            response_types: ['code'],
          },
        ],
        jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' }] },
        cookies: { keys: ['of a test'] },
        pkce: { required: () => true },
        scopes: ['openid', 'profile', 'email'],
        claims: {
          openid: ['sub'],
          email: ['email', 'email_verified'],
          profile: ['name', 'groups', 'realm_access'],
        },
        conformIdTokenClaims: groupsInUserInfo,
        features: { devInteractions: { enabled: true } },
        ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
        findAccount: (_context, id) => {
          const account = accounts.get(id)
          if (!account) return undefined
          return { accountId: id, claims: () => ({ sub: id, ...account }) }
        },
      }),
  )
  // Ports differ from run to run.
  provider.Client.prototype.redirectUriAllowed = (url: string) => redirects.has(url)
  provider.use(async (context, next) => {
    await next()
    const isAnswer = context.path === '/token' && context.status === 200
    if (isAnswer && change) context.body = change(context.body as Record<string, unknown>)
  })
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))
  return {
    issuer,
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    accounts,
    allowRedirect: (url) => void redirects.add(url),
    tamper: (by) => {
      change = by
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** It warns of all that only a test would do. */
function quietly<T>(make: () => T): T {
  const { warn, info } = console
  console.warn = () => {}
  console.info = () => {}
  try {
    return make()
  } finally {
    console.warn = warn
    console.info = info
  }
}

/**
 * Signs in at the provider as somebody, as a browser would that was sent to `url`. Returns the address that it is sent
 * back to.
 */
export async function signInAt({ issuer }: OidcServer, url: string, name: string): Promise<string> {
  const jar = new Map<string, string>()
  const go = async (to: string, form?: Record<string, string>) => {
    const answer = await fetch(to, {
      redirect: 'manual',
      headers: { cookie: [...jar].map((pair) => pair.join('=')).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      jar.set(key, value)
    }
    return { location: answer.headers.get('location'), page: await answer.text() }
  }
  let at = url
  for (let step = 0; step < 12; step++) {
    let answer = await go(at)
    if (answer.location === null) {
      const prompt = /name="prompt" value="(\w+)"/.exec(answer.page)?.[1]
      const action = /action="([^"]+)"/.exec(answer.page)?.[1]
      if (prompt === undefined || action === undefined) throw new Error(`The provider says:\n${answer.page}`)
      const entered: Record<string, string> = prompt === 'login' ? { login: name, password: 'any' } : {}
      answer = await go(new URL(action, at).href, { prompt, ...entered })
    }
    at = new URL(answer.location ?? '', at).href
    if (!at.startsWith(issuer)) return at
  }
  throw new Error('The provider sends the browser round in circles.')
}
