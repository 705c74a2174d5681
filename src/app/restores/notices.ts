import type { Transaction } from 'kysely'
import type { RestoreResult } from '../../shared/restores.ts'
import { formatSeconds } from '../../shared/units.ts'
import type { JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { announce, announceEnd, type Occasion } from '../notifications/announce.ts'
import type { RestorePayload } from './order.ts'
import { restoreNames } from './store.ts'

/*
 * What people hear of restores. One that somebody ordered stands for itself; those of a schedule that fail again and again
 * are one story.
 */

export interface ToldRestore {
  organizationId: string
  jobId: string
  payload: Pick<RestorePayload, 'snapshotId' | 'serverId' | 'database' | 'mode' | 'scheduledRestoreId'>
}

export async function tellRestored(
  context: AppContext,
  trx: Transaction<Tables>,
  restore: ToldRestore,
  { rows, seconds }: RestoreResult,
): Promise<void> {
  const { what, common } = await aboutOf(trx, restore)
  const counted = rows === null ? '' : ` ${rows.rows} rows in ${rows.tables} tables, as in the snapshot.`
  const text = `It took ${formatSeconds(sumOf(seconds))}.${counted}`
  const key = threadOf(restore)
  if (key !== undefined) {
    const again = { ...common, event: 'restore.recovered', title: `${what} succeeds again`, text } as const
    await announceEnd(context, trx, again, [key])
  }
  await announce(context, trx, { ...common, event: 'restore.succeeded', title: `${what} succeeded`, text })
}

export async function tellNotRestored(
  context: AppContext,
  trx: Transaction<Tables>,
  restore: ToldRestore,
  error: JobError,
): Promise<void> {
  const { what, common } = await aboutOf(trx, restore)
  const key = threadOf(restore)
  await announce(context, trx, {
    ...common,
    event: 'restore.failed',
    title: `${what} failed`,
    text: [error.message, error.hint].filter(Boolean).join(' '),
    facts: [...common.facts, { label: 'Error', value: error.code }],
    data: { ...common.data, error },
    ...(key !== undefined && { thread: { key, is: 'going-on' } }),
  })
}

function threadOf({ payload: { scheduledRestoreId } }: ToldRestore): string | undefined {
  return scheduledRestoreId === null ? undefined : `restore:${scheduledRestoreId}`
}

async function aboutOf(
  trx: Transaction<Tables>,
  { organizationId, jobId, payload }: ToldRestore,
): Promise<{ what: string; common: Omit<Occasion, 'event' | 'title' | 'text'> }> {
  const { serverId, snapshotId, mode } = payload
  const { server, snapshot } = await restoreNames(trx, payload)
  const database = payload.database ?? snapshot?.database ?? null
  const source = snapshot && {
    snapshotId,
    serverName: snapshot.serverName,
    database: snapshot.database,
    takenAt: new Date(snapshot.takenAt).toISOString(),
  }
  return {
    what: `The restore into “${database ?? ''}” on “${server ?? serverId}”`,
    common: {
      organizationId,
      serverId,
      database,
      path: `/jobs/${jobId}`,
      facts: [
        { label: 'Server', value: server ?? serverId },
        { label: 'Database', value: database ?? '' },
        ...(source
          ? [{ label: 'Snapshot', value: `${source.database} of ${source.serverName}, ${source.takenAt}` }]
          : []),
      ],
      data: { jobId, mode, server: { id: serverId, name: server }, snapshot: source },
    },
  }
}

function sumOf(seconds: Record<string, number>): number {
  return Object.values(seconds).reduce((sum, part) => sum + part, 0)
}
