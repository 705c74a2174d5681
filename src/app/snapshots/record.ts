import type { Transaction } from 'kysely'
import type { Copy } from '../../runner/copies.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

export interface SnapshotRecord {
  organizationId: string
  manifest: Manifest
  key: string
  serverId: string | null
  plan?: { id: string; name: string } | undefined
  jobId: string | undefined
  /** Milliseconds; retention leaves it alone until then. */
  lockedUntil?: number | undefined
  /** One for each volume: also those that failed, which are then made from the others. */
  copies: readonly (Pick<Copy, 'failure'> & { volumeId: string })[]
}

/** Adds a complete snapshot, and its copies, to the catalogue. One that is there already stays as it is. */
export async function recordSnapshot(
  store: Store,
  trx: Transaction<Tables>,
  { organizationId, manifest, key, serverId, plan, jobId, lockedUntil, copies }: SnapshotRecord,
): Promise<void> {
  const { encryption } = manifest
  const added = await trx
    .insertInto('snapshots')
    .values({
      id: manifest.snapshot,
      organizationId,
      serverId,
      serverName: manifest.server.name,
      engine: manifest.server.engine,
      database: manifest.database,
      planId: plan?.id,
      planName: plan?.name ?? manifest.plan?.name,
      jobId,
      takenAt: Date.parse(manifest.startedAt),
      finishedAt: Date.parse(manifest.finishedAt),
      format: manifest.format,
      rawBytes: manifest.raw.bytes,
      storedBytes: manifest.stored.bytes,
      sha256: manifest.stored.sha256,
      keyId: encryption?.keyId,
      keyFingerprint: encryption?.fingerprint,
      cause: manifest.trigger,
      releaseVersion: manifest.releaseVersion,
      comment: manifest.comment,
      isLocked: 0,
      lockedUntil,
      isPartial: manifest.partial?.length ? 1 : 0,
      isForeign: 0,
      revision: 1,
      manifest: JSON.stringify(manifest),
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!added) return
  await trx
    .insertInto('copies')
    .values(
      copies.map(({ volumeId, failure }) => ({
        snapshotId: manifest.snapshot,
        volumeId,
        key,
        state: failure ? ('failed' as const) : ('stored' as const),
        bytes: manifest.stored.bytes,
        error:
          failure && JSON.stringify({ code: failure.code, message: failure.message, hint: failure.hint }),
        checkedAt: failure ? null : store.now,
        createdAt: store.now,
        updatedAt: store.now,
      })),
    )
    .execute()
}
