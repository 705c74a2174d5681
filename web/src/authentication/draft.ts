import type { IdentityProvider, ProviderRules } from '../../../src/shared/identity-providers.ts'
import type { Settings } from '../parts/schema-form.tsx'

/** What a form says of a provider. */
export interface ProviderDraft extends ProviderRules {
  name: string
  isEnabled: boolean
  settings: Settings
}

export const newDraft: ProviderDraft = {
  name: '',
  isEnabled: true,
  settings: {},
  autoCreate: false,
  emailDomains: [],
  defaultMembership: null,
  claim: null,
  mappings: [],
  isStrict: false,
}

export function draftOf({
  name,
  isEnabled,
  settings,
  autoCreate,
  emailDomains,
  defaultMembership,
  claim,
  mappings,
  isStrict,
}: IdentityProvider): ProviderDraft {
  return { name, isEnabled, settings, autoCreate, emailDomains, defaultMembership, claim, mappings, isStrict }
}
