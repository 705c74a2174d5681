import type { Transaction } from 'kysely'
import { z } from 'zod'
import { pruneCopy } from '../../runner/prune-copy.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import { type DeletedPlan, MOST_KEPT, type PlanLosses } from '../../shared/plans.ts'
import type { Deletion } from '../../shared/snapshots-api.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { jobError } from '../jobs/run-job.ts'
import { noteDeleted, tellNotDeleted } from '../volumes/notices.ts'
import { openVolumeOf, volumeOf, volumeResource, type VolumeRow } from '../volumes/volumes.ts'
import { fateWithPlan, lockSnapshots, markPending, markPlanPending, newestFirst } from './marking.ts'
import { lockOfRow, noSnapshot } from './snapshots.ts'
import {
  copiesOf,
  type DeletionFacts,
  deletionFacts,
  forgetCopy,
  type NamedCopyRow,
  notePendingError,
  pendingCopies,
  pendingVolumes,
  type PendingCopy,
  summariseByDatabase,
} from './store.ts'

/*
 * A snapshot is deleted in two steps. One transaction decides, and marks its copies; nobody can begin to read it, or
 * decide about another one, meanwhile. Then a job for each volume deletes what is marked there, one object after
 * another, and forgets what is gone. What a volume does not let go stays marked, and is tried again each day.
 */

const AT_ONCE = 4
const PIECE = 100
/** So many failures in a row: the volume is broken, not a copy. */
const PATIENCE = 5

export interface DeletionOptions {
  dryRun?: boolean
  /** Also the newest good one of a database. */
  newest?: boolean
}

/**
 * Deletes snapshots from all their volumes, all of them or none. Throws `not_found`, and `snapshot_protected` for one
 * that is locked, that a job reads, that lies on a volume which is only read, or that is the newest good one of its
 * database.
 */
export async function deleteSnapshots(
  { store }: AppContext,
  organizationId: string,
  ids: readonly string[],
  { dryRun = false, newest = false }: DeletionOptions = {},
): Promise<Deletion> {
  const wanted = [...new Set(ids)]
  return await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    await lockSnapshots(store, trx, organizationId, wanted)
    const snapshots = await look(store, trx, organizationId, wanted, { newest })
    if (snapshots.length < wanted.length) throw noneOf(ids, snapshots)
    const kept = snapshots.filter(({ refusal }) => refusal !== null)
    if (kept.length > 0 && !dryRun) throw areProtected(ids, kept)
    const all = snapshots.flatMap((snapshot) => snapshot.copies)
    const report = {
      snapshots,
      copies: all.length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      jobIds: [],
    }
    if (dryRun) return report
    const volumeIds = await markPending(store, trx, wanted)
    return { ...report, jobIds: await enqueueDeletions(store, trx, organizationId, volumeIds) }
  })
}

/**
 * Marks all snapshots of a plan, in the transaction that deletes the plan. Those that are locked, that a job reads, or
 * that lie on a volume which is only read, stay. Returns those, and the ids of the jobs that delete the others.
 */
export async function deleteSnapshotsOfPlan(
  { store }: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  planId: string,
): Promise<DeletedPlan> {
  await holdOrganization(trx, organizationId)
  const keptIds = await markPlanPending(store, trx, organizationId, planId)
  const jobIds = await enqueuePendingDeletions(store, trx, organizationId)
  return { jobIds, ...(await nameKept(store, trx, organizationId, keptIds)) }
}

/** What `deleteSnapshotsOfPlan` would mark, and what it would leave, as things are. */
export async function lossesOfSnapshots(
  { store }: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  planId: string,
): Promise<SnapshotsTotal & Pick<PlanLosses, 'databases' | 'keptCount' | 'kept'>> {
  const { going, kept } = fateWithPlan(store, trx, organizationId, planId)
  const databases = await summariseByDatabase(trx, going)
  return {
    ...totalOf(databases),
    databases,
    ...(await nameKept(store, trx, organizationId, await newestFirst(kept))),
  }
}

export type SnapshotsTotal = Pick<PlanLosses, 'snapshots' | 'copies' | 'bytes' | 'newest'>

