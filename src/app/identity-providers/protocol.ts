import { randomBytes } from 'node:crypto'
import { type GenericOAuthConfig, type GenericOAuthUserInfo, genericOAuth } from 'better-auth/plugins'
import { z } from 'zod'
import { AppError, messageOf, throwNow } from '../../shared/errors.ts'
import {
  type GithubSettings,
  type OidcSettings,
  type ProviderKind,
  providerKinds,
} from '../../shared/identity-providers.ts'
import { type Discovery, discover, hostOf, readJson, refuseUnencrypted } from './discovery.ts'
import { keysAt } from './keys.ts'

/*
 * The protocol itself is better-auth’s: PKCE, the exchange of the code, signature, issuer, audience, time and nonce of an
 * ID token. Who may sign in, and whose account it is, is said in sign-in.ts.
 */

/** Who somebody is, as a provider says. */
export interface ProvenIdentity {
  /** What the provider calls the account, for ever. */
  subject: string
  /** In lower case; null if it says none. */
  email: string | null
  isEmailVerified: boolean
  name: string | null
  claims: Record<string, unknown>
}

/** What must be remembered between the two halves of a sign-in. */
export interface Attempt {
  state: string
  codeVerifier: string
  nonce: string
}

export interface OpenedProvider {
  /** Where the browser is to go. */
  authorizationUrl(attempt: Attempt, redirectUrl: string): Promise<URL>
  /** Throws `provider_refused` for what cannot be trusted, and `provider_unreachable`. */
  identity(
    answer: { code: string; issuer: string | undefined },
    attempt: Attempt,
    redirectUrl: string,
  ): Promise<ProvenIdentity>
}

/** Of what stands in the URL and in the ID token, nobody can guess anything. */
export function newAttempt(): Attempt {
  const random = () => randomBytes(32).toString('base64url')
  return { state: random(), codeVerifier: random() + random(), nonce: random() }
}

/** Throws `provider_unreachable`, `provider_refused`, and `invalid_input` for addresses that are not encrypted. */
export async function openProvider(
  { id, kind, settings }: { id: string; kind: ProviderKind; settings: Record<string, unknown> },
  signal: AbortSignal,
): Promise<OpenedProvider> {
  const { protocol } = providerKinds[kind]
  const isOidc = protocol === 'oidc'
  const found = isOidc
    ? await discover((settings as OidcSettings).discoveryUrl, settings as OidcSettings, signal)
    : undefined
  const config = found
    ? oidcConfig(id, settings as OidcSettings, found)
    : githubConfig(id, settings as GithubSettings)
  const troubles: string[] = []
  const logger = { error: (text: string) => troubles.push(text), warn: () => {} }
  // All of better-auth that is needed here: no sessions, no accounts.
  const made = genericOAuth({ config: [config] })
  const context = { logger, socialProviders: [], baseURL: '' } as unknown as Parameters<typeof made.init>[0]
  const [provider] = (await made.init(context)).context.socialProviders
  if (!provider) throw refused(troubles.at(-1) ?? 'The provider cannot be used.')
  if (found) Object.assign(provider, verification(settings as OidcSettings, found))
  return {
    async authorizationUrl({ state, codeVerifier, nonce }, redirectURI) {
      return await provider.createAuthorizationURL({
        state,
        codeVerifier,
        redirectURI,
        ...(isOidc && { idTokenNonce: nonce }),
      })
    },
    async identity({ code, issuer }, { codeVerifier, nonce }, redirectURI) {
      if (issuer !== undefined && provider.issuer !== undefined && issuer !== provider.issuer) {
        throw refused('The answer comes from another provider.')
      }
      const tokens = await provider
        .validateAuthorizationCode({ code, codeVerifier, redirectURI })
        .catch((error: unknown) => throwNow(exchangeFailed(error)))
      if (!tokens) throw refused('The provider gives nothing for its own code.')
      if (isOidc && tokens.idToken === undefined) throw refused('The provider gives no ID token.')
      const found = await provider.getUserInfo({
        ...tokens,
        ...(isOidc && { expectedIdTokenNonce: nonce }),
      })
      if (!found) {
        throw refused('What the provider says of the user cannot be trusted: its ID token is not valid.')
      }
      const claims = found.data as GenericOAuthUserInfo
      const subject = String(await provider.accountSubject({ tokens, profile: claims }))
      if (!/^[^\0]{1,255}$/u.test(subject)) throw refused('The provider does not say which account it is.')
      const email = emailOf(claims.email)
      return {
        subject,
        email,
        isEmailVerified: email !== null && found.user.emailVerified,
        name: typeof claims.name === 'string' && claims.name.trim() !== '' ? claims.name.trim() : null,
        claims,
      }
    },
  }
}

/** What ID tokens are verified by: of the document that was checked, and not of one that better-auth reads for itself. */
function verification(
  { clientId }: OidcSettings,
  { issuer, jwks_uri, id_token_signing_alg_values_supported: algorithms }: Discovery,
) {
  return {
    issuer,
    requiresIdTokenNonce: true,
    idToken: {
      jwks: keysAt(jwks_uri),
      issuer,
      audience: clientId,
      // With a secret that both have, whoever has it could sign.
      algorithms: algorithms.filter((name) => !/^(none|HS)/.test(name)),
    },
  }
}

