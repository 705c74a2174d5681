import { parseSettings } from '../engines/index.ts'
import type { Engine } from '../engines/engine.ts'
import type { Compression } from '../shared/codecs.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import type { EncryptionChoice, KeyRing } from './encryption.ts'
import type { JobContext } from './job.ts'
import { takeSnapshot } from './take-snapshot.ts'

export interface SafetyOrder {
  engine: Engine
  engineName: string
  connection: unknown
  database: string
  /** What the server is called whose database is replaced. */
  serverName: string
  volume: Volume
  keys: KeyRing
  /** The snapshot that is about to take its place: the safety snapshot is no easier to read than that one. */
  like: Manifest
  stallAfter: number
}

/** Backs up a database before it is replaced, beside the snapshot that replaces it. Returns the snapshot's id. */
export async function takeSafetySnapshot(order: SafetyOrder, job: JobContext): Promise<string> {
  const { like, volume, ...server } = order
  const { manifest } = await takeSnapshot(
    {
      ...server,
      dumpOptions: parseSettings(order.engine.dumpOptions, {}, 'the options'),
      compression: compressionLike(like),
      encryption: encryptionLike(like),
      volumes: [{ name: volume.location, volume }],
      path: 'safety/{server}/{database}',
      trigger: 'safety',
      comment: `before ${like.snapshot} was restored in its place`,
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

function encryptionLike({ encryption }: Manifest): EncryptionChoice | undefined {
  if (encryption === null) return undefined
  if (encryption.method === '7z') return { method: '7z' }
  return encryption.recipients.length > 0
    ? { method: 'age', recipients: encryption.recipients }
    : { method: 'age', passphrase: true }
}
