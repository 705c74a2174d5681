import type { Transaction } from 'kysely'
import { AppError, asAppError } from '../../shared/errors.ts'
import type { SnapshotChanges } from '../../shared/snapshots-api.ts'
import { type Manifest, manifest as manifestSchema } from '../../shared/snapshots.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import type { Volume } from '../../volumes/volume.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openVolumeOf, volumeOf, type VolumeRow } from '../volumes/volumes.ts'
import { lockSnapshots } from './marking.ts'
import {
  copiesOf,
  findSnapshotRow,
  type NamedCopyRow,
  type SnapshotSummary,
  type StoredSnapshotRow,
  updateSnapshot,
} from './store.ts'

export interface SnapshotRow extends SnapshotSummary {
  manifest: Manifest
}

/** Throws `not_found`. */
export async function snapshotOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<SnapshotRow> {
  const row = await findSnapshotRow(store.db, organizationId, id)
  if (!row) throw noSnapshot()
  return parsed(row)
}

/** A copy that can be read, on its open volume, which whoever asks for it disposes of. */
export interface ReadableCopy {
  volumeRow: VolumeRow
  volume: Volume
  key: string
  manifest: Manifest
}

export interface ReadOptions {
  /** Only the copy there. */
  volumeId?: string | undefined
  signal?: AbortSignal
}

/**
 * The best copy of a snapshot: one that is there now, rather on a local disk than elsewhere. Whoever reads in a job
 * has the snapshot's id as the subject of the job: from here on, until the job is over, nobody deletes it. Throws
 * `not_found`, `snapshot_deleting`, `object_not_found` if no copy is good, and what is wrong with the volumes of those
 * that are.
 */
export async function readableCopy(
  context: AppContext,
  organizationId: string,
  snapshotId: string,
  { volumeId, signal = new AbortController().signal }: ReadOptions = {},
): Promise<ReadableCopy> {
  const { store } = context
  const { row, copies } = await store.db
    .transaction()
    .execute((trx) => beginReading(store, trx, organizationId, snapshotId))
  const wanted = copies.filter((copy) => volumeId === undefined || copy.volumeId === volumeId)
  const candidates = await openCandidates(context, organizationId, wanted)
  const failures: { copy: NamedCopyRow; error: AppError }[] = []
  let found: ReadableCopy | undefined
  for (const { copy, volumeRow, open } of candidates) {
    if (found) {
      await open?.[Symbol.asyncDispose]()
      continue
    }
    try {
      const volume = open ?? openVolumeOf(context, volumeRow)
      await lookAt(volume, copy, signal)
      found = { volumeRow, volume, key: copy.key, manifest: row.manifest }
    } catch (error) {
      failures.push({ copy, error: asAppError(error) })
      await open?.[Symbol.asyncDispose]()
    }
  }
  if (found) return found
  signal.throwIfAborted()
  throw noGoodCopy(wanted, failures)
}

/**
 * Keeps a snapshot from being deleted before the transaction ends, in which a job that reads it is enqueued. Throws
 * `not_found`, and `snapshot_deleting` if nothing is left of it but what is to go.
 */
