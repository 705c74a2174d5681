import { v7 as uuidv7 } from 'uuid'
import { Meter } from '../lib/meter.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import type { NamedVolume } from './copies.ts'
import { cleanupSignal, type JobContext } from './job.ts'
import { exists, findSnapshot, manifestKey, writeManifest } from './manifests.ts'
import { writeRestoreText } from './restore-text.ts'
import { announceWriting, concludeWriting, removeUnfinished } from './writing.ts'

/** A good copy, and where another one is to be. */
export interface ReplicationOrder {
  from: NamedVolume & { key: string }
  to: NamedVolume
  manifest: Manifest
  /** Under which key; the same as that of the good copy, unless another snapshot has it there. */
  key: string
  /** Hears the key, when the copy is complete, before its note goes: see `takeSnapshot`. */
  onComplete?: (key: string) => Promise<void>
}

/**
 * Makes a copy of a snapshot out of another copy, as it is, without any key: no byte is believed that has not the
 * manifest's SHA-256 in the end. What lies under the key already and is this snapshot's, damaged or not, is replaced.
 * Returns the key. Throws `checksum_mismatch` if the copy that is read is not good itself; nothing has changed then.
 */
export async function replicateCopy(order: ReplicationOrder, job: JobContext): Promise<string> {
  const { from, to, manifest } = order
  const { volume } = to
  const key = await keyThere(order, job.signal)
  const wasThere = await exists(volume, key, job.signal)
  await announceWriting(volume, key, job.signal, uuidv7())
  try {
    await volume.write(key, { body: checked(from.volume, from.key, manifest, job) }, job.signal)
    await confirmSize(volume, key, manifest, job.signal)
    await writeManifest(volume, key, manifest, job.signal)
    job.signal.throwIfAborted()
    await order.onComplete?.(key)
  } catch (error) {
    await takeBack(to, key, wasThere, job)
    throw error
  }
  await writeRestoreText(volume, cleanupSignal())
  await concludeWriting(volume, key, cleanupSignal())
  return key
}

/** The key, or one beside it if another snapshot has it there. */
async function keyThere({ key, to, manifest }: ReplicationOrder, signal: AbortSignal): Promise<string> {
  const isOurs = async (candidate: string) => {
    try {
      return (await findSnapshot(to.volume, candidate, signal)).manifest.snapshot === manifest.snapshot
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'snapshot_not_found') throw error
      return !(await exists(to.volume, candidate, signal))
    }
  }
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  const beside = `${folder}${manifest.snapshot}-${key.slice(folder.length)}`
  for (const candidate of [key, beside]) if (await isOurs(candidate)) return candidate
  throw new AppError('object_exists', `“${key}” is taken on volume “${to.name}” by something else.`, {
    hint: 'Look at what lies there; if nobody needs it, remove it.',
  })
}

/** The object's bytes; instead of their end an error, if they are not those that the manifest speaks of. */
async function* checked(
  volume: Volume,
  key: string,
  manifest: Manifest,
  job: JobContext,
): AsyncGenerator<Uint8Array, void> {
  const { stored } = manifest
  const meter = new Meter((storedBytes) => job.progress({ phase: 'copying', storedBytes }))
  yield* meter.measure(volume.read(key, job.signal))
  if (meter.bytes === stored.bytes && meter.sha256 === stored.sha256) return
  throw new AppError('checksum_mismatch', `“${key}” on ${volume.location} is not what was stored there.`, {
    hint: 'Its bytes have changed since the backup. Another copy is needed.',
  })
}

async function confirmSize(
  volume: Volume,
  key: string,
  { stored }: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const { bytes } = await volume.stat(key, signal)
  if (bytes === stored.bytes) return
  throw new AppError(
    'volume_corrupted',
    `${volume.location} holds ${bytes} bytes as “${key}”, not the ${stored.bytes} that were written.`,
  )
}

/** What was there before is there still: a write publishes all or nothing. So only what is new goes. */
async function takeBack({ name, volume }: NamedVolume, key: string, wasThere: boolean, job: JobContext) {
  try {
    if (!wasThere) return await removeUnfinished(volume, key)
    await volume.discard(key, cleanupSignal())
    await volume.discard(manifestKey(key), cleanupSignal())
    await concludeWriting(volume, key, cleanupSignal())
  } catch (error) {
    job.log('warning', `Volume “${name}” could not be tidied; the next run will: ${messageOf(error)}`)
  }
}
