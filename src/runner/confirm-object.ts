import { createHash } from 'node:crypto'
import { Meter } from '../lib/meter.ts'
import { AppError } from '../shared/errors.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { ObjectSource, Volume } from '../volumes/volume.ts'
import { forEachCopy, type Copy } from './copies.ts'

/**
 * Size and SHA-256 of the object that was just stored. Its bytes were hashed on their way out; but a 7z archive
 * begins with bytes that are known only at its end, and SHA-256 must have them first. So such an object is read back
 * once, from the volume where that is cheapest, and what comes back must be what went out.
 */
export async function confirmObject(
  copies: readonly Copy[],
  key: string,
  head: ObjectSource['head'],
  body: Meter,
  signal: AbortSignal,
): Promise<Manifest['stored']> {
  if (!head) return { bytes: body.bytes, sha256: body.sha256 }
  for (;;) {
    const live = copies.filter((copy) => !copy.failure)
    const copy = live.find(({ volume }) => volume.readsAreCheap) ?? live[0]
    if (!copy) break
    let confirmed: Manifest['stored'] | undefined
    await forEachCopy(copies, async (candidate) => {
      if (candidate === copy) confirmed = await readBack(copy, key, head, body, signal)
    })
    if (confirmed) return confirmed
  }
  throw new AppError('no_copy_stored', 'No volume is left from which the object could be read back.')
}

/** What was published long before its manifest may have been taken for leftovers by a machine whose clock is wrong. */
export async function checkStillThere(
  volume: Volume,
  key: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const { bytes } = await volume.stat(key, signal)
  if (bytes === manifest.stored.bytes) return
  throw new AppError(
    'volume_corrupted',
    `${volume.location} holds ${bytes} bytes as “${key}”, not ${manifest.stored.bytes}.`,
  )
}

async function readBack(
  { volume }: Copy,
  key: string,
  head: NonNullable<ObjectSource['head']>,
  body: Meter,
  signal: AbortSignal,
): Promise<Manifest['stored']> {
  const whole = new Meter()
  const bodyHash = createHash('sha256')
  const headHash = createHash('sha256')
  for await (const chunk of volume.read(key, signal)) {
    const headPart = Math.min(chunk.length, Math.max(0, head.length - whole.bytes))
    headHash.update(chunk.subarray(0, headPart))
    bodyHash.update(chunk.subarray(headPart))
    whole.update(chunk)
  }
  const same =
    whole.bytes === head.length + body.bytes &&
    bodyHash.digest('hex') === body.sha256 &&
    headHash.digest('hex') === createHash('sha256').update(head.bytes()).digest('hex')
  if (same) return { bytes: whole.bytes, sha256: whole.sha256 }
  throw new AppError(
    'volume_corrupted',
    `${volume.location} gave back other bytes for “${key}” than were written to it.`,
    {
      hint: 'Check the storage. The copy was removed.',
    },
  )
}
