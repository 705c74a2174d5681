import { z } from 'zod'
import { engineNamed } from '../../engines/index.ts'
import { verifyCopy } from '../../runner/verify-copy.ts'
import { AppError, asAppError, type ErrorCode } from '../../shared/errors.ts'
import type { CopyState } from '../../shared/snapshots-api.ts'
import { enqueueJob } from '../../store/queue.ts'
import { enqueueRepair } from '../backups/repair.ts'
import { refuseIfEmpty, refuseIfGone } from '../checks/faults.ts'
import type { AppContext } from '../context.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { jobError } from '../jobs/run-job.ts'
import { keyRingOf } from '../keys/keys.ts'
import { tellFaultyCopy } from '../volumes/notices.ts'
import { openVolumeOf, volumeOf, volumeResource } from '../volumes/volumes.ts'
import { type CopyFinding, markCopy } from './copies.ts'
import { beginReading, type SnapshotRow } from './snapshots.ts'
import type { NamedCopyRow } from './store.ts'

/** What tells of the copy, and not of the way to it. */
const faults: Partial<Record<ErrorCode, 'missing' | 'corrupt'>> = {
  object_not_found: 'missing',
  checksum_mismatch: 'corrupt',
  volume_corrupted: 'corrupt',
  decryption_failed: 'corrupt',
  decompression_failed: 'corrupt',
  dump_incomplete: 'corrupt',
}

/** Orders that copies of a snapshot are read and compared: all of them, or that on one volume. */
export async function orderVerification(
  { store }: AppContext,
  organizationId: string,
  snapshotId: string,
  volumeId: string | undefined,
): Promise<{ jobId: string }> {
  return await store.db.transaction().execute(async (trx) => {
    const { copies } = await beginReading(store, trx, organizationId, snapshotId)
    const wanted = copies.filter(isVerifiable(volumeId))
    if (wanted.length === 0) {
      throw new AppError('object_not_found', 'There is no copy that could be verified.', {
        hint: 'Look at the copies of the snapshot: one that was never stored has nothing to read.',
      })
    }
    const { id } = await enqueueJob(store, trx, {
      organizationId,
      kind: 'verify',
      key: `verify:${snapshotId}:${volumeId ?? 'all'}`,
      payload: { snapshotId, volumeId },
      subject: { snapshotId, ...(volumeId !== undefined && { volumeId }) },
      resources: wanted.map((copy) => volumeResource(copy.volumeId)),
      maxAttempts: 2,
      priority: 1,
    })
    return { jobId: id }
  })
}

/**
 * Reads copies from the first byte to the last and proves that each is what its manifest says, down to the rows of each
 * table. One that is not is marked, and made again from a good one.
 */
export const verify = defineJob({
  payload: z.object({ snapshotId: z.string(), volumeId: z.string().optional() }),
  async run(work) {
    const { context, organizationId, payload } = work
    const { store } = context
    const { row, copies } = await store.db
      .transaction()
      .execute((trx) => beginReading(store, trx, organizationId, payload.snapshotId))
    const states = new Map(copies.map(({ volumeId, state }) => [volumeId, state]))
    const found: AppError[] = []
    const errors: AppError[] = []
    for (const copy of copies.filter(isVerifiable(payload.volumeId))) {
      const { volumeId } = copy
      try {
        const { finding, fault } = await verifyOne(work, row, copy)
        if (fault) found.push(fault)
        states.set(volumeId, finding.state)
        await store.db.transaction().execute(async (trx) => {
          await markCopy(store, trx, { snapshotId: row.id, volumeId }, finding)
          const told = { organizationId, volumeId, jobId: work.id }
          if (fault) await tellFaultyCopy(context, trx, told, row, jobError(fault))
        })
      } catch (error) {
        work.signal.throwIfAborted()
        errors.push(asAppError(error))
      }
    }
    await repair(work, row.id, states)
    const [fault] = found
    if (fault) throw told(fault)
    const [first] = errors
    if (first) throw first
    return { result: { copies: copies.map(({ volumeId }) => ({ volumeId, state: states.get(volumeId) })) } }
  },
})

/** Whatever is not good is made again, as long as another copy is. */
async function repair(
  { context: { store }, organizationId }: Work<unknown>,
  snapshotId: string,
  states: ReadonlyMap<string, CopyState>,
): Promise<void> {
  const bad = [...states].filter(([, state]) => state === 'missing' || state === 'corrupt')
  if (bad.length === 0 || ![...states.values()].includes('stored')) return
  await store.db.transaction().execute(async (trx) => {
    for (const [volumeId] of bad) await enqueueRepair(store, trx, organizationId, snapshotId, volumeId)
  })
}

/** Another attempt may find what was made again since, and nobody would hear of what was wrong. */
function told({ code, message, hint, cause }: AppError): AppError {
  return new AppError(code, message, { ...(hint !== undefined && { hint }), cause, isFinal: true })
}

/** Throws what says nothing about the copy: an unreachable volume, a key that is not at hand. */
async function verifyOne(
  work: Work<unknown>,
  { engine, manifest, isForeign }: SnapshotRow,
  { volumeId, volumeName, key }: NamedCopyRow,
): Promise<{ finding: CopyFinding; fault?: AppError }> {
  const { context, organizationId, signal, log } = work
  await using volume = openVolumeOf(context, await volumeOf(context, organizationId, volumeId))
  try {
    const keys = await keyRingOf(context, organizationId)
    const { tables, rows } = await verifyCopy(engineNamed(engine), volume, key, manifest, keys, work)
    const what = rows === undefined ? '' : `, ${rows} rows in ${tables} tables`
    log('info', `“${volumeName}”: every byte is as it was stored${what}.`)
    return { finding: { state: 'stored', isWhole: true } }
  } catch (thrown) {
    signal.throwIfAborted()
    const error = asAppError(thrown)
    const state = faults[error.code]
    // What another program has written may end in its own way.
    if (!state || (isForeign === 1 && error.code === 'dump_incomplete')) throw error
    if (state === 'missing') {
      await refuseIfGone(volume, signal)
      await refuseIfEmpty(volume, signal)
    }
    log('error', `“${volumeName}”: ${error.message}`)
    return { finding: { state, error: jobError(error) }, fault: error }
  }
}

/** One that was never stored has nothing to read. */
function isVerifiable(volumeId: string | undefined): (copy: NamedCopyRow) => boolean {
  return (copy) => copy.state !== 'failed' && (volumeId === undefined || copy.volumeId === volumeId)
}
