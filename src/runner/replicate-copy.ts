import { v7 as uuidv7 } from 'uuid'
import { Meter } from '../lib/meter.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { besideKey } from '../shared/keys.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { checkStillThere } from './confirm-object.ts'
import type { Copy, NamedVolume } from './copies.ts'
import { cleanupSignal, isRefusal, type JobContext } from './job.ts'
import { exists, findSnapshot, manifestKey, writeManifest } from './manifests.ts'
import { compare } from './read-copy.ts'
import { writeRestoreText } from './restore-text.ts'
import {
  announceWriting,
  announcedBy,
  concludeWriting,
  removeUnfinished,
  renewNote,
  renewNotes,
} from './writing.ts'

/** A good copy, and where another one is to be. */
export interface ReplicationOrder {
  from: NamedVolume & { key: string }
  to: NamedVolume
  manifest: Manifest
  /** Under which key; the same as that of the good copy, unless another snapshot has it there. */
  key: string
  /**
   * Hears the key, when the copy is complete, before its note goes. If it refuses, see `isRefusal`, what is new is removed
   * again; after any other error nobody knows whether it is remembered, so it stays, with its note: see `takeSnapshot`.
   */
  onComplete?: (key: string) => Promise<void>
}

/**
 * Makes a copy of a snapshot out of another copy, as it is, without any key: no byte is believed that has not the
 * manifest's SHA-256 in the end. What lies under the key already and is this snapshot's, damaged or not, is replaced;
 * so is what an earlier attempt has left there. Returns the key. Throws `checksum_mismatch` if the copy that is read is
 * not good itself; nothing has changed then.
 */
export async function replicateCopy(order: ReplicationOrder, job: JobContext): Promise<string> {
  const { from, to, manifest } = order
  const { volume } = to
  const copy: Copy = { ...to, run: `${manifest.snapshot}/repair/${uuidv7()}`, announced: true }
  const key = await keyThere(order, job.signal)
  const wasThere =
    (await exists(volume, key, job.signal)) && (await exists(volume, manifestKey(key), job.signal))
  await announce(copy, key, manifest, job.signal)
  using _renewal = renewNotes([copy], key, job)
  let mayBeRemembered = false
  try {
    await volume.write(key, { body: checked(from.volume, from.key, manifest, job) }, job.signal)
    await writeManifest(volume, key, manifest, job.signal)
    await checkStillThere(volume, key, manifest, job.signal)
    job.signal.throwIfAborted()
    mayBeRemembered = order.onComplete !== undefined
    await order.onComplete?.(key)
  } catch (error) {
    if (!mayBeRemembered || isRefusal(error)) await takeBack(copy, key, wasThere, job)
    throw error
  }
  await writeRestoreText(volume, cleanupSignal())
  await concludeWriting(volume, key, cleanupSignal())
  return key
}

/** The key, or one beside it if another snapshot has it there. */
async function keyThere({ key, to, manifest }: ReplicationOrder, signal: AbortSignal): Promise<string> {
  const { volume } = to
  const isOurs = async (candidate: string) => {
    try {
      return (await findSnapshot(volume, candidate, signal)).manifest.snapshot === manifest.snapshot
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'snapshot_not_found') throw error
      if (!(await exists(volume, candidate, signal))) return true
      return isOf(manifest, await announcedBy(volume, candidate, signal))
    }
  }
  for (const candidate of [key, besideKey(key, manifest.snapshot)]) {
    if (await isOurs(candidate)) return candidate
  }
  throw new AppError('object_exists', `“${key}” is taken on volume “${to.name}” by something else.`, {
    hint: 'Look at what lies there; if nobody needs it, remove it.',
  })
}

/**
 * Puts our note on the volume, also in the place of one that an earlier run for the same snapshot could not take away:
 * the backup itself, or an attempt at this repair, whose job would else never come to its end. Its uploads go.
 */
async function announce(
  { name, volume, run }: Copy,
  key: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  try {
    return await announceWriting(volume, key, signal, run)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'object_exists') throw error
    if (!isOf(manifest, await announcedBy(volume, key, signal))) throw isWritten(name, key, error)
  }
  await renewNote(volume, key, signal, run)
  await volume.discard(key, signal)
  await volume.discard(manifestKey(key), signal)
}

/** Both a backup and a repair begin the name of their run with the snapshot. */
function isOf({ snapshot }: Manifest, run: string | undefined): boolean {
  return run?.startsWith(`${snapshot}/`) ?? false
}

function isWritten(name: string, key: string, cause: AppError): AppError {
  return new AppError('object_exists', `Another run is writing “${key}” on volume “${name}”.`, {
    hint: 'It is tried again when that one is over.',
    retryable: true,
    cause,
  })
}

/** The object's bytes; instead of their end an error, if they are not those that the manifest speaks of. */
async function* checked(
  volume: Volume,
  key: string,
  manifest: Manifest,
  job: JobContext,
): AsyncGenerator<Uint8Array, void> {
  const meter = new Meter((storedBytes) => job.progress({ phase: 'copying', storedBytes }))
  yield* meter.measure(volume.read(key, job.signal))
  compare(`“${key}” on ${volume.location}`, 'the object', meter, manifest.stored)
}

/**
 * What was there before is there still: a write publishes all or nothing. So only what is new goes; and nothing at all
 * if the note is not ours any more, since then a later attempt has taken over, and may be complete already.
 */
async function takeBack({ name, volume, run }: Copy, key: string, wasThere: boolean, job: JobContext) {
  try {
    if ((await announcedBy(volume, key, cleanupSignal())) !== run) return
    if (!wasThere) return await removeUnfinished(volume, key)
    await volume.discard(key, cleanupSignal())
    await volume.discard(manifestKey(key), cleanupSignal())
    await concludeWriting(volume, key, cleanupSignal())
  } catch (error) {
    job.log('warning', `Volume “${name}” could not be tidied; the next run will: ${messageOf(error)}`)
  }
}
