import type { Kysely } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { isOver, ownToken } from '../../lib/identity.ts'
import { cleanupSignal, type JobContext } from '../../runner/job.ts'
import type { AppBackupCause } from '../../shared/app-backups.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { instanceSettingsOf } from '../instance-settings/instance-settings.ts'
import { jobError } from '../jobs/run-job.ts'
import { keyOf } from './key.ts'
import type { StoreSnapshot } from './snapshot.ts'
import {
  type BackupRow,
  backupsOf,
  deleteBackup,
  insertRunning,
  noteFailure,
  noteGone,
  noteStuck,
  noteSuccess,
  type RegistrationRow,
} from './store.ts'
import type { Target } from './targets.ts'

/*
 * A backup is first a file of this machine, then a row that says where something will be, and only then something at
 * that place. So nothing lies anywhere of which the registry knows nothing; and no backup contains the row of itself,
 * which a restored store would take for one that nobody has finished, and remove.
 */

/** Of those that failed: enough to see since when. */
const FAILED_KEPT = 20
/** Of another machine nobody can tell whether it lives; after so long, in milliseconds, it does not. */
const LONGEST = 86_400_000

/** What this process is making now. */
const ours = new Set<string>()

export interface MadeBackup {
  id: string
  key: string
  location: string
  schemaVersion: number
  bytes: number
  sha256: string
}

/** Writes that it has succeeded, in the transaction that it is given. */
export type RecordSuccess = (db: Kysely<Tables>) => Promise<void>

/**
 * Puts a snapshot where the registration says, and remembers that; `conclude` writes the success, and whatever else is to
 * be written with it. If anything fails, what may lie there is removed again, and the registry says why it failed.
 */
export async function storeBackup(
  context: AppContext,
  { id: registrationId }: RegistrationRow,
  target: Target,
  { file, schemaVersion }: StoreSnapshot,
  cause: AppBackupCause,
  job: JobContext,
  conclude: (record: RecordSuccess, made: MadeBackup) => Promise<void> = (record) => record(context.store.db),
): Promise<MadeBackup> {
  const { store } = context
  const { bytes, sha256 } = file
  const row = await begin(context, target, { registrationId, cause, schemaVersion })
  const { id, key, location } = row
  ours.add(id)
  try {
    await target.volume.put(key, file, job.signal)
    const made = { id, key, location, schemaVersion, bytes, sha256 }
    await conclude((db) => noteSuccess(store, db, id, { bytes, sha256 }), made)
    return made
  } catch (error) {
    // What is unknown to be remembered is remembered if the registry says so.
    const isFailed = await noteFailure(store, store.db, id, JSON.stringify(jobError(asAppError(error))))
    if (isFailed) await takeAway(context, target, row, job, cleanupSignal())
    throw error
  } finally {
    ours.delete(id)
  }
}

/**
 * Removes what is left at the target of backups that nobody makes any more: those that failed, and those whose maker was
 * killed.
 */
export async function removeUnfinished(
  context: AppContext,
  registration: RegistrationRow,
  target: Target,
  job: JobContext,
): Promise<void> {
  const { store } = context
  const now = await nowOf(store)
  const rows = (await backupsOf(store.db, [registration.id])).filter((row) => isAbandoned(row, now))
  for (const row of rows) {
    if (row.state === 'running') {
      const error = new AppError('runner_lost', 'Whoever made it was killed, or cut off.')
      await noteFailure(store, store.db, row.id, JSON.stringify(jobError(error)))
    }
    if (row.place !== target.place) {
      job.log(
        'warning',
        `What may be left of ${row.key} at ${row.location} is not removed: it is another place now.`,
      )
      continue
    }
    await takeAway(context, target, row, job, job.signal)
  }
}

/** Whether something of it may lie there that is no backup, and that nobody works on. */
function isAbandoned({ id, state, isStored, maker, startedAt }: BackupRow, now: number): boolean {
  if (isStored === 0 || state === 'succeeded') return false
  if (state === 'failed') return !ours.has(id)
  if (maker === ownToken()) return !ours.has(id)
  const over = isOver(maker)
  return over === true || (over === 'unknown' && now - startedAt > LONGEST)
}

