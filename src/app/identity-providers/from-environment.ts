import type { AppContext } from '../context.ts'
import type { NamedRole, OidcOfEnvironment } from '../configuration.ts'
import type { NewIdentityProvider, ProviderRules } from '../../shared/identity-providers.ts'
import { addProvider, FROM_ENVIRONMENT, rulesOf, saveProvider, settingsOf } from './identity-providers.ts'
import { findProvider, namedRoles } from './store.ts'

type Role = Awaited<ReturnType<typeof namedRoles>>[number]

/**
 * At the start: makes the provider of the environment what that says now. Where it says none any more, nobody signs in
 * by it, but what it was stays, should the variables only have been forgotten. Returns sentences: what was not found.
 */
export async function keepProviderOfEnvironment(context: AppContext): Promise<string[]> {
  const { store, oidc } = context
  const found = await findProvider(store.db, FROM_ENVIRONMENT)
  if (!oidc) {
    if (found?.isEnabled !== 1) return []
    await saveProvider(context, FROM_ENVIRONMENT, { isEnabled: false })
    return [`Nobody signs in by “${found.name}” any more: the environment has no OIDC_… variables now.`]
  }
  const warnings: string[] = []
  const wanted = { ...connectionOf(oidc), ...rulesFor(oidc, await namedRoles(store.db), warnings) }
  if (!found) {
    await addProvider(context, { kind: 'oidc', isEnabled: true, ...wanted }, FROM_ENVIRONMENT)
    return warnings
  }
  const { name, isEnabled } = found
  const settings = settingsOf(context, found)
  const before = { name, isEnabled: isEnabled === 1, settings, ...rulesOf(found) }
  const isSame = canonical(before) === canonical({ isEnabled: true, ...wanted })
  if (!isSame) {
    // One that is not there any more is cleared, not kept.
    const clientSecret = oidc.clientSecret ?? ''
    const settings = { ...wanted.settings, clientSecret }
    await saveProvider(context, FROM_ENVIRONMENT, { ...wanted, settings, isEnabled: true })
  }
  return warnings
}

function connectionOf(oidc: OidcOfEnvironment): Pick<NewIdentityProvider, 'name' | 'settings'> {
  const { name, discoveryUrl, clientId, clientSecret, scopes, allowHttp } = oidc
  return {
    name,
    settings: {
      discoveryUrl,
      clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      scopes: scopes ?? ['openid', 'profile', 'email'],
      allowHttp,
    },
  }
}

function rulesFor(oidc: OidcOfEnvironment, roles: readonly Role[], warnings: string[]): ProviderRules {
  const { autoCreate, emailDomains, claim, isStrict, mappings, defaultRole } = oidc
  const find = (named: NamedRole, variable: string) => {
    const role = roleNamed(named, roles)
    if (role) return [{ organizationId: role.organizationId, roleId: role.id }]
    const where = named.organization === undefined ? 'the first organization' : `“${named.organization}”`
    warnings.push(
      `${variable} names the role “${named.role}” of ${where}, which is not there: it is left out.`,
    )
    return []
  }
  const [defaultMembership = null] = defaultRole ? find(defaultRole, 'OIDC_DEFAULT_ROLE') : []
  return {
    autoCreate,
    emailDomains,
    defaultMembership,
    claim,
    mappings: mappings.flatMap(({ value, ...named }) =>
      find(named, 'OIDC_ROLE_MAP').map((membership) => ({ value, ...membership })),
    ),
    isStrict,
  }
}

function roleNamed({ role, organization }: NamedRole, roles: readonly Role[]): Role | undefined {
  const [first] = roles
  return roles.find(
    (one) =>
      one.name.toLowerCase() === role.toLowerCase() &&
      (organization === undefined
        ? one.organizationId === first?.organizationId
        : one.organization.toLowerCase() === organization.toLowerCase()),
  )
}

/** Whatever the order of what is named. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
