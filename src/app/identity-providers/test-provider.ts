import { asAppError } from '../../shared/errors.ts'
import { type OidcSettings, providerKinds } from '../../shared/identity-providers.ts'
import type { TestReport, TestStep } from '../../shared/test-report.ts'
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
      detail: `Register exactly this with the provider: ${redirectUrl}${context.appUrl === undefined ? '. It is as you reach the app now; set APP_URL, so that it is the same for all' : ''}`,
    })
    const { claim, mappings, isStrict } = rulesOf(row)
    if ((mappings.length > 0 || isStrict) && claim === null) {
      const detail = 'There are mappings, or rules that are strict, but no claim: no mapping fits anybody.'
      steps.push({ step: 'mappings', outcome: 'warning', detail })
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
  const found = await discover(discoveryUrl, settings, signal)
  steps.push({
    step: 'read its configuration',
    outcome: 'ok',
    detail: `The issuer is ${found.issuer}`,
    milliseconds: Math.round(performance.now() - startedAt),
  })
  steps.push(issuerStep(found, discoveryUrl))
  steps.push(await keysStep(found, signal))
  const unknown = scopes.filter((scope) => found.scopes_supported?.includes(scope) === false)
  steps.push(
    unknown.length === 0
      ? { step: 'scopes', outcome: 'ok', detail: scopes.join(', ') }
      : { step: 'scopes', outcome: 'warning', detail: `It does not name ${unknown.join(', ')}.` },
  )
  const methods = found.code_challenge_methods_supported
  const hasPkce = methods === undefined || methods.includes('S256')
  steps.push(
    hasPkce
      ? { step: 'PKCE', outcome: 'ok', detail: methods ? 'S256' : 'It does not say; S256 is sent' }
      : { step: 'PKCE', outcome: 'warning', detail: 'It does not take S256.' },
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
        detail: `It calls itself ${issuer}, and is asked at ${expected}: is it the one that you mean?`,
      }
}

async function keysStep({ jwks_uri }: Discovery, signal: AbortSignal): Promise<TestStep> {
  const found = (await readJson(jwks_uri, {}, signal)) as { keys?: unknown[] } | null
  const count = Array.isArray(found?.keys) ? found.keys.length : 0
  return count > 0
    ? { step: 'keys', outcome: 'ok', detail: `${count} that ID tokens are signed with` }
    : { step: 'keys', outcome: 'failed', detail: 'It has none: no ID token could be verified.' }
}