/** All snapshots of a plan, whether they may go or not. */
export async function countSnapshotsOfPlan(
  { store }: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  planId: string,
): Promise<SnapshotsTotal> {
  return totalOf(await summariseByDatabase(trx, fateWithPlan(store, trx, organizationId, planId).all))
}

function totalOf(databases: PlanLosses['databases']): SnapshotsTotal {
  const sum = (name: 'snapshots' | 'copies' | 'bytes') =>
    databases.reduce((total, { [name]: count }) => total + count, 0)
  const times = databases.map(({ newest }) => newest).sort()
  return {
    snapshots: sum('snapshots'),
    copies: sum('copies'),
    bytes: sum('bytes'),
    newest: times.at(-1) ?? null,
  }
}

/** Those that stay, the first of them with the reason. */
async function nameKept(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  ids: readonly string[],
): Promise<Pick<PlanLosses, 'keptCount' | 'kept'>> {
  const named = ids.slice(0, MOST_KEPT)
  const kept = named.length > 0 ? await look(store, trx, organizationId, named, { newest: true }) : []
  return {
    keptCount: ids.length,
    kept: kept.map(({ id, database, takenAt, refusal }) => ({
      id,
      database,
      takenAt,
      reason: refusal ?? '',
    })),
  }
}

/** Orders that everything is deleted that is marked anywhere: also what a volume has not let go before. */
export async function enqueuePendingDeletions(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<string[]> {
  return await enqueueDeletions(store, trx, organizationId, await pendingVolumes(trx, organizationId))
}

/** Orders jobs that delete what is marked on these volumes. */
export async function enqueueDeletions(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  volumeIds: readonly string[],
): Promise<string[]> {
  const jobIds: string[] = []
  for (const volumeId of volumeIds) {
    const { id } = await enqueueJob(store, trx, {
      organizationId,
      kind: 'delete-snapshots',
      key: `delete-snapshots:${volumeId}`,
      payload: { volumeId },
      subject: { volumeId },
      resources: [volumeResource(volumeId)],
      maxAttempts: 3,
    })
    jobIds.push(id)
  }
  return jobIds
}

/** Deletes from one volume all that is marked there. */
export const deletePending = defineJob({
  payload: z.object({ volumeId: z.string() }),
  async run(work) {
    const { context, organizationId, payload } = work
    const row = await volumeOf(context, organizationId, payload.volumeId)
    await using volume = openVolumeOf(context, row)
    const deleted = { copies: 0, bytes: 0 }
    const failures: { key: string; error: AppError }[] = []
    let failuresInARow = 0
    const deleteOne = async ({ snapshotId, key, bytes }: PendingCopy) => {
      const place = { snapshotId, volumeId: row.id }
      try {
        await pruneCopy(volume, { key, snapshotId }, work.signal)
      } catch (thrown) {
        work.signal.throwIfAborted()
        const error = asAppError(thrown)
        await notePendingError(context.store, place, jobError(error))
        work.log('warning', `“${key}” could not be deleted: ${error.message}`)
        failures.push({ key, error })
        failuresInARow += 1
        return
      }
      await forgetCopy(context.store, organizationId, place)
      work.log('info', `Deleted “${key}”.`)
      failuresInARow = 0
      deleted.copies += 1
      deleted.bytes += bytes
    }
    const isBroken = () => failuresInARow >= PATIENCE
    await forEachPending(work, row, isBroken, deleteOne)
    const [first] = failures
    if (!first) return { result: deleted, record: (trx) => noteDeleted(trx, organizationId, row) }
    throw notAllDeleted(row, deleted, failures.length, first.error)
  },
  async endedBadly(context, trx, { id: jobId, organizationId, payload: { volumeId }, ...end }) {
    if (end.state !== 'failed') return
    await tellNotDeleted(context, trx, { organizationId, volumeId, jobId }, end.error)
  },
})

/** A few at once, in pieces, until there are no more or the volume is broken. */
async function forEachPending(
  { context, signal }: Work<unknown>,
  { id }: VolumeRow,
  isBroken: () => boolean,
  act: (copy: PendingCopy) => Promise<void>,
): Promise<void> {
  for (let after = ''; ;) {
    const piece = await pendingCopies(context.store, id, after, PIECE)
    const last = piece.at(-1)
    if (!last) return
    const waiting = piece.values()
    const goOn = async () => {
      for (const copy of waiting) {
        signal.throwIfAborted()
        if (isBroken()) return
        await act(copy)
      }
    }
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, goOn))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
    if (isBroken()) return
    after = last.snapshotId
  }
}

