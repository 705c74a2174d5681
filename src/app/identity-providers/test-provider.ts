import { asAppError } from '../../shared/errors.ts'
import { type OidcSettings, providerKinds } from '../../shared/identity-providers.ts'
import { found, type TestReport, type TestStep } from '../../shared/test-report.ts'
import type { AppContext } from '../context.ts'
import { type Discovery, discover, readJson } from './discovery.ts'
import { kindNamed, parsedSettingsOf, type ProviderRow, rulesOf } from './identity-providers.ts'
import { openProvider } from './protocol.ts'

/** What a provider says of itself, step by step, and whether that fits what is set. Nobody signs in. */
export async function testProvider(
  context: AppContext,
  row: ProviderRow,
  redirectUrl: string,
  signal: AbortSignal,
): Promise<TestReport> {
  const steps: TestStep[] = []
  try {
    const settings = parsedSettingsOf(context, row)
    const kind = kindNamed(row.kind)
    if (providerKinds[kind].protocol === 'oidc') await testOidc(steps, settings as OidcSettings, signal)
    await openProvider({ id: row.id, kind, settings }, signal)
    steps.push({
      step: 'redirect URL',
      outcome: context.appUrl === undefined ? 'warning' : 'ok',
      ...found({ what: 'redirect', url: redirectUrl, isSettled: context.appUrl !== undefined }),
    })
    const { claim, mappings, isStrict } = rulesOf(row)
    if ((mappings.length > 0 || isStrict) && claim === null) {
      steps.push({ step: 'mappings', outcome: 'warning', ...found({ what: 'noClaim' }) })
    }
  } catch (error) {
    const { message, hint } = asAppError(error)
    const [step] = steps.filter(({ outcome }) => outcome === 'failed')
    const detail = hint === undefined ? message : `${message} ${hint}`
    if (!step) steps.push({ step: 'read its configuration', outcome: 'failed', detail })
  }
  return { passed: steps.every(({ outcome }) => outcome !== 'failed'), steps }
}

async function testOidc(steps: TestStep[], settings: OidcSettings, signal: AbortSignal): Promise<void> {
  const { discoveryUrl, scopes } = settings
  const startedAt = performance.now()
  const discovery = await discover(discoveryUrl, settings, signal)
  steps.push({
    step: 'read its configuration',
    outcome: 'ok',
    ...found({ what: 'issuer', issuer: discovery.issuer }),
    milliseconds: Math.round(performance.now() - startedAt),
  })
  steps.push(issuerStep(discovery, discoveryUrl))
  steps.push(await keysStep(discovery, signal))
  const unknown = scopes.filter((scope) => discovery.scopes_supported?.includes(scope) === false)
  steps.push(
    unknown.length === 0
      ? { step: 'scopes', outcome: 'ok', detail: scopes.join(', ') }
      : { step: 'scopes', outcome: 'warning', ...found({ what: 'scopesMissing', scopes: unknown }) },
  )
  const methods = discovery.code_challenge_methods_supported
  const hasPkce = methods === undefined || methods.includes('S256')
  steps.push(
    hasPkce
      ? { step: 'PKCE', outcome: 'ok', ...(methods ? { detail: 'S256' } : found({ what: 'pkceUnsaid' })) }
      : { step: 'PKCE', outcome: 'warning', ...found({ what: 'pkceRefused' }) },
  )
}

function issuerStep({ issuer }: Discovery, discoveryUrl: string): TestStep {
  const expected = discoveryUrl.replace(/\/\.well-known\/openid-configuration$/, '')
  const isSame = issuer.replace(/\/$/, '') === expected.replace(/\/$/, '')
  return isSame
    ? { step: 'issuer', outcome: 'ok', detail: issuer }
    : {
        step: 'issuer',
        outcome: 'warning',
        ...found({ what: 'issuerDiffers', issuer, expected }),
      }
}

async function keysStep({ jwks_uri }: Discovery, signal: AbortSignal): Promise<TestStep> {
  const answer = (await readJson(jwks_uri, {}, signal)) as { keys?: unknown[] } | null
  const count = Array.isArray(answer?.keys) ? answer.keys.length : 0
  return count > 0
    ? { step: 'keys', outcome: 'ok', ...found({ what: 'signingKeys', count }) }
    : { step: 'keys', outcome: 'failed', ...found({ what: 'noSigningKeys' }) }
}
