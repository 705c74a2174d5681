import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { DEFAULT_RULE_NAME, defaultEvents } from '../../shared/notifications.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { insertRule } from './store.ts'

/**
 * Adds the rule that every organization begins with, once: together with the organization. Whoever deletes it has done
 * without it. The organizations of older releases got theirs by a migration.
 */
export async function addDefaultRule(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<void> {
  await insertRule(store, trx, organizationId, {
    id: uuidv7(),
    name: DEFAULT_RULE_NAME,
    isEnabled: 1,
    events: JSON.stringify(defaultEvents),
    servers: JSON.stringify({ all: true }),
    channels: null,
  })
}
