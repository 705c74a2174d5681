import { z } from 'zod'
import { exists, manifestKey, writeManifest } from '../../runner/manifests.ts'
import { checkObject } from '../../runner/read-copy.ts'
import { AppError, asAppError, messageOf } from '../../shared/errors.ts'
import { manifest as manifestSchema, type Manifest } from '../../shared/snapshots.ts'
import type { Volume } from '../../volumes/volume.ts'
import { nowOf } from '../clock.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { settingsOf } from '../settings/settings.ts'
import { findCopy, markCopy } from '../snapshots/copies.ts'
import { tellCheckFailure, tellReachable } from '../volumes/notices.ts'
import { openVolumeOf, volumeOf, type VolumeRow } from '../volumes/volumes.ts'
import {
  checkPayload,
  type CheckWork,
  type Faults,
  faultsFound,
  faultsSoFar,
  noteFault,
  refuseIfEmpty,
  refuseIfGone,
  repairAll,
} from './faults.ts'
import { longestUnread, storedBytes, type UnreadCopy } from './store.ts'

/** So many copies that cannot be read: the volume is broken, not a copy. */
const PATIENCE = 5

/**
 * Reads a share of all that is on a volume, those copies first that were not read for longest, and compares each with
 * its SHA-256, for which no key is needed. So in the course of many days every byte is read. What is not what was
 * stored is marked, and made again from a good copy. What cannot be read is passed by, and the check fails in the end.
 */
export const contentCheck = defineJob({
  payload: checkPayload.extend({ share: z.number().gt(0).max(1).optional() }),
  async run(work) {
    const { context, organizationId, payload, signal } = work
    const { store } = context
    const row = await volumeOf(context, organizationId, payload.volumeId)
    const { contentCheckDays } = await settingsOf(context, organizationId)
    const wanted = (await storedBytes(store, row.id)) * (payload.share ?? 1 / contentCheckDays)
    const started = await nowOf(store)
    await using volume = openVolumeOf(context, row)
    await refuseIfGone(volume, signal)
    const faults = faultsSoFar(work)
    const read = { copies: 0, bytes: 0 }
    const unreadable: string[] = []
    let trouble: unknown
    while ((read.copies === 0 || read.bytes < wanted) && unreadable.length < PATIENCE) {
      const copy = await longestUnread(store, row.id, started, unreadable)
      if (!copy) break
      try {
        await readOne(work, row, volume, copy, read.bytes, faults)
        read.copies += 1
        read.bytes += copy.bytes
      } catch (error) {
        signal.throwIfAborted()
        work.log('warning', `“${copy.key}” could not be read: ${messageOf(error)}`)
        trouble ??= error
        unreadable.push(copy.snapshotId)
      }
    }
    const repairs = faults.first ? await repairAll(work, row) : 0
    const error = faultsFound(row, faults, repairs) ?? trouble
    if (error) throw error
    const found = { organizationId, volumeId: row.id, jobId: work.id }
    return { result: read, record: (trx) => tellReachable(context, trx, 'contents', found, row) }
  },
  async endedBadly(context, trx, { id: jobId, organizationId, payload: { volumeId }, ...end }) {
    if (end.state !== 'failed') return
    await tellCheckFailure(context, trx, 'contents', { organizationId, volumeId, jobId }, end.error)
  },
})

/** Throws what says nothing about the copy. */
async function readOne(
  work: CheckWork,
  row: VolumeRow,
  volume: Volume,
  copy: UnreadCopy,
  readBefore: number,
  faults: Faults,
): Promise<void> {
  const { signal, context } = work
  const { store } = context
  const place = { snapshotId: copy.snapshotId, volumeId: row.id }
  const manifest = manifestSchema.parse(JSON.parse(copy.manifest))
  const onStored = (bytes: number) => work.progress({ phase: 'checking', storedBytes: readBefore + bytes })
  try {
    await checkObject(volume, copy.key, manifest, signal, { onStored })
    await store.db
      .transaction()
      .execute((trx) => markCopy(store, trx, place, { state: 'stored', isWhole: true }))
    if (copy.isForeign === 0) await keepManifest(work, row, volume, copy, manifest)
  } catch (thrown) {
    signal.throwIfAborted()
    const error = asAppError(thrown)
    if (!['object_not_found', 'checksum_mismatch', 'volume_corrupted'].includes(error.code)) throw error
    if (error.code === 'object_not_found') {
      await refuseIfGone(volume, signal)
      await refuseIfEmpty(volume, signal)
    }
    await noteFault(work, row, copy, faults, error)
  }
}

/** A copy without its manifest could not be found by whoever has nothing but the volume. */
async function keepManifest(
  { context, organizationId, signal, log }: Work<unknown>,
  { id, name }: VolumeRow,
  volume: Volume,
  { snapshotId, key }: UnreadCopy,
  manifest: Manifest,
): Promise<void> {
  if (await exists(volume, manifestKey(key), signal)) return
  const copy = await findCopy(context.store, organizationId, { snapshotId, volumeId: id })
  if (copy?.state !== 'stored') return // it is being deleted, its manifest first
  try {
    await writeManifest(volume, key, manifest, signal)
    log('warning', `“${name}”: the manifest of “${key}” was gone, and has been written again.`)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'volume_read_only') throw error
    log('warning', `“${name}”: the manifest of “${key}” is gone: ${messageOf(error)}`)
  }
}