/**
 * Removes the oldest beyond what the settings keep, from the storage first, then from the registry; never what was made
 * just now. What cannot be removed stays in the registry, which says so. Returns how many were removed, and sentences for
 * those that were not.
 */
export async function removeOld(
  context: AppContext,
  registration: RegistrationRow,
  target: Target,
  made: MadeBackup,
  job: JobContext,
): Promise<{ removed: number; stuck: string[] }> {
  const { store } = context
  const rows = await backupsOf(store.db, [registration.id])
  await forgetFailed(context, rows)
  const keep = await keptAt(context, target.isFolder)
  const good = rows.filter(({ state, place }) => state === 'succeeded' && place === target.place)
  const old = surplus(
    good.map((row) => ({ ...row, time: row.startedAt, isMigration: row.cause === 'migration' })),
    (row) => row.id === made.id,
    keep,
    await nowOf(store),
  )
  const stuck: string[] = []
  for (const row of old) {
    job.signal.throwIfAborted()
    try {
      await target.volume.remove(row.key, job.signal)
    } catch (thrown) {
      job.signal.throwIfAborted()
      const error = asAppError(thrown)
      const sentence = `${row.key} could not be removed: ${error.message}`
      stuck.push(sentence)
      job.log('warning', sentence)
      await noteStuck(store.db, row.id, JSON.stringify({ ...jobError(error), message: sentence }))
      continue
    }
    await deleteBackup(store.db, row.id)
  }
  return { removed: old.length - stuck.length, stuck }
}

/** Of those that failed, and have left nothing, only the newest stay known. */
export async function forgetFailed({ store }: AppContext, rows: readonly BackupRow[]): Promise<void> {
  const failed = rows.filter(({ state, isStored }) => state === 'failed' && isStored === 0)
  for (const { id } of failed.slice(FAILED_KEPT)) await deleteBackup(store.db, id)
}

/**
 * What is too many, the oldest first. What was made just now is the newest, and what says that it is from the future the
 * oldest. A backup before a migration takes the place of one before the same migration, which has failed then: else a
 * release that fails again and again would replace all that was before.
 */
export function surplus<T extends { time: number; schemaVersion: number; isMigration: boolean }>(
  backups: readonly T[],
  isMade: (backup: T) => boolean,
  keep: number,
  now: number,
): T[] {
  if (keep === 0) return []
  const [made] = backups.filter(isMade)
  const others = backups.filter((backup) => !isMade(backup)).sort((a, b) => b.time - a.time)
  const past = others.filter(({ time }) => time <= now)
  const future = others.filter(({ time }) => time > now)
  const [last] = past
  const isReplaced =
    made?.isMigration === true && last?.isMigration === true && last.schemaVersion === made.schemaVersion
  const ordered = [...(made ? [made] : []), ...past.slice(isReplaced ? 1 : 0), ...future]
  return [...ordered.slice(keep).toReversed(), ...(isReplaced ? [last] : [])]
}

/** How many each registration keeps; 0: all. */
export async function keptAt(context: AppContext, isFolder: boolean): Promise<number> {
  if (isFolder && context.managed) return context.managed.keep
  const { localAppBackups, remoteAppBackups } = await instanceSettingsOf(context)
  return isFolder ? localAppBackups : remoteAppBackups
}

/** The key is the second in which it was begun, or the next one that is free at that place. */
async function begin(
  { store }: AppContext,
  { place, prefix, volume }: Target,
  backup: { registrationId: string; cause: AppBackupCause; schemaVersion: number },
): Promise<BackupRow> {
  const now = await nowOf(store)
  for (let second = 0; ; second++) {
    const key = prefix + keyOf(now + second * 1000, backup.schemaVersion)
    const { location } = volume
    try {
      return await insertRunning(store, store.db, {
        ...backup,
        id: uuidv7(),
        key,
        location,
        place,
        maker: ownToken(),
      })
    } catch (error) {
      if (!store.isUniqueViolation(error)) throw error
    }
  }
}

/** What cannot be taken away is tried again with the next backup. */
async function takeAway(
  { store }: AppContext,
  { volume }: Target,
  { id, key }: BackupRow,
  job: JobContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    await volume.remove(key, signal)
  } catch (error) {
    job.log('warning', `What may be left of ${key} could not be removed: ${asAppError(error).message}`)
    return
  }
  await noteGone(store.db, id)
}
