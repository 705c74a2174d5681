import { z } from 'zod'
import { httpUrl, name } from './fields.ts'
import { secret } from './secrets.ts'

const scopes = z
  .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope, without spaces'))
  .max(50)

/** What a kind knows beforehand, so that nobody has to look it up. */
interface Preset {
  label: string
  /** Complete, or with {the parts} that each installation has its own of. */
  discoveryUrl: string
  scopes: readonly string[]
  /** Where its groups or roles stand. */
  claim: string | null
}

/** Providers of OpenID Connect. They differ in nothing but this. */
const presets = {
  oidc: {
    label: 'OpenID Connect',
    discoveryUrl: 'https://{issuer}/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email'],
    claim: 'groups',
  },
  google: {
    label: 'Google',
    discoveryUrl: 'https://accounts.google.com/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email'],
    claim: 'hd',
  },
  gitlab: {
    label: 'GitLab',
    discoveryUrl: 'https://gitlab.com/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email'],
    claim: 'groups_direct',
  },
  keycloak: {
    label: 'Keycloak',
    discoveryUrl: 'https://{host}/realms/{realm}/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email'],
    claim: 'realm_access.roles',
  },
  authentik: {
    label: 'Authentik',
    discoveryUrl: 'https://{host}/application/o/{application}/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email'],
    claim: 'groups',
  },
  authelia: {
    label: 'Authelia',
    discoveryUrl: 'https://{host}/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email', 'groups'],
    claim: 'groups',
  },
  entra: {
    label: 'Microsoft Entra ID',
    discoveryUrl: 'https://login.microsoftonline.com/{tenant}/v2.0/.well-known/openid-configuration',
    scopes: ['openid', 'profile', 'email'],
    claim: 'roles',
  },
} as const satisfies Record<string, Preset>

const client = {
  clientId: z.string().min(1).max(500).meta({ title: 'Client ID', addressee: true }),
  clientSecret: secret('Client secret', 'Leave empty for a public client').max(5000).optional(),
}

const allowHttp = z.boolean().default(false).meta({
  title: 'Allow http://',
  description: 'Unencrypted also to other machines: whoever is on the way can sign in as anyone',
})

function oidcSettings({ discoveryUrl, scopes: usual }: Preset) {
  const url = httpUrl()
    .max(2000)
    .meta({
      title: 'Discovery URL',
      description: `The address of its openid-configuration: ${discoveryUrl}`,
      addressee: true,
    })
  return z.strictObject({
    discoveryUrl: discoveryUrl.includes('{') ? url : url.default(discoveryUrl),
    ...client,
    scopes: scopes
      .refine((given) => given.includes('openid'), 'must have “openid”')
      .default([...usual])
      .meta({ title: 'Scopes' }),
    allowHttp,
  })
}

const githubSettings = z.strictObject({
  url: httpUrl().max(2000).default('https://github.com').meta({
    title: 'Address',
    description: 'Of GitHub Enterprise, if it is that: https://github.example.com',
    addressee: true,
  }),
  ...client,
  clientSecret: secret('Client secret').min(1, 'must not be empty').max(5000),
  scopes: scopes.default(['read:user', 'user:email', 'read:org']).meta({
    title: 'Scopes',
    description: 'With read:org, the claim “groups” has organizations, and teams as organization/team',
  }),
  allowHttp,
})

interface ProviderDescription {
  label: string
  protocol: 'oidc' | 'github'
  /** Where its groups or roles usually stand. */
  claim: string | null
  settings: z.ZodType
}

export type ProviderKind = keyof typeof presets | 'github'

/** Every kind, with what has to be known of one. */
export const providerKinds: Readonly<Record<ProviderKind, ProviderDescription>> = {
  oidc: describe(presets.oidc),
  google: describe(presets.google),
  github: { label: 'GitHub', protocol: 'github', claim: 'groups', settings: githubSettings },
  gitlab: describe(presets.gitlab),
  keycloak: describe(presets.keycloak),
  authentik: describe(presets.authentik),
  authelia: describe(presets.authelia),
  entra: describe(presets.entra),
}

function describe(preset: Preset): ProviderDescription {
  return { label: preset.label, protocol: 'oidc', claim: preset.claim, settings: oidcSettings(preset) }
}

export type OidcSettings = z.output<ReturnType<typeof oidcSettings>>
export type GithubSettings = z.output<typeof githubSettings>

