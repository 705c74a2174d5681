import type { Transaction } from 'kysely'
import { z } from 'zod'
import { replicateCopy } from '../../runner/replicate-copy.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { jobError } from '../jobs/run-job.ts'
import { findCopy, markCopy, noteCopyError } from '../snapshots/copies.ts'
import { type ReadableCopy, readableCopy, snapshotOf } from '../snapshots/snapshots.ts'
import { tellFaultyCopy } from '../volumes/notices.ts'
import { openVolumeOf, volumeOf, volumeResource, type VolumeRow } from '../volumes/volumes.ts'

/** With pauses of an hour at most: more than a week. The daily clean-up asks again after that. */
const ATTEMPTS = 200

const payload = z.object({ snapshotId: z.string(), volumeId: z.string() })
type RepairPayload = z.output<typeof payload>

/** Makes a copy that is missing, or damaged, out of a good one. Never by a second dump. */
export const repairCopy = defineJob({
  payload,
  async run(work) {
    const { context, organizationId, payload, finish, log } = work
    const { snapshotId, volumeId } = payload
    const find = async () => {
      const copy = await findCopy(context.store, organizationId, payload)
      return copy?.state === 'stored' || copy?.state === 'delete_pending' ? undefined : copy
    }
    // It may have been deleted, repaired or given up since.
    if (!(await find())) return { result: { done: false } }
    const row = await volumeOf(context, organizationId, volumeId)
    const source = await readableCopy(context, organizationId, snapshotId)
    await using _source = source.volume
    // Only from here on, no copy of the snapshot is given up.
    const wanted = await find()
    if (!wanted) return { result: { done: false } }
    await using volume = openVolumeOf(context, row)
    const order = {
      from: { name: source.volumeRow.name, volume: source.volume, key: source.key },
      to: { name: row.name, volume },
      manifest: source.manifest,
      key: wanted.key,
      onComplete: (key: string) =>
        finish({
          result: { done: true, key, from: source.volumeRow.id },
          async record(trx: Transaction<Tables>) {
            const found = { state: 'stored', key, isWhole: true } as const
            if (!(await markCopy(context.store, trx, payload, found))) throw notWanted(row)
          },
        }),
    }
    try {
      await replicateCopy(order, work)
    } catch (error) {
      await learnFrom(work, source, asAppError(error))
      throw error
    }
    log('info', `“${row.name}” has its copy again, made from that on “${source.volumeRow.name}”.`)
    return undefined
  },
})

function notWanted({ name }: VolumeRow): AppError {
  return new AppError('changed_meanwhile', `The catalogue wants no copy on “${name}” any more.`)
}

/** What a failed attempt shows of the copies: the next one must not read a damaged one again. */
async function learnFrom(
  { context, id, organizationId, payload: { snapshotId, volumeId } }: Work<RepairPayload>,
  source: ReadableCopy,
  error: AppError,
): Promise<void> {
  const { store } = context
  const snapshot = await snapshotOf(context, organizationId, snapshotId)
  await store.db.transaction().execute(async (trx) => {
    if (error.code !== 'checksum_mismatch') {
      return await noteCopyError(store, trx, { snapshotId, volumeId }, jobError(error))
    }
    const copy = { snapshotId, volumeId: source.volumeRow.id }
    await markCopy(store, trx, copy, { state: 'corrupt', error: jobError(error) })
    const found = { organizationId, volumeId: copy.volumeId, jobId: id }
    await tellFaultyCopy(context, trx, found, snapshot, jobError(error))
  })
}

/** Orders the copy of a snapshot that a volume should have and has not. */
export async function enqueueRepair(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  snapshotId: string,
  volumeId: string,
): Promise<string> {
  const { id } = await enqueueJob(store, trx, {
    organizationId,
    kind: 'repair-copy',
    key: `repair-copy:${snapshotId}:${volumeId}`,
    payload: { snapshotId, volumeId },
    subject: { snapshotId, volumeId },
    resources: [volumeResource(volumeId)],
    maxAttempts: ATTEMPTS,
    backoff: 60_000,
    delay: 30_000,
  })
  return id
}
