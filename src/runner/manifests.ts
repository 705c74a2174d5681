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
  const where = `“${at}” on ${volume.location}`
  try {
    const { bytes } = await volume.stat(at, signal)
    if (bytes > MAX_MANIFEST_BYTES) {
      throw new AppError('manifest_invalid', `${where} is too large to be a manifest.`)
    }
    return parseManifest(await buffer(volume.read(at, signal)), where)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'object_not_found') throw error
    throw new AppError('snapshot_not_found', `There is no snapshot “${key}” on ${volume.location}.`, {
      hint: 'holdfast snapshots ls --on <volume-url> lists what is there.',
      cause: error,
    })
  }
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

  const snapshots: StoredSnapshot[] = []
  const unreadable: UnreadableManifest[] = []
  for await (const read of readManifests(volume, sizes.keys(), signal)) {
    const bytes = sizes.get(read.key)
    if ('error' in read) unreadable.push(read)
    else snapshots.push({ ...read, object: bytes === undefined ? 'missing' : { bytes } })
  }
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
): Promise<KeyedManifest> {
  if (/^[0-9a-f-]{8,36}$/.test(idOrKey)) {
    const found = await findById(volume, idOrKey, signal)
    if (found) return found
  }
  const key = idOrKey.endsWith(MANIFEST_SUFFIX) ? keyOf(idOrKey) : idOrKey
  return { key, manifest: await readManifest(volume, key, signal) }
}

/** Keeps one manifest, however many there are, and reads on behind it only while another could answer too. */
async function findById(
  volume: Volume,
  beginning: string,
  signal: AbortSignal,
): Promise<KeyedManifest | undefined> {
  let found: KeyedManifest | undefined
  let answers = 0
  for await (const read of readManifests(volume, keysOn(volume, signal), signal)) {
    if ('error' in read || !read.manifest.snapshot.startsWith(beginning)) continue
    if (read.manifest.snapshot === beginning) return read
    found ??= read
    answers += 1
  }
  if (answers < 2) return found
  throw new AppError('invalid_input', `“${beginning}” begins the ids of ${answers} snapshots.`, {
    hint: 'Give more of the id.',
  })
}

interface KeyedManifest {
  key: string
  manifest: Manifest
}

/**
 * The manifests among these keys, in their order. A few are read at once, and no more than those are held. One that
 * was pruned a moment ago is left out. When the reader leaves, what is being read is given up.
 */
async function* readManifests(
  volume: Volume,
  keys: AsyncIterable<string> | Iterable<string>,
  signal: AbortSignal,
): AsyncGenerator<KeyedManifest | UnreadableManifest, void> {
  const leaving = new AbortController()
  const reading: Promise<KeyedManifest | UnreadableManifest | undefined>[] = []
  const either = AbortSignal.any([signal, leaving.signal])
  try {
    for await (const at of keys) {
      if (!at.endsWith(MANIFEST_SUFFIX) || at.startsWith('.holdfast')) continue
      const next = tryManifest(volume, keyOf(at), either)
      next.catch(() => {}) // thrown below, in its turn
      reading.push(next)
      const first = reading.length < READS_AT_ONCE ? undefined : await reading.shift()
      if (first) yield first
    }
    for (const last of reading) {
      const read = await last
      if (read) yield read
    }
  } finally {
    leaving.abort()
    await Promise.allSettled(reading)
  }
}

/** Undefined if it is not there any more. */
async function tryManifest(
  volume: Volume,
  key: string,
  signal: AbortSignal,
): Promise<KeyedManifest | UnreadableManifest | undefined> {
  try {
    return { key, manifest: await readManifest(volume, key, signal) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'snapshot_not_found') return undefined
    // Under a key that we would not write there can be no manifest of ours.
    if (error.code === 'manifest_invalid' || error.code === 'invalid_input') return { key, error }
    throw error
  }
}

async function* keysOn(volume: Volume, signal: AbortSignal): AsyncGenerator<string, void> {
  for await (const { key } of volume.list('', signal)) yield key
}

function keyOf(manifestKey: string): string {
  return manifestKey.slice(0, -MANIFEST_SUFFIX.length)
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
