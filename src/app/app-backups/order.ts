import type { Transaction } from 'kysely'
import type { AppBackupCause } from '../../shared/app-backups.ts'
import { enqueueJob, setCapacity } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { listOrganizations } from '../organizations/organizations.ts'

/** One at a time: else a backup would hold the row of another one that is being made, and a restored store remove that. */
const RESOURCE = 'app-backups'

/**
 * Orders a backup, unless one waits already, which `isApart` does not count: of a registration that is switched off nothing
 * is made but by hand. Returns the job, and whose it is; undefined as long as there is no organization.
 */
export async function enqueueAppBackup(
  context: AppContext,
  trx: Transaction<Tables>,
  registrationId: string,
  cause: AppBackupCause,
  isApart = false,
): Promise<{ jobId: string; organizationId: string } | undefined> {
  const { store } = context
  // It is nobody’s in particular: the oldest organization sees it.
  const [oldest] = await listOrganizations({ ...store, db: trx })
  if (!oldest) return undefined
  await setCapacity(trx, RESOURCE, 1)
  const { id } = await enqueueJob(store, trx, {
    organizationId: oldest.id,
    kind: 'app-backup',
    key: `app-backup:${registrationId}${isApart ? ':by-hand' : ''}`,
    payload: { registrationId, cause },
    resources: [RESOURCE],
    maxAttempts: 5,
    backoff: 60_000,
  })
  return { jobId: id, organizationId: oldest.id }
}

/** Orders that what killed processes have left is looked for. */
export async function enqueueTidying(context: AppContext, trx: Transaction<Tables>): Promise<void> {
  const { store } = context
  const [oldest] = await listOrganizations({ ...store, db: trx })
  if (!oldest) return
  await setCapacity(trx, RESOURCE, 1)
  await enqueueJob(store, trx, {
    organizationId: oldest.id,
    kind: 'tidy-app-backups',
    key: 'tidy-app-backups',
    payload: {},
    resources: [RESOURCE],
    maxAttempts: 3,
  })
}
