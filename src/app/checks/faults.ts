import { z } from 'zod'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import type { Volume } from '../../volumes/volume.ts'
import { enqueueRepair } from '../backups/repair.ts'
import type { Work } from '../jobs/job-kind.ts'
import { jobError } from '../jobs/run-job.ts'
import type { VolumeRow } from '../volumes/volumes.ts'
import { markFaulty, repairableCopies } from './store.ts'

const PIECE = 100

const faults = z.object({
  missing: z.number(),
  corrupt: z.number(),
  first: z.object({ code: z.custom<ErrorCode>(), message: z.string() }).optional(),
})
/** What a check has found to be wrong. */
export type Faults = z.output<typeof faults>

/** What earlier attempts have found belongs to the check: what is marked by now is not found a second time. */
export const checkPayload = z.object({ volumeId: z.string(), faults: faults.optional() })
export type CheckWork = Work<z.output<typeof checkPayload>>

export function faultsSoFar({ payload: { faults } }: CheckWork): Faults {
  return faults ?? { missing: 0, corrupt: 0 }
}

/** Notes a fault, unless the copy is to go by now, or has gone. */
export async function noteFault(
  work: CheckWork,
  { id }: VolumeRow,
  { snapshotId }: { snapshotId: string },
  faults: Faults,
  error: AppError,
): Promise<void> {
  const { store } = work.context
  const state = error.code === 'object_not_found' ? 'missing' : 'corrupt'
  const { code, message } = error
  await store.db.transaction().execute(async (trx) => {
    if (!(await markFaulty(store, trx, id, snapshotId, state, jobError(error)))) return
    faults[state] += 1
    faults.first ??= { code, message }
    await work.remember(trx, { ...work.payload, faults })
    work.log('error', message)
  })
}

/** Throws if the volume is not there: to whoever asks for its objects, all of them would be missing. */
export async function refuseIfGone(volume: Volume, signal: AbortSignal): Promise<void> {
  if ((await volume.isThere?.(signal)) !== false) return
  throw new AppError('volume_unreachable', `${volume.location} is not there.`, {
    hint: 'Is its disk mounted? Nothing was marked as missing.',
  })
}

/** Throws if there is nothing at all on the volume: then it is another one, rather than that all copies have gone. */
export async function refuseIfEmpty(volume: Volume, signal: AbortSignal): Promise<void> {
  for await (const _ of volume.list('', signal)) return
  throw new AppError(
    'volume_refused',
    `There is nothing at all on ${volume.location}, where copies should be.`,
    {
      hint: 'Is the right disk mounted, the right bucket named? Nothing was marked as missing. If all is really gone, delete the snapshots.',
      isFinal: true,
    },
  )
}

/** Orders that copies of the volume which are missing or damaged are made again, where there is a good one. */
export async function repairAll(
  { context: { store }, organizationId }: Work<unknown>,
  { id, isReadOnly }: VolumeRow,
): Promise<number> {
  let repairs = 0
  if (isReadOnly === 1) return repairs
  for (const state of ['missing', 'corrupt', 'failed'] as const) {
    for (let after = ''; ;) {
      const piece = await repairableCopies(store.db, id, state, after, PIECE)
      const last = piece.at(-1)
      if (last === undefined) break
      await store.db.transaction().execute(async (trx) => {
        for (const snapshotId of piece) await enqueueRepair(store, trx, organizationId, snapshotId, id)
      })
      repairs += piece.length
      after = last
    }
  }
  return repairs
}

/** What a check that found faults ends with; undefined if it found none. */
export function faultsFound({ name }: VolumeRow, faults: Faults, repairs: number): AppError | undefined {
  const { missing, corrupt, first } = faults
  if (!first) return undefined
  const counts = [
    ...(missing > 0 ? [`${missing} ${missing === 1 ? 'copy is' : 'copies are'} missing`] : []),
    ...(corrupt > 0 ? [`${corrupt} ${corrupt === 1 ? 'copy is' : 'copies are'} damaged`] : []),
  ]
  // An earlier attempt may have found what is there again by now.
  const counted = counts.length > 0 ? `On “${name}”, ${counts.join(' and ')}. ` : ''
  return new AppError(first.code, counted + first.message, {
    hint:
      repairs > 0
        ? `${repairs} ${repairs === 1 ? 'copy is' : 'copies are'} being made again from good ones.`
        : 'There is no other good copy to make them from.',
    isFinal: true,
  })
}
