import { enqueueSweep } from '../backups/sweep.ts'
import type { AppContext } from '../context.ts'
import { readyVolume } from '../volumes/volumes.ts'

/**
 * What an organization finds when it has just been made, and after each start: a first volume, and nothing that was left by
 * what was killed.
 */
export async function prepareOrganization(context: AppContext, organizationId: string): Promise<void> {
  const { store } = context
  await readyVolume(context, organizationId)
  await store.db.transaction().execute((trx) => enqueueSweep(context, trx, organizationId))
}
