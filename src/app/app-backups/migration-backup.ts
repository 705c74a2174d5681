import { resolve } from 'node:path'
import type { JobContext } from '../../runner/job.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import { openVolume, folderVolume } from '../../volumes/index.ts'
import type { Volume } from '../../volumes/volume.ts'
import { asWriteOnly, testWriteOnly } from '../../volumes/write-only.ts'
import { DEFAULT_INSTANCE_SETTINGS } from '../../shared/instance-settings.ts'
import type { AppContext } from '../context.ts'
import { FIRST_FOLDER, keepManaged } from './first.ts'
import { keyOf, readKey } from './key.ts'
import { backUpTo } from './make.ts'
import { hasMigration } from './schedules.ts'
import { snapshotStore } from './snapshot.ts'
import { allRegistrations, type RegistrationRow } from './store.ts'
import { openTarget } from './targets.ts'

/** The schema from which on the store has registrations. */
const SINCE = 6

/** The backup that is made before a release changes a store with data. */
export interface MigrationBackup {
  /** Tries out where it will be put; nothing is written into the store. Throws `app_backup_failed`. */
  check: (from: number) => Promise<void>
  /** Makes it. Throws `app_backup_failed`: then nothing may be changed. */
  make: (from: number) => Promise<void>
  /** What must be told when the app has started, in sentences. */
  warnings: string[]
}

/**
 * By every registration that asks for it; where the store is too old to have any, to the folder of a new installation, and
 * where the store was without, by none. With `isOptional`, what fails is a warning.
 */
export function migrationBackup(context: AppContext, isOptional: boolean): MigrationBackup {
  const warnings: string[] = []
  const job: JobContext = {
    signal: new AbortController().signal,
    log: (level, message) => void (level === 'info' || warnings.push(`App backup: ${message}`)),
    progress: () => {},
    workDirectory: context.workDirectory,
  }
  let isChecked = false
  let isGivenUp = false
  const orFail = async (from: number, work: () => Promise<void>) => {
    if (isGivenUp) return
    try {
      await work()
    } catch (thrown) {
      isGivenUp = true
      const error = failed(from, asAppError(thrown))
      if (!isOptional) throw error
      warnings.push(
        `${error.message} THE STORE WAS MIGRATED WITHOUT A BACKUP, because HOLDFAST_SKIP_MIGRATION_BACKUP is set.`,
      )
    }
  }
  const tryOut = async (from: number) => {
    isChecked = true
    if (from < SINCE) {
      await using volume = unregistered(context)
      if (volume) await check(context, asWriteOnly(volume), job)
      return
    }
    for (const registration of await wanted(context)) {
      await using target = await openTarget(context, registration)
      await check(context, target.volume, job)
    }
  }
  return {
    warnings,
    check: (from) => orFail(from, () => tryOut(from)),
    make: (from) =>
      orFail(from, async () => {
        if (!isChecked) await tryOut(from)
        if (from < SINCE) return await backUpUnregistered(context, from, job)
        await keepManaged(context)
        const registrations = await wanted(context)
        if (registrations.length === 0) {
          warnings.push(
            'The store was migrated, and no app backup was made before: no registration asks for one. At least one should.',
          )
          return
        }
        await using snapshot = await snapshotStore(context, job)
        for (const registration of registrations) {
          await backUpTo(context, registration, snapshot, 'migration', job)
        }
      }),
  }
}

async function wanted({ store }: AppContext): Promise<RegistrationRow[]> {
  return (await allRegistrations(store.db)).filter(hasMigration)
}

async function check(
  { workDirectory }: AppContext,
  volume: Parameters<typeof testWriteOnly>[0],
  { signal }: JobContext,
): Promise<void> {
  const steps = await testWriteOnly(volume, workDirectory, signal)
  const step = steps.find(({ outcome }) => outcome === 'failed')
  if (step) throw new AppError('volume_refused', `${volume.location}: ${step.detail ?? step.step}`)
}

/** Undefined if the environment wants no backup before migrations. */
function unregistered({ dataDirectory, managed }: AppContext): Volume | undefined {
  if (managed && !managed.schedules.some(({ type }) => type === 'migration')) return undefined
  const { kind, settings } = folderVolume(resolve(dataDirectory, managed?.folder ?? FIRST_FOLDER))
  return openVolume(kind, settings)
}

/**
 * There is no registry yet. It gets to know what lies in this folder when it is there; until then the folder itself says
 * what is the oldest, so that a release that fails again and again does not fill the disk.
 */
async function backUpUnregistered(context: AppContext, from: number, job: JobContext): Promise<void> {
  const { managed } = context
  await using volume = unregistered(context)
  if (!volume) return
  await volume.discard('', job.signal)
  {
    await using snapshot = await snapshotStore(context, job)
    await asWriteOnly(volume).put(await freeKey(volume, from, job.signal), snapshot.file, job.signal)
  }
  const keep = managed?.keep ?? DEFAULT_INSTANCE_SETTINGS.localAppBackups
  const keys = (await Array.fromAsync(volume.list('', job.signal))).map(({ key }) => key)
  const ours = keys.filter((key) => readKey(key) !== undefined).sort()
  const old = keep === 0 ? [] : ours.slice(0, -keep)
  for (const key of old) await volume.remove(key, job.signal)
}

async function freeKey(volume: Volume, schemaVersion: number, signal: AbortSignal): Promise<string> {
  const taken = new Set((await Array.fromAsync(volume.list('', signal))).map(({ key }) => key))
  for (let time = Date.now(); ; time += 1000) {
    const key = keyOf(time, schemaVersion)
    if (!taken.has(key)) return key
  }
}

function failed(from: number, error: AppError): AppError {
  const hint = error.hint === undefined ? '' : `${error.hint} `
  return new AppError(
    'app_backup_failed',
    `The app’s own database has schema ${from} and must be migrated, but the backup before that failed: ${error.message}`,
    {
      hint: `${hint}Nothing was migrated. To start without a backup, set HOLDFAST_SKIP_MIGRATION_BACKUP=1.`,
      cause: error,
    },
  )
}
