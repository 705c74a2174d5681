import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { addDefaultRule } from '../notifications/default-rule.ts'
import { addBuiltInRoles } from '../roles/built-in.ts'
import { countOrganizations, insertOrganization, listOrganizations } from './store.ts'

export { countOrganizations, listOrganizations, mergedInto, renameOrganization } from './store.ts'

/** Whether nobody has worked with the store yet. */
export async function isUnused(store: Store): Promise<boolean> {
  return (await store.db.transaction().execute(countOrganizations)) === 0
}

/** Makes an organization with what each begins with: roles, and a notification rule. Returns its id. */
export async function makeOrganization(
  store: Store,
  trx: Transaction<Tables>,
  name: string,
): Promise<string> {
  const id = await insertOrganization(store, trx, name)
  await addBuiltInRoles(store, trx, id)
  await addDefaultRule(store, trx, id)
  return id
}

/** Makes the first organization, in a store that has none; returns its id, or undefined if there was one already. */
export async function firstOrganization(store: Store): Promise<string | undefined> {
  return await store.db.transaction().execute(async (trx) => {
    if ((await countOrganizations(trx)) > 0) return undefined
    return await makeOrganization(store, trx, 'Default')
  })
}

/**
 * The organization of that name; without one, the only one that there is. Throws `not_found`, and `invalid_input` where
 * there are several.
 */
export async function organizationNamed(store: Store, name: string | undefined): Promise<string> {
  const organizations = await listOrganizations(store)
  const found = organizations.filter((organization) => name === undefined || organization.name === name)
  const [only, ...others] = found
  if (!only) {
    const sentence =
      name === undefined ? 'The store has no organization yet.' : `There is no organization “${name}”.`
    const hint =
      name === undefined
        ? 'Start the app once: it makes one.'
        : `There are: ${organizations.map(({ name }) => name).join(', ')}.`
    throw new AppError('not_found', sentence, { hint })
  }
  if (others.length > 0) {
    const names = found.map(({ name }) => name).join(', ')
    throw new AppError('invalid_input', `There are ${found.length} organizations: ${names}.`, {
      hint: 'Say which one with --organization.',
    })
  }
  return only.id
}