export async function beginReading(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<{ row: SnapshotRow; copies: NamedCopyRow[] }> {
  await lockSnapshots(store, trx, organizationId, [id])
  const row = await findSnapshotRow(trx, organizationId, id)
  if (!row) throw noSnapshot()
  const copies = (await copiesOf(trx, [id])).filter(({ state }) => state !== 'delete_pending')
  if (copies.length === 0) throw isBeingDeleted()
  return { row: parsed(row), copies }
}

/** Changes what is given. Throws `not_found`, `changed_meanwhile` and `snapshot_deleting`. */
export async function changeSnapshot(
  { store }: AppContext,
  organizationId: string,
  id: string,
  { locked, comment }: SnapshotChanges,
  revision: number | undefined,
): Promise<SnapshotRow> {
  return await store.db.transaction().execute(async (trx) => {
    const { row } = await beginReading(store, trx, organizationId, id)
    if (revision !== undefined && revision !== row.revision) throw changedMeanwhile('The snapshot')
    const updated = await updateSnapshot(trx, row, {
      ...(comment !== undefined && { comment }),
      ...(locked !== undefined && lockOf(locked, await nowOf(store, trx))),
    })
    if (!updated) throw changedMeanwhile('The snapshot')
    return { ...updated, manifest: row.manifest }
  })
}

/** A lock that is over is none. */
export function lockOfRow(
  { isLocked, lockedUntil }: Pick<SnapshotSummary, 'isLocked' | 'lockedUntil'>,
  now: number,
): true | Date | undefined {
  if (isLocked === 1) return true
  return lockedUntil !== null && lockedUntil > now ? new Date(lockedUntil) : undefined
}

export function noSnapshot(): AppError {
  return new AppError('not_found', 'There is no such snapshot.')
}

function lockOf(locked: boolean | string, now: number): Pick<SnapshotSummary, 'isLocked' | 'lockedUntil'> {
  if (typeof locked === 'boolean') return { isLocked: Number(locked), lockedUntil: null }
  const lockedUntil = Date.parse(locked)
  if (lockedUntil > now) return { isLocked: 0, lockedUntil }
  const message = 'must lie in the future'
  throw new AppError('invalid_input', `locked: ${message}`, { fields: [{ field: 'locked', message }] })
}

interface Candidate {
  copy: NamedCopyRow
  volumeRow: VolumeRow
  /** Undefined if its settings cannot be read: opening it again tells why. */
  open: Volume | undefined
}

/** Good ones before those that were missing, and may be there again; among them, cheap reads first. */
async function openCandidates(
  context: AppContext,
  organizationId: string,
  copies: readonly NamedCopyRow[],
): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (const copy of copies) {
    if (copy.state !== 'stored' && copy.state !== 'missing') continue
    const volumeRow = await volumeOf(context, organizationId, copy.volumeId)
    candidates.push({ copy, volumeRow, open: tryToOpen(context, volumeRow) })
  }
  const rank = ({ copy, open }: Candidate) =>
    (copy.state === 'stored' ? 0 : 2) + (open?.readsAreCheap ? 0 : 1)
  return candidates.sort((a, b) => rank(a) - rank(b))
}

function tryToOpen(context: AppContext, row: VolumeRow): Volume | undefined {
  try {
    return openVolumeOf(context, row)
  } catch {
    return undefined
  }
}

async function lookAt(volume: Volume, { key, bytes }: NamedCopyRow, signal: AbortSignal): Promise<void> {
  const found = await volume.stat(key, signal)
  if (found.bytes === bytes) return
  throw new AppError('checksum_mismatch', `“${key}” has ${found.bytes} bytes instead of ${bytes}.`, {
    hint: 'It was cut short or replaced. Use another copy of this snapshot.',
  })
}

function noGoodCopy(
  copies: readonly NamedCopyRow[],
  failures: readonly { copy: NamedCopyRow; error: AppError }[],
): AppError {
  const [first, ...others] = failures
  if (!first) {
    const states = copies.map(({ volumeName, state }) => `${volumeName}: ${state}`).join(', ')
    const sentence = states ? `No copy of this snapshot can be read (${states}).` : 'There is no copy there.'
    return new AppError('object_not_found', sentence, {
      hint: 'Look at the copies of the snapshot: what is wrong with each, and where there is a good one.',
    })
  }
  if (others.length === 0) return first.error
  const each = failures.map(({ copy, error }) => `${copy.volumeName}: ${error.message}`).join(' · ')
  // What may pass is worth another try.
  const { code, hint } = failures.find(({ error }) => error.retryable)?.error ?? first.error
  return new AppError(code, `No copy of this snapshot can be read. ${each}`, { hint, cause: first.error })
}

function parsed({ manifest, ...row }: StoredSnapshotRow): SnapshotRow {
  return { ...row, manifest: manifestSchema.parse(JSON.parse(manifest)) }
}

function isBeingDeleted(): AppError {
  return new AppError('snapshot_deleting', 'This snapshot is being deleted.', {
    hint: 'Choose another one.',
  })
}
