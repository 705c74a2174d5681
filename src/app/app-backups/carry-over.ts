import type { Store } from '../../store/database.ts'
import { type BackupRow, backupsOf, insertCarried, registrationIds } from './store.ts'

/** The schema from which on a store knows its backups. */
const SINCE = 6

/** What a store knows of its own backups. */
export type CarriedBackups = readonly BackupRow[]

/** For the store that takes its place. */
export async function carriedBackups(store: Store, schema: number): Promise<CarriedBackups> {
  if (schema < SINCE) return []
  return await backupsOf(store.db, await registrationIds(store.db))
}

/**
 * Tells a restored store of backups that were made since then, as far as it has their registrations: else they would lie
 * there for ever. One that was being made when the store was copied is as the newer store knows it.
 */
export async function carryOver(store: Store, schema: number, backups: CarriedBackups): Promise<void> {
  if (schema < SINCE) return
  const known = new Set(await registrationIds(store.db))
  for (const backup of backups) if (known.has(backup.registrationId)) await insertCarried(store.db, backup)
}
