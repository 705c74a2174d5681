import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { isOver, ownToken } from '../lib/identity.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { z } from 'zod'
import type { ObjectInfo, Volume } from '../volumes/volume.ts'
import type { Copy } from './copies.ts'
import { cleanupSignal, type JobContext } from './job.ts'
import { exists, manifestKey, once } from './manifests.ts'
import { RESTORE_TEXT } from './restore-text.ts'

/*
 * A note on the volume says which key is being written, and by whom. It is there before the first byte and goes
 * when the snapshot is complete or everything of it has been removed. So whatever a killed process leaves behind, an
 * upload in parts, a temporary file, an object without a manifest, is found and removed by the next run on that
 * volume, and nothing that a living process or anybody else writes is ever touched.
 */

const FOLDER = '.holdfast/writing/'
const DAY = 86_400_000
const RENEW_EVERY = 3_600_000

const noteSchema = z.object({
  key: z.string(),
  /** The token of the process that writes it, see lib/identity.ts. */
  writer: z.string(),
  /** Which of that process's copies, see copies.ts. */
  run: z.string().optional(),
})

/**
 * Says on the volume that the key is about to be written. One key has one note, so of two runs that want the same key
 * one gets `object_exists` and must take another. `run` is what its own note is known by.
 */
export async function announceWriting(
  volume: Volume,
  key: string,
  signal: AbortSignal,
  run?: string,
): Promise<void> {
  await volume.write(noteKey(key), { body: once(noteOf(key, run)) }, signal, { ifAbsent: true })
}

/** Writes the note again, so that it does not grow old while the run lives. */
export async function renewNote(
  volume: Volume,
  key: string,
  signal: AbortSignal,
  run?: string,
): Promise<void> {
  await volume.write(noteKey(key), { body: once(noteOf(key, run)) }, signal)
}

/** While the run lives, its notes never look as if it were over. */
export function renewNotes(copies: readonly Copy[], key: string, job: JobContext): Disposable {
  const renew = () => {
    for (const { name, volume, run, announced, failure } of copies) {
      if (!announced || failure) continue
      renewNote(volume, key, cleanupSignal(), run).catch((error: unknown) =>
        job.log('warning', `The note on volume “${name}” could not be renewed: ${messageOf(error)}`),
      )
    }
  }
  const timer = setInterval(renew, RENEW_EVERY).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Whether the volume has a note of the key. */
export async function isAnnounced(volume: Volume, key: string, signal: AbortSignal): Promise<boolean> {
  for await (const found of volume.list(noteKey(key), signal)) if (found.key === noteKey(key)) return true
  return false
}

/** The run that wrote the note of the key; undefined if there is none, or it does not say. */
export async function announcedBy(
  volume: Volume,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const note = await readNote(volume, noteKey(key), signal)
  return note === 'unreadable' ? undefined : note?.run
}

/** Takes the note away again: the snapshot is complete, or nothing of it is left. */
export function concludeWriting(volume: Volume, key: string, signal: AbortSignal): Promise<void> {
  return volume.remove(noteKey(key), signal)
}

/** Removes everything of a snapshot that did not come to its end: object, manifest, temporary names, note. */
export async function removeUnfinished(volume: Volume, key: string): Promise<void> {
  const signal = cleanupSignal()
  await volume.remove(manifestKey(key), signal)
  await volume.discard(manifestKey(key), signal)
  await volume.remove(key, signal)
  await volume.discard(key, signal)
  await concludeWriting(volume, key, signal)
}

/**
 * Removes what runs that are over left unfinished on the volume. A run counts as over when its process is known to
 * have ended, or, for those of other machines, when its note is older than a day. Returns the keys. `onComplete` hears
 * of those that are complete all the same, before their notes go: their run was killed behind the last byte. What goes
 * wrong with one of them is thrown when the others are done; its note stays.
 */
export async function sweepUnfinished(
  volume: Volume,
  job: JobContext,
  { now = new Date(), onComplete }: { now?: Date; onComplete?: (key: string) => Promise<void> } = {},
): Promise<string[]> {
  const swept: string[] = []
  const failures: unknown[] = []
  for await (const found of volume.list(FOLDER, job.signal)) {
    try {
      const key = await sweepOne(volume, found, job, now, onComplete)
      if (key === undefined) continue
      swept.push(key)
      job.log('info', `Removed what an interrupted run had left of “${key}” on ${volume.location}.`)
    } catch (error) {
      job.signal.throwIfAborted()
      job.log('warning', `${found.key} on ${volume.location}: ${messageOf(error)}`)
      failures.push(error)
    }
  }
  for (const written of [FOLDER, RESTORE_TEXT]) await volume.discard(written, job.signal)
  if (failures.length > 0) throw failures[0]
  return swept
}

/** Removes what the note speaks of, if its run is over, and returns the key if that was unfinished. */
async function sweepOne(
  volume: Volume,
  { key, modifiedAt }: ObjectInfo,
  { signal }: JobContext,
  now: Date,
  onComplete: ((key: string) => Promise<void>) | undefined,
): Promise<string | undefined> {
  // Read as late as can be: whoever takes over the key writes another note.
  const note = await readNote(volume, key, signal)
  if (note === undefined) return undefined
  const over = note === 'unreadable' ? 'unknown' : isOver(note.writer)
  const old = now.getTime() - modifiedAt.getTime() > DAY
  if (over === false || (over === 'unknown' && !old)) return undefined
  let swept: string | undefined
  if (note === 'unreadable') {
    // Nothing to be learned from it: it only goes.
  } else if (await exists(volume, manifestKey(note.key), signal)) {
    await onComplete?.(note.key)
    // Of a copy that was being replaced.
    await volume.discard(note.key, signal)
    await volume.discard(manifestKey(note.key), signal)
    await concludeWriting(volume, note.key, signal)
  } else {
    await removeUnfinished(volume, note.key)
    swept = note.key
  }
  await volume.remove(key, signal)
  return swept
}

async function readNote(
  volume: Volume,
  key: string,
  signal: AbortSignal,
): Promise<z.output<typeof noteSchema> | 'unreadable' | undefined> {
  try {
    return noteSchema.parse(JSON.parse(String(await buffer(volume.read(key, signal)))))
  } catch (error) {
    if (error instanceof AppError && error.code === 'object_not_found') return undefined
    if (error instanceof AppError) throw error
    process.emitWarning(
      `${key} on ${volume.location} is not a note: ${messageOf(error)}`,
      'HoldfastVolumeWarning',
    )
    return 'unreadable'
  }
}

function noteOf(key: string, run: string | undefined): Uint8Array {
  return Buffer.from(JSON.stringify({ key, writer: ownToken(), run }))
}

function noteKey(key: string): string {
  return `${FOLDER}${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`
}
