import { buffer } from 'node:stream/consumers'
import type { Volume } from '../volumes/volume.ts'
import { AppError } from '../shared/errors.ts'
import { manifest as manifestSchema, MANIFEST_SUFFIX, type Manifest } from '../shared/snapshots.ts'

const MAX_MANIFEST_BYTES = 16 * 1_048_576
const READS_AT_ONCE = 8

/** One snapshot as a volume shows it. */
export interface StoredSnapshot {
  /** The object's key; its manifest's is the same with `.manifest.json`. */
  key: string
  manifest: Manifest
  /** What the volume says of the object: its size there, or that it is not there. */
  object: { bytes: number } | 'missing'
}

/** A manifest that cannot be read; the others of the listing are not affected. */
export interface UnreadableManifest {
  key: string
  error: AppError
}

export function manifestKey(key: string): string {
  return key + MANIFEST_SUFFIX
}

/** Throws `snapshot_not_found` if there is no manifest, `manifest_invalid` if it is not one of ours. */
async function readManifest(volume: Volume, key: string, signal: AbortSignal): Promise<Manifest> {
  const at = manifestKey(key)
  const { bytes } = await volume.stat(at, signal).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'object_not_found') throw error
    throw new AppError('snapshot_not_found', `There is no snapshot “${key}” on ${volume.location}.`, {
      hint: 'holdfast snapshots ls --on <volume-url> lists what is there.',
      cause: error,
    })
  })
  if (bytes > MAX_MANIFEST_BYTES) {
    throw new AppError('manifest_invalid', `“${at}” on ${volume.location} is too large to be a manifest.`)
  }
  return parseManifest(await buffer(volume.read(at, signal)), `“${at}” on ${volume.location}`)
}

/** Throws `manifest_invalid`, naming the first field that is wrong. */
function parseManifest(text: Buffer | string, where: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text.toString())
  } catch (error) {
    throw new AppError('manifest_invalid', `${where} is not JSON.`, { cause: error })
  }
  const parsed = manifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.')
  throw new AppError(
    'manifest_invalid',
    `${where} is not a manifest: ${field ? `${field}: ` : ''}${issue?.message}.`,
  )
}

export async function writeManifest(
  volume: Volume,
  key: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`)
  await volume.write(manifestKey(key), { body: once(bytes) }, signal)
}

/** Every snapshot on the volume, newest first, from its manifests alone. */
export async function listSnapshots(
  volume: Volume,
  signal: AbortSignal,
): Promise<{ snapshots: StoredSnapshot[]; unreadable: UnreadableManifest[] }> {
  const sizes = new Map<string, number>()
  for await (const { key, bytes } of volume.list('', signal)) sizes.set(key, bytes)
  const keys = [...sizes.keys()]
    .filter((key) => key.endsWith(MANIFEST_SUFFIX) && !key.startsWith('.holdfast'))
    .map((key) => key.slice(0, -MANIFEST_SUFFIX.length))

  const snapshots: StoredSnapshot[] = []
  const unreadable: UnreadableManifest[] = []
  const next = keys.values()
  const readSome = async () => {
    for (const key of next) {
      try {
        const manifest = await readManifest(volume, key, signal)
        const bytes = sizes.get(key)
        snapshots.push({ key, manifest, object: bytes === undefined ? 'missing' : { bytes } })
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        if (error.code === 'manifest_invalid') unreadable.push({ key, error })
        else if (error.code !== 'snapshot_not_found') throw error // else pruned a moment ago
      }
    }
  }
  await Promise.all(Array.from({ length: READS_AT_ONCE }, readSome))
  snapshots.sort(
    (a, b) => b.manifest.startedAt.localeCompare(a.manifest.startedAt) || a.key.localeCompare(b.key),
  )
  return { snapshots, unreadable }
}

/**
 * The snapshot with that key, or that id, or whose id begins with at least eight characters like that.
 * Throws `snapshot_not_found`, or `invalid_input` if several answer.
 */
export async function findSnapshot(
  volume: Volume,
  idOrKey: string,
  signal: AbortSignal,
): Promise<{ key: string; manifest: Manifest }> {
  if (/^[0-9a-f-]{8,36}$/.test(idOrKey)) {
    const { snapshots } = await listSnapshots(volume, signal)
    const found = snapshots.filter(({ manifest }) => manifest.snapshot.startsWith(idOrKey))
    const [only, another] = found
    if (only && !another) return only
    if (another) {
      throw new AppError('invalid_input', `“${idOrKey}” begins the ids of ${found.length} snapshots.`, {
        hint: 'Give more of the id.',
      })
    }
  }
  const key = idOrKey.endsWith(MANIFEST_SUFFIX) ? idOrKey.slice(0, -MANIFEST_SUFFIX.length) : idOrKey
  return { key, manifest: await readManifest(volume, key, signal) }
}

/** Whether the volume has an object under the key. */
export async function exists(volume: Volume, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await volume.stat(key, signal)
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'object_not_found') return false
    throw error
  }
}

/** A source of these bytes alone. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}
