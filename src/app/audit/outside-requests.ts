import type { Store } from '../../store/database.ts'
import { actorAtCommandLine, type NewAuditEntry, recordAuditNow, systemActor } from './record.ts'

/** What somebody at the machine of the app has done: an entry without an address. */
export function atCommandLine(
  entry: Pick<NewAuditEntry, 'action' | 'target' | 'details'> & { organizationId?: string },
): NewAuditEntry {
  return {
    organizationId: null,
    outcome: 'succeeded',
    actor: actorAtCommandLine(),
    address: null,
    ...entry,
  }
}

/** What a start has changed of the whole store: its schema, and what its secrets are sealed with. */
export async function recordStart(
  store: Store,
  { migrations, resealed }: { migrations: readonly number[]; resealed: number },
): Promise<void> {
  const own = {
    organizationId: null,
    outcome: 'succeeded' as const,
    actor: systemActor,
    address: null,
    target: null,
  }
  if (migrations.length > 0)
    await recordAuditNow(store, { ...own, action: 'app.migrate', details: { migrations } })
  if (resealed > 0)
    await recordAuditNow(store, { ...own, action: 'app.reseal', details: { secrets: resealed } })
}