function oidcConfig(
  id: string,
  { clientId, clientSecret, scopes }: OidcSettings,
  found: Discovery,
): GenericOAuthConfig {
  return {
    providerId: id,
    authorizationUrl: found.authorization_endpoint,
    tokenUrl: found.token_endpoint,
    clientId,
    ...(clientSecret === undefined
      ? { tokenEndpointAuth: { method: 'none' } }
      : { clientSecret, authentication: authenticationOf(found) }),
    scopes: [...scopes],
    pkce: true,
    accountSubject: ({ profile }) => String(profile['sub'] ?? ''),
    // By now the ID token has been verified.
    getUserInfo: async ({ idToken, accessToken }) =>
      await claimsOf(found, { idToken: idToken ?? '', accessToken }),
  }
}

/** As the provider wants it: in the header, as all have to offer, unless it only takes the other. */
function authenticationOf({ token_endpoint_auth_methods_supported: methods }: Discovery): 'basic' | 'post' {
  return methods === undefined || methods.includes('client_secret_basic') ? 'basic' : 'post'
}

/** Some providers say groups and addresses only where the user is asked for; what the ID token says comes first. */
async function claimsOf(
  { userinfo_endpoint: url }: Discovery,
  { idToken, accessToken }: { idToken: string; accessToken: string | undefined },
): Promise<GenericOAuthUserInfo> {
  const proven = payloadOf(idToken)
  const more = url === undefined || accessToken === undefined ? {} : await userInfo(url, accessToken)
  // Nothing of somebody else.
  const own = more['sub'] === proven['sub'] ? more : {}
  // Of one address, one of them says both: which it is, and whether it is verified.
  const isSame = proven['email'] === own['email'] && proven['email_verified'] === undefined
  const source = proven['email'] === undefined || isSame ? own : proven
  const { email, email_verified } = source
  const claims = { ...own, ...proven, email, email_verified }
  return { ...claims, emailVerified: isTrue(email_verified) } as GenericOAuthUserInfo
}

/**
 * Throws where it cannot be had, although the ID token is there: groups that are missing for a moment would be taken away.
 */
async function userInfo(url: string, accessToken: string): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${accessToken}` }
  const found = z
    .record(z.string(), z.unknown())
    .safeParse(await readJson(url, headers, new AbortController().signal))
  return found.success ? found.data : throwNow(refused(`${hostOf(url)} says of the user something else.`))
}

function payloadOf(token: string): Record<string, unknown> {
  const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
}

/** Some say it in words. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}

const githubUser = z.object({
  id: z.int(),
  login: z.string(),
  name: z.string().nullish(),
})
const githubEmails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }))
const githubOrganizations = z.array(z.object({ login: z.string() }))
const githubTeams = z.array(z.object({ slug: z.string(), organization: z.object({ login: z.string() }) }))

/** GitHub does not speak OpenID Connect: who somebody is, its API says. */
function githubConfig(
  id: string,
  { url, clientId, clientSecret, scopes, allowHttp }: GithubSettings,
): GenericOAuthConfig {
  refuseUnencrypted(url, { allowHttp })
  const base = url.replace(/\/+$/, '')
  const api = base === 'https://github.com' ? 'https://api.github.com' : `${base}/api/v3`
  return {
    providerId: id,
    authorizationUrl: `${base}/login/oauth/authorize`,
    tokenUrl: `${base}/login/oauth/access_token`,
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    scopes: [...scopes],
    pkce: true,
    accountSubject: ({ profile }) => String(profile.id ?? ''),
    async getUserInfo({ accessToken = '' }) {
      const read = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> => {
        const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/vnd.github+json' }
        const found = schema.safeParse(await readJson(`${api}${path}`, headers, new AbortController().signal))
        return found.success ? found.data : throwNow(refused(`${hostOf(api)}${path} answers something else.`))
      }
      const user = await read('/user', githubUser)
      const emails = scopes.includes('user:email') ? await read('/user/emails', githubEmails) : []
      const primary = emails.find((email) => email.primary)
      const readsOrganizations = scopes.some((scope) => /^(read|write|admin):org$/.test(scope))
      const groups = readsOrganizations
        ? [
            ...(await read('/user/orgs?per_page=100', githubOrganizations)).map(({ login }) => login),
            ...(await read('/user/teams?per_page=100', githubTeams)).map(
              ({ slug, organization }) => `${organization.login}/${slug}`,
            ),
          ]
        : []
      return {
        id: user.id,
        login: user.login,
        name: user.name ?? user.login,
        email: primary?.email ?? null,
        emailVerified: primary?.verified ?? false,
        groups,
      }
    },
  }
}

function emailOf(value: unknown): string | null {
  const email = z.string().trim().toLowerCase().max(254).pipe(z.email()).safeParse(value)
  return email.success ? email.data : null
}

/** What its library says may quote an answer: only what kind of error it was is passed on. */
function exchangeFailed(error: unknown): AppError {
  const { status, error: code } = error as { status?: unknown; error?: unknown }
  const isAnswer = typeof status === 'number'
  if (!isAnswer) {
    return new AppError(
      'provider_unreachable',
      'The provider could not be asked for what its code stands for.',
      {
        cause: new Error(messageOf(error)),
      },
    )
  }
  const why = typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : `status ${status}`
  return refused(`The provider does not take its own code (${why}).`, CLIENT_HINT)
}

const CLIENT_HINT =
  'A code can be used once and not for long: try again. If that does not help, check client ID, client secret and the redirect URL that is registered.'

function refused(sentence: string, hint?: string): AppError {
  return new AppError('provider_refused', sentence, { hint })
}
