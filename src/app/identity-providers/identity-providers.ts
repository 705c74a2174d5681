import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { AppError, throwNow } from '../../shared/errors.ts'
import {
  type IdentityProviderChanges,
  type NewIdentityProvider,
  type ProviderKind,
  providerKinds,
  type ProviderRules,
  providerRules,
} from '../../shared/identity-providers.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openSettings, sealSettings, type Settings } from '../secrets.ts'
import { usersInWords } from '../users.ts'
import {
  deleteProvider,
  enabledProviders,
  findProvider,
  insertProvider,
  type ProviderRow,
  rolesAmong,
  updateProvider,
  usersOnlyOf,
} from './store.ts'

export type { ProviderRow } from './store.ts'

/** The one that OIDC_… variables describe. */
export const FROM_ENVIRONMENT = 'environment'

const PLACE = { name: 'settings', owner: 'this kind of provider' }

type Context = Pick<AppContext, 'store' | 'sealer' | 'oidc'>

/** Throws `not_found`. */
export async function providerOf({ store }: Pick<Context, 'store'>, id: string): Promise<ProviderRow> {
  return (await findProvider(store.db, id)) ?? throwNow(notThere())
}

/** Adds a provider. Throws `invalid_input` with the wrong fields, and `name_taken`. */
export async function addProvider(
  context: Context,
  { kind, name, isEnabled, settings: given, ...rules }: NewIdentityProvider,
  id: string = uuidv7(),
): Promise<ProviderRow> {
  const { store } = context
  const settings = seal(context, { id, kind }, parseSettings(schemaOf(kind), given, PLACE))
  return await savingName(store, 'provider', name, () =>
    store.db.transaction().execute(async (trx) => {
      await checkRoles(trx, rules)
      const values = { id, kind, name, settings, isEnabled: Number(isEnabled) }
      await insertProvider(store, trx, { ...values, rules: JSON.stringify(rules) })
      return (await findProvider(trx, id)) ?? throwNow(notThere())
    }),
  )
}

/** Changes what is given. Throws `not_found`, `changed_meanwhile`, `in_use`, and what adding throws. */
export async function changeProvider(
  context: Context,
  id: string,
  changes: IdentityProviderChanges,
  revision: number | undefined,
): Promise<ProviderRow> {
  refuseFixed(context, id)
  return await saveProvider(context, id, changes, { revision, refuse: refuseToLockOut })
}

/** The same of any provider, also of one that only the environment may change. */
export async function saveProvider(
  context: Context,
  id: string,
  { name, isEnabled, settings: submitted, ...changes }: IdentityProviderChanges,
  { revision, refuse }: { revision?: number | undefined; refuse?: typeof refuseToLockOut } = {},
): Promise<ProviderRow> {
  const { store } = context
  return await savingName(store, 'provider', name, () =>
    store.db.transaction().execute(async (trx) => {
      const found = (await findProvider(trx, id)) ?? throwNow(notThere())
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The provider')
      const before = rulesOf(found)
      const given = Object.entries(changes).filter(([, value]) => value !== undefined)
      const rules = providerRules.parse({ ...before, ...Object.fromEntries(given) })
      // What was there before may name a role that has gone since, and stay.
      if (given.some(([rule]) => rule === 'mappings' || rule === 'defaultMembership')) {
        await checkRoles(trx, rules)
      }
      const isUpdated = await updateProvider(store, trx, found, {
        name: name ?? found.name,
        settings: submitted ? seal(context, found, merge(context, found, submitted)) : found.settings,
        rules: JSON.stringify(rules),
        isEnabled: Number(isEnabled ?? found.isEnabled),
      })
      if (!isUpdated) throw changedMeanwhile('The provider')
      if (found.isEnabled === 1 && isEnabled === false) await refuse?.(context, trx)
      return (await findProvider(trx, id)) ?? throwNow(notThere())
    }),
  )
}

/**
 * Deletes a provider, and its links with accounts. Roles that it gave stay. Throws `not_found`, and `in_use` with those
 * who could not sign in any more, unless that is wanted.
 */
