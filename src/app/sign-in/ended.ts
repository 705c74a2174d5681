import type { Store } from '../../store/database.ts'
import { deleteOldTries } from './limits-store.ts'
import { deleteExpired } from './store.ts'

/** Sessions and links whose time is over go, and failed tries that count for nothing any more. */
export async function forgetEnded(store: Store): Promise<void> {
  await deleteExpired(store)
  await deleteOldTries(store)
}
