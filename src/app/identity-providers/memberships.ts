import type { ProviderRules } from '../../shared/identity-providers.ts'

/** What a user is in an organization. */
export interface CurrentMembership {
  organizationId: string
  roleId: string
  /** The provider that gave it; null: a person. */
  providerId: string | null
  /** Without it, nobody would be left in the organization who may give out roles. */
  isLastAdministrator: boolean
}

interface Membership {
  organizationId: string
  roleId: string
}

export interface MembershipChanges {
  /** No mapping is for this user, and the provider insists on one. */
  isRefused: boolean
  added: Membership[]
  /** Another role in an organization where the user is already. */
  changed: Membership[]
  /** Organizations. */
  removed: string[]
}

/**
 * What a sign-in by a provider changes of a user's memberships. Of each organization the first mapping that fits
 * counts; where none fits at all, strict rules refuse the sign-in, and others give the default. What persons or other
 * providers gave stays as it is, and so does the last who may give out roles in an organization.
 */
export function membershipChanges({
  rules,
  providerId,
  claims,
  current,
}: {
  rules: Pick<ProviderRules, 'claim' | 'mappings' | 'defaultMembership' | 'isStrict'>
  providerId: string
  claims: Readonly<Record<string, unknown>>
  current: readonly CurrentMembership[]
}): MembershipChanges {
  const values = new Set(rules.claim === null ? [] : claimValues(claims, rules.claim))
  const fitting = rules.mappings.filter(({ value }) => values.has(value))
  const isRefused = rules.isStrict && fitting.length === 0
  const fallback = isRefused || rules.defaultMembership === null ? [] : [rules.defaultMembership]
  const wanted = new Map<string, string>()
  for (const { organizationId, roleId } of fitting.length > 0 ? fitting : fallback) {
    if (!wanted.has(organizationId)) wanted.set(organizationId, roleId)
  }
  const present = new Map(current.map((membership) => [membership.organizationId, membership]))
  const mayChange = current.filter((one) => one.providerId === providerId && !one.isLastAdministrator)
  return {
    isRefused,
    added: [...wanted]
      .filter(([organizationId]) => !present.has(organizationId))
      .map(([organizationId, roleId]) => ({ organizationId, roleId })),
    changed: mayChange.flatMap(({ organizationId, roleId: former }) => {
      const roleId = wanted.get(organizationId)
      return roleId === undefined || roleId === former ? [] : [{ organizationId, roleId }]
    }),
    removed: mayChange
      .map(({ organizationId }) => organizationId)
      .filter((organizationId) => !wanted.has(organizationId)),
  }
}

/**
 * The texts at a path in claims: one, or a list. A name that has dots itself is found as well, as that of
 * “https://example.com/roles”.
 */
export function claimValues(claims: unknown, path: string): string[] {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return []
  const found = Object.hasOwn(claims, path) ? textsOf((claims as Record<string, unknown>)[path]) : []
  if (found.length > 0) return found
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot)
    if (!Object.hasOwn(claims, name)) continue
    const below = claimValues((claims as Record<string, unknown>)[name], path.slice(dot + 1))
    if (below.length > 0) return below
  }
  return []
}

function textsOf(value: unknown): string[] {
  return [value]
    .flat()
    .filter((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean')
    .map(String)
}