/** What becomes of these snapshots. Who acts upon it has locked them before. */
async function look(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  ids: readonly string[],
  { newest }: { newest: boolean },
): Promise<Deletion['snapshots']> {
  const facts = await deletionFacts(trx, organizationId, ids)
  const copies = Map.groupBy(await copiesOf(trx, ids), ({ snapshotId }) => snapshotId)
  const now = await nowOf(store, trx)
  return facts.map((fact) => describe(fact, copies.get(fact.id) ?? [], { newest, now }))
}

function describe(
  facts: DeletionFacts,
  copies: readonly NamedCopyRow[],
  { newest, now }: { newest: boolean; now: number },
): Deletion['snapshots'][number] {
  const { id, serverName, database, takenAt, storedBytes } = facts
  const isNewest = facts.isGood === 1 && facts.hasNewer === 0
  return {
    id,
    serverName,
    database,
    takenAt: new Date(takenAt).toISOString(),
    storedBytes,
    isNewest,
    refusal: refusalOf(facts, copies, { mayGo: newest || !isNewest, now }) ?? null,
    copies: copies
      .filter(({ state }) => state !== 'failed') // never stored: nothing goes
      .map(({ volumeId, volumeName, key, bytes }) => ({ volumeId, volumeName, key, bytes })),
  }
}

function refusalOf(
  facts: DeletionFacts,
  copies: readonly NamedCopyRow[],
  { mayGo, now }: { mayGo: boolean; now: number },
): string | undefined {
  const lock = lockOfRow(facts, now)
  if (lock) return lock === true ? 'It is locked.' : `It is locked until ${lock.toISOString()}.`
  if (facts.isRead === 1) return 'A job reads it, or is about to.'
  const fixed = copies.find(({ isReadOnly }) => isReadOnly === 1)
  if (fixed) return `The volume “${fixed.volumeName}”, on which it has a copy, is only read.`
  return mayGo ? undefined : 'It is the newest good one of its database.'
}

function noneOf(ids: readonly string[], found: Deletion['snapshots']): AppError {
  const known = new Set(found.map(({ id }) => id))
  const fields = ids.flatMap((id, i) =>
    known.has(id) ? [] : [{ field: `ids.${i}`, message: 'There is no such snapshot.' }],
  )
  if (ids.length === 1) return noSnapshot()
  return new AppError('not_found', 'Some of these snapshots are not there. Nothing was deleted.', { fields })
}

function areProtected(ids: readonly string[], kept: Deletion['snapshots']): AppError {
  const [first] = kept
  const what = `The snapshot of “${first?.database}” of ${first?.takenAt}`
  const sentence =
    ids.length === 1
      ? `${what} is not deleted. ${first?.refusal}`
      : `${kept.length} of ${ids.length} snapshots cannot be deleted, so none was. ${what}: ${first?.refusal}`
  return new AppError('snapshot_protected', sentence, {
    hint: 'Unlock it, wait for its job, or send “newest” for the newest one. A dry run names all of them.',
    fields: kept.map(({ id, refusal }) => ({ field: `ids.${ids.indexOf(id)}`, message: refusal ?? '' })),
  })
}

function notAllDeleted(
  { name }: VolumeRow,
  deleted: { copies: number; bytes: number },
  failures: number,
  { code, message, hint, retryable }: AppError,
): AppError {
  const gone = `${deleted.copies} deleted (${formatBytes(deleted.bytes)}), ${failures} not`
  return new AppError(code, `Not all copies could be deleted from “${name}”: ${gone}. ${message}`, {
    ...(hint !== undefined && { hint }),
    retryable,
  })
}
