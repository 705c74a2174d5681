import type { Transaction } from 'kysely'
import { z } from 'zod'
import type { JobContext } from '../../runner/job.ts'
import { findSnapshot } from '../../runner/manifests.ts'
import { sweepUnfinished } from '../../runner/writing.ts'
import { AppError } from '../../shared/errors.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { Volume } from '../../volumes/volume.ts'
import type { AppContext } from '../context.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { wantCopies } from '../snapshots/copies.ts'
import { adoptCopy, type FoundCopy } from '../snapshots/record.ts'
import { enqueueRepair } from './repair.ts'
import { writableVolumes } from './store.ts'
import { openVolumeOf, volumeOf, volumeResource, type VolumeRow } from '../volumes/volumes.ts'

/** Removes from a volume what killed runs have left there. */
export const sweepVolume = defineJob({
  payload: z.object({ volumeId: z.string() }),
  async run({ context, organizationId, payload: { volumeId }, ...job }) {
    const row = await volumeOf(context, organizationId, volumeId)
    await using volume = openVolumeOf(context, row)
    return { result: { removed: await sweep(context, organizationId, row, volume, job) } }
  },
})

/** Enqueues it for the volumes of a plan, or for all, as far as they can be written to. */
export async function enqueueSweep(
  { store }: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  of: { planId?: string } = {},
): Promise<void> {
  for (const id of await writableVolumes(trx, organizationId, of)) {
    await enqueueJob(store, trx, {
      organizationId,
      kind: 'sweep-volume',
      key: `sweep-volume:${id}`,
      payload: { volumeId: id },
      subject: { volumeId: id },
      resources: [volumeResource(id)],
      maxAttempts: 5,
    })
  }
}

/**
 * Removes what runs that are over have left unfinished. A snapshot that is complete, whose run was killed before the
 * catalogue heard of it, is added to the catalogue. Returns the keys of what was removed.
 */
export async function sweep(
  context: AppContext,
  organizationId: string,
  row: VolumeRow,
  volume: Volume,
  job: JobContext,
): Promise<string[]> {
  return await sweepUnfinished(volume, job, {
    async onComplete(key) {
      const { manifest } = await findSnapshot(volume, key, job.signal)
      if (!(await isWhole(volume, key, manifest, job.signal))) return
      const found = { organizationId, volumeId: row.id, key, manifest }
      const { store } = context
      const what = await store.db.transaction().execute(async (trx) => {
        const adopted = await adoptCopy(store, trx, found)
        if (adopted === 'new') await askForOthers(store, trx, found)
        return adopted
      })
      if (what !== 'known') job.log('info', `“${key}” was complete, and is in the catalogue now.`)
    },
  })
}

/** A copy that was being replaced has its former manifest. */
async function isWhole(
  volume: Volume,
  key: string,
  { stored }: Manifest,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await volume.stat(key, signal)).bytes === stored.bytes
  } catch (error) {
    if (error instanceof AppError && error.code === 'object_not_found') return false
    throw error
  }
}

/** Its run was killed: on the other volumes of its plan it may be complete too, and else is made from this copy. */
async function askForOthers(
  store: Store,
  trx: Transaction<Tables>,
  { organizationId, volumeId, manifest }: FoundCopy,
): Promise<void> {
  const volumeIds = await wantCopies(store, trx, { snapshotId: manifest.snapshot, volumeId })
  for (const other of volumeIds) await enqueueRepair(store, trx, organizationId, manifest.snapshot, other)
}
