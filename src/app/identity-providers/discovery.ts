import { z } from 'zod'
import { AppError, asAppError } from '../../shared/errors.ts'
import { requestGuarded } from '../../lib/request-guarded.ts'

/** What a provider of OpenID Connect says of itself, as far as it matters here. */
const discovery = z.object({
  issuer: z.url({ protocol: /^https?$/ }),
  authorization_endpoint: z.url({ protocol: /^https?$/ }),
  token_endpoint: z.url({ protocol: /^https?$/ }),
  jwks_uri: z.url({ protocol: /^https?$/ }),
  userinfo_endpoint: z.url({ protocol: /^https?$/ }).optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).min(1),
  scopes_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
})
export type Discovery = z.output<typeof discovery>

/** Milliseconds: somebody is waiting. */
const PATIENCE = 10_000
const LONGEST_ANSWER = 1_048_576

/** Throws `provider_unreachable`, `provider_refused`, and `invalid_input` for an address that is not encrypted. */
export async function discover(
  url: string,
  { allowHttp }: { allowHttp: boolean },
  signal: AbortSignal,
): Promise<Discovery> {
  refuseUnencrypted(url, { allowHttp })
  const found = discovery.safeParse(await readJson(url, {}, signal))
  if (!found.success) {
    const [issue] = found.error.issues
    throw new AppError(
      'provider_refused',
      `What ${hostOf(url)} answers is not the configuration of a provider of OpenID Connect: ${issue?.path.join('.') || 'all of it'}: ${issue?.message}.`,
      { hint: 'The discovery URL usually ends with /.well-known/openid-configuration.' },
    )
  }
  const { data } = found
  refuseOtherIssuer(url, data.issuer)
  const endpoints = [data.authorization_endpoint, data.token_endpoint, data.jwks_uri, data.userinfo_endpoint]
  for (const endpoint of endpoints) if (endpoint !== undefined) refuseUnencrypted(endpoint, { allowHttp })
  return data
}

const WELL_KNOWN = '/.well-known/openid-configuration'

/**
 * Whoever answers there must not be able to call itself another one: an issuer says where its configuration is (OpenID
 * Connect Discovery, 4.3). Of an address that is none of those, the origin must be the same.
 */
function refuseOtherIssuer(url: string, issuer: string): void {
  const expected = url.endsWith(WELL_KNOWN) ? url.slice(0, -WELL_KNOWN.length) : new URL(url).origin
  const called = url.endsWith(WELL_KNOWN) ? issuer : new URL(issuer).origin
  const plain = (text: string) => withoutTenant(new URL(text)).replace(/\/$/, '')
  if (plain(called) === plain(expected)) return
  throw new AppError(
    'provider_refused',
    `${hostOf(url)} calls itself ${issuer}, which is another provider.`,
    {
      hint: `Give the discovery URL of that one: ${issuer.replace(/\/$/, '')}${WELL_KNOWN}`,
    },
  )
}

/** Entra is asked by the name of a tenant, and answers with its id, or with “{tenantid}”. */
function withoutTenant({ protocol, host, pathname, search }: URL): string {
  const isEntra = /^login\.(microsoftonline\.(com|us)|partner\.microsoftonline\.cn)$/.test(host)
  return `${protocol}//${host}${isEntra ? pathname.replace(/^\/[^/]+/, '') : pathname}${search}`
}

/** The answer's JSON. Throws `provider_unreachable`, and `provider_refused` for anything but success. */
export async function readJson(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<unknown> {
  const answer = await ask(url, headers, signal)
  if (answer.status !== 200) {
    throw new AppError('provider_refused', `${answer.host} answers with status ${answer.status}.`)
  }
  try {
    return JSON.parse(answer.body)
  } catch {
    throw new AppError('provider_refused', `${answer.host} does not answer in JSON.`)
  }
}

async function ask(url: string, headers: Record<string, string>, signal: AbortSignal) {
  const options = {
    headers: { accept: 'application/json', ...headers },
    timeout: PATIENCE,
    maxAnswer: LONGEST_ANSWER,
  }
  try {
    return await requestGuarded(url, options, signal)
  } catch (error) {
    if (signal.aborted) throw error
    const { code, message, hint } = asAppError(error)
    const isUnreachable = code === 'channel_unreachable' || code === 'tls_failed'
    throw new AppError(isUnreachable ? 'provider_unreachable' : 'provider_refused', message, {
      hint,
      cause: error,
    })
  }
}

/** Whoever is on the way could say who somebody is: without TLS only this machine is asked, unless that is allowed. */
export function refuseUnencrypted(url: string, { allowHttp }: { allowHttp: boolean }): void {
  const { protocol, hostname, host } = new URL(url)
  if (protocol === 'https:' || allowHttp || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return
  throw new AppError('invalid_input', `The address at ${host} is not encrypted.`, {
    hint: 'Give one that begins with https://, or set allowHttp if nobody can be on the way.',
  })
}

export function hostOf(url: string): string {
  return new URL(url).host
}
