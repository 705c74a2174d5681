import { buffer } from 'node:stream/consumers'
import { isOver, ownToken } from '../lib/identity.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { z } from 'zod'
import type { Volume } from '../volumes/volume.ts'
import { cleanupSignal, type JobContext } from './job.ts'
import { manifestKey, once } from './manifests.ts'
import { RESTORE_TEXT } from './restore-text.ts'

/*
 * A note on the volume says which key is being written, and by whom. It is there before the first byte and goes
 * when the snapshot is complete or everything of it has been removed. So whatever a killed process leaves behind, an
 * upload in parts, a temporary file, an object without a manifest, is found and removed by the next run on that
 * volume, and nothing that a living process or anybody else writes is ever touched.
 */

const FOLDER = '.holdfast/writing/'
const DAY = 86_400_000

const noteSchema = z.object({
  key: z.string(),
  /** The token of the process that writes it, see lib/identity.ts. */
  writer: z.string(),
})

/** Says on the volume that the key is about to be written. */
export async function announceWriting(
  volume: Volume,
  id: string,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const note = Buffer.from(JSON.stringify({ key, writer: ownToken() }))
  await volume.write(noteKey(id), { body: once(note) }, signal)
}

/** Takes the note away again: the snapshot is complete, or nothing of it is left. */
export function concludeWriting(volume: Volume, id: string, signal: AbortSignal): Promise<void> {
  return volume.remove(noteKey(id), signal)
}

/** Removes everything of a snapshot that did not come to its end: object, manifest, temporary names, note. */
export async function removeUnfinished(volume: Volume, id: string, key: string): Promise<void> {
  const signal = cleanupSignal()
  await volume.remove(manifestKey(key), signal)
  await volume.discard(manifestKey(key), signal)
  await volume.remove(key, signal)
  await volume.discard(key, signal)
  await concludeWriting(volume, id, signal)
}

/**
 * Removes what runs that are over left unfinished on the volume. A run counts as over when its process is known to
 * have ended, or, for those of other machines, when its note is older than a day. Returns the keys.
 */
export async function sweepUnfinished(volume: Volume, job: JobContext, now = new Date()): Promise<string[]> {
  const notes: { id: string; key: string | undefined; over: boolean }[] = []
  for await (const found of volume.list(FOLDER, job.signal)) {
    const note = await readNote(volume, found.key, job.signal)
    if (note === undefined) continue
    const over = note === 'unreadable' ? 'unknown' : isOver(note.writer)
    const old = now.getTime() - found.modifiedAt.getTime() > DAY
    notes.push({
      id: found.key.slice(FOLDER.length, -'.json'.length),
      key: note === 'unreadable' ? undefined : note.key,
      over: over === true || (over === 'unknown' && old),
    })
  }
  const swept: string[] = []
  for (const { id, key } of notes.filter(({ over }) => over)) {
    const inUse = notes.some((note) => !note.over && note.key === key)
    if (key === undefined || inUse || (await isComplete(volume, key, job.signal))) {
      await concludeWriting(volume, id, job.signal)
    } else {
      await removeUnfinished(volume, id, key)
      swept.push(key)
      job.log('info', `Removed what an interrupted run had left of “${key}” on ${volume.location}.`)
    }
  }
  for (const written of [FOLDER, RESTORE_TEXT]) await volume.discard(written, job.signal)
  return swept
}

/** A snapshot is complete when its manifest, which is written last, is there. */
async function isComplete(volume: Volume, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await volume.stat(manifestKey(key), signal)
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'object_not_found') return false
    throw error
  }
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

function noteKey(id: string): string {
  return `${FOLDER}${id}.json`
}
