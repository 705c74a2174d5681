import { AppError } from '../shared/errors.ts'
import type { Volume } from '../volumes/volume.ts'
import { exists, findSnapshot, manifestKey } from './manifests.ts'
import { isAnnounced } from './writing.ts'

/**
 * Deletes a copy, and makes sure that it is gone. Succeeds if it is gone already, also if another snapshot has its key
 * by now, which is left alone. Throws `volume_refused` if the volume keeps it without saying so.
 *
 * The manifest goes first. Should the process be killed in between, then what is left is an object without a manifest:
 * nothing lists it, nobody takes it for a snapshot, and the catalogue still says that it is to go. The other way round,
 * a manifest would go on to promise a snapshot that cannot be restored. It is the order of writing, backwards.
 */
export async function pruneCopy(
  volume: Volume,
  { key, snapshotId }: { key: string; snapshotId: string },
  signal: AbortSignal,
): Promise<void> {
  if ((await volume.isThere?.(signal)) === false) throw notThere(volume)
  if (await isAnothers(volume, key, snapshotId, signal)) return
  await volume.remove(manifestKey(key), signal)
  await volume.remove(key, signal)
  for (const removed of [manifestKey(key), key]) {
    if (!(await exists(volume, removed, signal))) continue
    if (await isAnothers(volume, key, snapshotId, signal)) return
    throw new AppError(
      'volume_refused',
      `“${removed}” is still on ${volume.location} after it was deleted.`,
      {
        hint: 'Does the storage keep deleted objects, by a lock or a rule for retention of its own?',
      },
    )
  }
}

/** The key was free, and another snapshot has it now, or is being written under it. */
async function isAnothers(
  volume: Volume,
  key: string,
  snapshotId: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { manifest } = await findSnapshot(volume, key, signal)
    return manifest.snapshot !== snapshotId
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'manifest_invalid') return false // it was ours, before somebody damaged it
    if (error.code !== 'snapshot_not_found') throw error
    // Whoever wrote the note had found the key free.
    return await isAnnounced(volume, key, signal)
  }
}

/** To `remove` and `stat`, a disk that is not mounted looks like one from which everything is gone. */
function notThere({ location }: Volume): AppError {
  return new AppError('volume_unreachable', `${location} is not there.`, {
    hint: 'Is its disk mounted? If it is gone for good, make an empty folder in its place.',
  })
}