const id = z.string().min(1, 'must not be empty').max(100)

/** A role in an organization. */
const membership = { organizationId: id, roleId: id }

const mapping = z
  .strictObject({
    value: z
      .string()
      .min(1, 'must not be empty')
      .max(500)
      .meta({ description: 'What the claim is, or has among others' }),
    ...membership,
  })
  .meta({ id: 'RoleMapping' })

const domain = z
  .string()
  .toLowerCase()
  .regex(/^([a-z0-9-]+\.)*[a-z0-9-]+$/, 'must be a domain, as example.com')
  .max(253)

const ruleFields = {
  autoCreate: z.boolean().meta({ description: 'Whoever signs in for the first time gets an account' }),
  emailDomains: z
    .array(domain)
    .max(100)
    .meta({ description: 'Only verified addresses of these domains may sign in; empty: all addresses' }),
  defaultMembership: z
    .strictObject(membership)
    .nullable()
    .meta({ description: 'What those get for whom no mapping is; null: nothing' }),
  claim: z.string().min(1).max(500).nullable().meta({
    description: 'Where groups or roles stand: groups, realm_access.roles; null: roles are not its matter',
  }),
  mappings: z
    .array(mapping)
    .max(500)
    .meta({ description: 'From values of the claim to roles; of each organization the first that fits' }),
  isStrict: z.boolean().meta({
    description: 'Whoever no mapping is for may not sign in, and loses what the provider gave',
  }),
}

/** Who may sign in by a provider, and which roles it gives. */
export const providerRules = z.strictObject(ruleFields)
export type ProviderRules = z.output<typeof providerRules>

const settings = z.record(z.string(), z.unknown()).meta({
  description:
    'Those of its kind, see GET /api/v1/identity-provider-kinds. A secret that equals its mask stays, unless it would be sent to another address',
})

const kind = z.enum(Object.keys(providerKinds) as [ProviderKind, ...ProviderKind[]])

const fields = { name, settings, isEnabled: z.boolean(), ...ruleFields }

export const newIdentityProvider = z
  .strictObject({
    ...fields,
    kind,
    isEnabled: fields.isEnabled.default(true),
    autoCreate: fields.autoCreate.default(false),
    emailDomains: fields.emailDomains.default([]),
    defaultMembership: fields.defaultMembership.default(null),
    claim: fields.claim.default(null),
    mappings: fields.mappings.default([]),
    isStrict: fields.isStrict.default(false),
  })
  .meta({ id: 'NewIdentityProvider' })
export type NewIdentityProvider = z.output<typeof newIdentityProvider>

/** What is not there stays as it is. The kind of a provider cannot change. */
export const identityProviderChanges = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'IdentityProviderChanges' })
export type IdentityProviderChanges = z.output<typeof identityProviderChanges>

/** A provider as the API shows it: its secret is masked. */
export const identityProvider = z
  .object({
    ...fields,
    id: z.string(),
    kind: z.string(),
    redirectUrl: z.url().meta({ description: 'What must be registered with the provider, exactly so' }),
    isFromEnvironment: z
      .boolean()
      .meta({ description: 'It is what OIDC_… variables say, and cannot be changed here' }),
    users: z.int().meta({ description: 'How many accounts are linked with it' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'IdentityProvider' })
export type IdentityProvider = z.output<typeof identityProvider>

/** A kind of provider, and the JSON schema of its settings: forms are drawn from it. */
export const identityProviderKind = z
  .object({
    name: z.string(),
    label: z.string(),
    claim: z.string().nullable().meta({ description: 'Where its groups or roles usually stand' }),
    settings: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'IdentityProviderKind' })

/** One of a user's ways to sign in: an account at a provider. */
export const identity = z
  .object({
    id: z.string(),
    provider: z
      .object({ id: z.string(), name: z.string(), kind: z.string() })
      .nullable()
      .meta({ description: 'Null: it is gone' }),
    subject: z.string().meta({ description: 'What the provider calls the account' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
  })
  .meta({ id: 'Identity' })
export type Identity = z.output<typeof identity>

/** A path of the app itself: what a sign-in goes on to. */
export const localPath = z
  .string()
  .max(2000)
  .refine(
    (path) => /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path),
    'must be a path of this app, as /snapshots',
  )

export const newIdentity = z
  .strictObject({ providerId: id, to: localPath.default('/') })
  .meta({ id: 'NewIdentity' })
