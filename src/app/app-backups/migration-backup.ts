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
import { type MadeBackup, removeOld, removeUnfinished, storeBackup, surplus } from './make.ts'
import { hasMigration } from './schedules.ts'
import { snapshotStore } from './snapshot.ts'
import { allRegistrations, type RegistrationRow, SINCE } from './store.ts'
import { openTarget } from './targets.ts'

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
 * where the store was without, by none. With `isOptional`, what fails is a warning, and the others are made all the same.
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
  /** Which parts have failed: they are not tried again. */
  const givenUp = new Set<string>()
  /** Returns undefined if it has failed, which is a warning. */
  const attempt = async <T>(from: number, part: string, work: () => Promise<T>): Promise<T | undefined> => {
    if (givenUp.has(part)) return undefined
    try {
      return await work()
    } catch (thrown) {
      givenUp.add(part)
      const error = failed(from, part, asAppError(thrown))
      if (!isOptional) throw error
      warnings.push(error.message)
      return undefined
    }
  }
  const withoutBackup = () =>
    void warnings.push(
      'THE STORE WAS MIGRATED WITHOUT A BACKUP, because HOLDFAST_SKIP_MIGRATION_BACKUP is set.',
    )
  const tryOut = async (from: number) => {
    isChecked = true
    if (from < SINCE) {
      await attempt(from, FIRST_FOLDER, async () => {
        await using volume = unregistered(context)
        if (volume) await check(context, asWriteOnly(volume), job)
      })
      return
    }
    for (const registration of await allRegistrations(context.store.db)) {
      await attempt(from, registration.name, async () => {
        if (!hasMigration(registration)) return
        await using target = await openTarget(context, registration)
        await check(context, target.volume, job)
      })
    }
  }
  const make = async (from: number) => {
    if (!isChecked) await tryOut(from)
    if (from < SINCE) {
      const done = await attempt(from, FIRST_FOLDER, async () => {
        await backUpUnregistered(context, from, job)
        return true
      })
      if (done !== true) withoutBackup()
      return
    }
    await attempt(from, 'the environment’s', () => keepManaged(context))
    const registrations = (await allRegistrations(context.store.db)).filter(
      (registration) => givenUp.has(registration.name) || hasMigration(registration),
    )
    if (registrations.length === 0) {
      warnings.push(
        'The store was migrated, and no app backup was made before: no registration asks for one. At least one should.',
      )
      return
    }
    await using snapshot = await attempt(from, 'the copy of the store', () => snapshotStore(context, job))
    const all: { registration: RegistrationRow; made: MadeBackup }[] = []
    for (const registration of snapshot ? registrations : []) {
      const made = await attempt(from, registration.name, async () => {
        await using target = await openTarget(context, registration)
        await removeUnfinished(context, registration, target, job)
        return snapshot && (await storeBackup(context, registration, target, snapshot, 'migration', job))
      })
      if (made) all.push({ registration, made })
    }
    if (all.length === 0) withoutBackup()
    // Not before the last one is made: else a start that fails again and again would remove older ones.
    for (const { registration, made } of all) {
      await attempt(from, registration.name, async () => {
        await using target = await openTarget(context, registration)
        await removeOld(context, registration, target, made, job)
      })
    }
  }
  return { warnings, check: tryOut, make }
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
  const made = await freeKey(volume, from, job.signal)
  {
    await using snapshot = await snapshotStore(context, job)
    await asWriteOnly(volume).put(made, snapshot.file, job.signal)
  }
  const keep = managed?.keep ?? DEFAULT_INSTANCE_SETTINGS.localAppBackups
  const keys = (await Array.fromAsync(volume.list('', job.signal))).map(({ key }) => key)
  const ours = keys.flatMap((key) => {
    const read = readKey(key)
    return read ? [{ ...read, key, isMigration: true }] : []
  })
  for (const { key } of surplus(ours, (one) => one.key === made, keep, Date.now())) {
    await volume.remove(key, job.signal)
  }
}

async function freeKey(volume: Volume, schemaVersion: number, signal: AbortSignal): Promise<string> {
  const taken = new Set((await Array.fromAsync(volume.list('', signal))).map(({ key }) => key))
  for (let time = Date.now(); ; time += 1000) {
    const key = keyOf(time, schemaVersion)
    if (!taken.has(key)) return key
  }
}

function failed(from: number, part: string, error: AppError): AppError {
  const hint = error.hint === undefined ? '' : `${error.hint} `
  return new AppError(
    'app_backup_failed',
    `The app’s own database has schema ${from} and must be migrated, but the backup before that failed (${part}): ${error.message}`,
    {
      hint: `${hint}Nothing was migrated. To start without a backup, set HOLDFAST_SKIP_MIGRATION_BACKUP=1.`,
      cause: error,
    },
  )
}
