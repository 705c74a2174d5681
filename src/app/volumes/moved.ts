import { manifestKey } from '../../runner/manifests.ts'
import { AppError } from '../../shared/errors.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Volume } from '../../volumes/volume.ts'
import type { StoredCopy } from './store.ts'

const AT_ONCE = 8
const NAMED = 10

/**
 * Looks for all copies on the volume to which they were moved, and for their manifests. Throws `copies_not_found`,
 * naming the first of them, unless each is there with its size.
 */
export async function findMovedCopies(
  volume: Volume,
  copies: readonly StoredCopy[],
  signal: AbortSignal,
): Promise<void> {
  const missing: string[] = []
  const waiting = copies.values()
  const leaving = new AbortController()
  const either = AbortSignal.any([signal, leaving.signal])
  const lookOn = async () => {
    for (const copy of waiting) {
      const fault = await faultOf(volume, copy, either)
      if (fault !== undefined) missing.push(fault)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lookOn))
  } finally {
    leaving.abort()
  }
  if (missing.length === 0) return
  const named = missing.sort().slice(0, NAMED)
  throw new AppError(
    'copies_not_found',
    `${missing.length} of ${copies.length} copies are not at ${volume.location}: ${named.join(' · ')}${missing.length > NAMED ? ' · …' : ''}`,
    {
      hint: 'Nothing was changed. Move the files, each with its manifest, and try again.',
      fields: [{ field: 'settings', message: `${missing.length} copies are not there.` }],
    },
  )
}

/** What is wrong with a copy, with its key; undefined if it is there as it should be. */
async function faultOf(
  volume: Volume,
  { key, bytes, isForeign }: StoredCopy,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await sizeOf(volume, key, signal)
  if (found === undefined) return key
  if (found !== bytes) return `${key} (${formatBytes(found)} instead of ${formatBytes(bytes)})`
  if (isForeign === 1 || (await sizeOf(volume, manifestKey(key), signal)) !== undefined) return undefined
  return manifestKey(key)
}

/** Undefined if there is no such object. */
async function sizeOf(volume: Volume, key: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    return (await volume.stat(key, signal)).bytes
  } catch (error) {
    if (error instanceof AppError && error.code === 'object_not_found') return undefined
    throw error
  }
}
