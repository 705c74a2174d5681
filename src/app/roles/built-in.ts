import type { Transaction } from 'kysely'
import { builtInRoles } from '../../shared/roles.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { insertBuiltInRoles } from './store.ts'

/**
 * Adds the roles that every organization begins with, once: together with the organization. Those of older releases got
 * theirs by a migration.
 */
export async function addBuiltInRoles(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<void> {
  const roles = builtInRoles.map(({ slug, name, abilities }) => ({
    id: builtInRoleId(organizationId, slug),
    name,
    abilities: JSON.stringify(abilities),
  }))
  await insertBuiltInRoles(store, trx, organizationId, roles)
}

/** The id of one of `builtInRoles` in an organization. */
export function builtInRoleId(organizationId: string, slug: string): string {
  return `${organizationId}-${slug}`
}
