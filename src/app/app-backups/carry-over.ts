import type { Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { type BackupRow, backupsOf, deleteRunning, insertCarried, registrationIds, SINCE } from './store.ts'

/** What a store knows of its own backups. */
export type CarriedBackups = readonly BackupRow[]

/** For the store that takes its place. */
export async function carriedBackups(store: Store, schema: number): Promise<CarriedBackups> {
  if (schema < SINCE) return []
  return await backupsOf(store.db, await registrationIds(store.db))
}

/**
 * Tells a restored store of backups that were made since then, as far as it has their registrations: else they would lie
 * there for ever. One that was being made when the store was copied is as the newer store knows it; without that, nobody
 * knows what became of it: it is forgotten, so that a good one is not taken for a half one, and removed.
 */
export async function carryOver(
  trx: Transaction<Tables>,
  schema: number,
  backups: CarriedBackups,
): Promise<void> {
  if (schema < SINCE) return
  const known = new Set(await registrationIds(trx))
  const carried = backups.filter(({ registrationId }) => known.has(registrationId))
  const ids = new Set(carried.map(({ id }) => id))
  await deleteRunning(trx, (id) => !ids.has(id))
  for (const backup of carried) await insertCarried(trx, backup)
}
