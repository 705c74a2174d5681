import type { Transaction } from 'kysely'
import type { Copy } from '../../runner/copies.ts'
import { besideKey } from '../../shared/keys.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { jobError } from '../jobs/run-job.ts'
import { forgetWithoutCopies } from './marking.ts'

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
  const isNew = jobId !== undefined
  const stored = copies.filter(({ failure }) => !failure).map(({ volumeId }) => volumeId)
  await forgetReplaced(trx, key, stored, isNew)
  const taken = await volumesWith(
    trx,
    key,
    copies.map(({ volumeId }) => volumeId),
  )
  await trx
    .insertInto('copies')
    .values(
      copies.map(({ volumeId, failure }) => ({
        snapshotId: manifest.snapshot,
        volumeId,
        key: failure && taken.has(volumeId) ? besideKey(key, manifest.snapshot) : key,
        state: failure ? ('failed' as const) : ('stored' as const),
        bytes: manifest.stored.bytes,
        error: failure && JSON.stringify(jobError(failure)),
        checkedAt: failure ? null : store.now,
        createdAt: store.now,
        updatedAt: store.now,
      })),
    )
    .execute()
}

/**
 * Forgets copies whose key another snapshot has now: whoever writes finds the key free before, so their objects are
 * gone. Of one that is only found under the key, nobody knows; then only what is to go, or is missing, is forgotten.
 */
async function forgetReplaced(
  trx: Transaction<Tables>,
  key: string,
  volumeIds: readonly string[],
  isNew: boolean,
): Promise<void> {
  if (volumeIds.length === 0) return
  let replaced = trx.deleteFrom('copies').where('key', '=', key).where('volumeId', 'in', volumeIds)
  if (!isNew) replaced = replaced.where('state', 'in', ['delete_pending', 'missing'])
  const rows = await replaced.returning('snapshotId').execute()
  if (rows.length === 0) return
  await forgetWithoutCopies(
    trx,
    rows.map(({ snapshotId }) => snapshotId),
  )
}

/** Those of the volumes on which the key is that of another snapshot. */
async function volumesWith(
  trx: Transaction<Tables>,
  key: string,
  volumeIds: readonly string[],
): Promise<Set<string>> {
  const rows = await trx
    .selectFrom('copies')
    .select('volumeId')
    .where('key', '=', key)
    .where('volumeId', 'in', volumeIds)
    .execute()
  return new Set(rows.map(({ volumeId }) => volumeId))
}

export interface FoundCopy {
  organizationId: string
  volumeId: string
  key: string
  manifest: Manifest
}

/**
 * Adds what was found complete on a volume to the catalogue: the snapshot, if it is not known, of the server and the
 * plan that its manifest names, as far as they are there; else the copy. Says what it was.
 */
export async function adoptCopy(
  store: Store,
  trx: Transaction<Tables>,
  { organizationId, volumeId, key, manifest }: FoundCopy,
): Promise<'new' | 'new copy' | 'known'> {
  const known = await trx
    .selectFrom('snapshots')
    .leftJoin('copies', (join) =>
      join.onRef('copies.snapshotId', '=', 'snapshots.id').on('copies.volumeId', '=', volumeId),
    )
    .select(['snapshots.organizationId', 'copies.state'])
    .where('snapshots.id', '=', manifest.snapshot)
    .executeTakeFirst()
  if (!known) {
    const serverId = await serverLike(trx, organizationId, manifest.server)
    const plan = await planLike(trx, organizationId, manifest.plan?.id)
    const copies = [{ volumeId }]
    await recordSnapshot(store, trx, {
      organizationId,
      manifest,
      key,
      serverId,
      plan,
      jobId: undefined,
      copies,
    })
    return 'new'
  }
  // A damaged copy is not good again because its manifest is there.
  const isSettled = known.state !== null && known.state !== 'failed' && known.state !== 'missing'
  if (isSettled || known.organizationId !== organizationId) return 'known'
  const stored = { key, state: 'stored' as const, error: null, checkedAt: store.now, updatedAt: store.now }
  await trx
    .insertInto('copies')
    .values({
      ...stored,
      snapshotId: manifest.snapshot,
      volumeId,
      bytes: manifest.stored.bytes,
      createdAt: store.now,
    })
    .onConflict((conflict) => conflict.columns(['snapshotId', 'volumeId']).doUpdateSet(stored))
    .execute()
  return 'new copy'
}

/** The server with that id, or else with that name and engine. */
async function serverLike(
  trx: Transaction<Tables>,
  organizationId: string,
  { id, name, engine }: Manifest['server'],
): Promise<string | null> {
  const rows = await trx
    .selectFrom('servers')
    .select('id')
    .where('organizationId', '=', organizationId)
    .where('engine', '=', engine)
    .where((eb) => eb.or([eb('id', '=', id ?? ''), eb('name', '=', name)]))
    .execute()
  return (rows.find((row) => row.id === id) ?? rows[0])?.id ?? null
}

async function planLike(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string | undefined,
): Promise<{ id: string; name: string } | undefined> {
  if (id === undefined) return undefined
  return await trx
    .selectFrom('plans')
    .select(['id', 'name'])
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}
