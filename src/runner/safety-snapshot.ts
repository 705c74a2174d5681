import { parseSettings } from '../engines/index.ts'
import type { Engine } from '../engines/engine.ts'
import type { Compression } from '../shared/codecs.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { encryptionLike, type KeyRing } from './encryption.ts'
import type { JobContext } from './job.ts'
import { objectOn } from './read-copy.ts'
import { type SnapshotOrder, takeSnapshot } from './take-snapshot.ts'

export interface SafetyOrder {
  engine: Engine
  engineName: string
  connection: unknown
  database: string
  /** What the server is called whose database is replaced. */
  serverName: string
  /** What the volume is called; its location if absent. */
  volumeName?: string
  volume: Volume
  keys: KeyRing
  /** The snapshot that is about to take its place: the safety snapshot is no easier to read than that one. */
  like: { key: string; manifest: Manifest; volume: Volume }
  catalogue?: SnapshotOrder['catalogue']
  /** Remembers it, before anything is dropped: if it throws, nothing is. */
  onComplete?: SnapshotOrder['onComplete']
  stallAfter: number
}

/** Backs up a database before it is replaced, beside the snapshot that replaces it. Returns the snapshot's id. */
export async function takeSafetySnapshot(order: SafetyOrder, job: JobContext): Promise<string> {
  const { like, volume, volumeName = volume.location, ...rest } = order
  const { encryption, stored, snapshot } = like.manifest
  const source = objectOn(like.volume, like.key, stored.bytes)
  const { manifest } = await takeSnapshot(
    {
      ...rest,
      dumpOptions: parseSettings(order.engine.dumpOptions, {}, 'the options'),
      compression: compressionLike(like.manifest),
      encryption: await encryptionLike(encryption, order.keys, source, job.signal),
      volumes: [{ name: volumeName, volume }],
      path: 'safety/{server}/{database}',
      trigger: 'safety',
      comment: `before ${snapshot} was restored in its place`,
    },
    job,
  )
  job.log('info', `What is there now is kept as snapshot ${manifest.snapshot}.`)
  return manifest.snapshot
}

function compressionLike({ compression }: Manifest): Compression {
  switch (compression.method) {
    case 'none':
      return { method: 'none' }
    case 'gzip':
      return { method: 'gzip', level: compression.level ?? 6 }
    case 'zstd':
      return { method: 'zstd', level: compression.level ?? 3, threads: 1 }
    default: {
      const never: never = compression.method
      throw never
    }
  }
}
