import type { Transaction } from 'kysely'
import { builtInRoles } from '../../shared/roles.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

/**
 * Adds the roles that every organization begins with, once: together with the organization. Those of older releases got
 * theirs by a migration.
 */
export async function addBuiltInRoles(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<void> {
  await trx
    .insertInto('roles')
    .values(
      builtInRoles.map(({ slug, name, abilities }) => ({
        id: builtInRoleId(organizationId, slug),
        organizationId,
        name,
        abilities: JSON.stringify(abilities),
        servers: null,
        isBuiltIn: 1,
        revision: 1,
        createdAt: store.now,
        updatedAt: store.now,
      })),
    )
    .execute()
}

/** The id of one of `builtInRoles` in an organization. */
export function builtInRoleId(organizationId: string, slug: string): string {
  return `${organizationId}-${slug}`
}