export async function removeProvider(
  context: Context,
  id: string,
  { force }: { force: boolean },
): Promise<void> {
  refuseFixed(context, id)
  await context.store.db.transaction().execute(async (trx) => {
    const { name } = (await findProvider(trx, id)) ?? throwNow(notThere())
    const { passwordSignIn: password } = await signInSettingsOf(context, trx)
    const names = force ? [] : await usersOnlyOf(trx, id, { password })
    const users = usersInWords([{ what: 'user', names }])
    if (users !== undefined) {
      throw new AppError('in_use', `“${name}” is the only way to sign in for ${users}.`, {
        hint: 'Let them add a passkey or a password first, or delete it with force=true.',
      })
    }
    await deleteProvider(trx, id)
    await refuseToLockOut(context, trx)
  })
}

/** The settings of a provider with its secret in the clear, as they were stored: the schema may have changed since. */
export function settingsOf({ sealer }: Pick<Context, 'sealer'>, row: ProviderRow): Settings {
  return openSettings(schemaOf(row.kind), JSON.parse(row.settings) as Settings, sealer, placeOf(row.id))
}

/** Those that it is opened with. Throws `invalid_input`. */
export function parsedSettingsOf(context: Pick<Context, 'sealer'>, row: ProviderRow): Settings {
  return parseSettings(schemaOf(row.kind), settingsOf(context, row), PLACE)
}

export function rulesOf({ rules }: ProviderRow): ProviderRules {
  return providerRules.parse(JSON.parse(rules))
}

/** Throws `invalid_input` if there is no such kind. */
export function schemaOf(kind: string): z.ZodType {
  return providerKinds[kindNamed(kind)].settings
}

export function kindNamed(kind: string): ProviderKind {
  if (Object.hasOwn(providerKinds, kind)) return kind as ProviderKind
  const message = `must be one of ${Object.keys(providerKinds).join(', ')}`
  throw new AppError('invalid_input', `kind: ${message}`, { fields: [{ field: 'kind', message }] })
}

function merge(context: Context, found: ProviderRow, submitted: Settings): Settings {
  return changeSettings(schemaOf(found.kind), settingsOf(context, found), submitted, PLACE)
}

function seal(
  { sealer }: Context,
  { id, kind }: Pick<ProviderRow, 'id' | 'kind'>,
  settings: Settings,
): string {
  return JSON.stringify(sealSettings(schemaOf(kind), settings, sealer, placeOf(id)))
}

/** The place that secrets are sealed for. */
function placeOf(id: string): string {
  return `identity-providers/${id}/settings`
}

/** Throws `invalid_input` for a role that is not there, or of another organization than is said. */
async function checkRoles(
  trx: Transaction<Tables>,
  { mappings, defaultMembership }: ProviderRules,
): Promise<void> {
  const named = [
    ...mappings.map((mapping, index) => ({ ...mapping, field: `mappings.${index}` })),
    ...(defaultMembership ? [{ ...defaultMembership, field: 'defaultMembership' }] : []),
  ]
  const roles = await rolesAmong(trx, [...new Set(named.map(({ roleId }) => roleId))])
  const fields = named
    .filter(
      ({ roleId, organizationId }) =>
        !roles.some((role) => role.id === roleId && role.organizationId === organizationId),
    )
    .map(({ field }) => ({ field: `${field}.roleId`, message: 'must be a role of that organization' }))
  const [first] = fields
  if (first) throw new AppError('invalid_input', `${first.field}: ${first.message}`, { fields })
}

/** Throws `in_use` where passwords are switched off, and no provider is left to sign in by. */
async function refuseToLockOut({ store }: Context, trx: Transaction<Tables>): Promise<void> {
  const { passwordSignIn } = await signInSettingsOf({ store }, trx)
  if (passwordSignIn || (await enabledProviders(trx)).length > 0) return
  throw new AppError('in_use', 'Passwords are switched off, and no other identity provider is enabled.', {
    hint: 'Switch passwords on first, or enable another provider.',
  })
}

/** Throws `invalid_input` for what only the environment may say. */
function refuseFixed({ oidc }: Context, id: string): void {
  if (id !== FROM_ENVIRONMENT || oidc === undefined) return
  throw new AppError(
    'invalid_input',
    'This provider is set by the environment, and cannot be changed here.',
    {
      hint: 'Change the OIDC_… variables and start the app again, or remove them to change it here.',
    },
  )
}

function notThere(): AppError {
  return new AppError('not_found', 'There is no such identity provider.')
}
