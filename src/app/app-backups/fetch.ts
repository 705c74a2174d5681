import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Meter } from '../../lib/meter.ts'
import { sealer } from '../../lib/sealing.ts'
import { checkRoom } from '../../lib/work-directory.ts'
import type { JobContext } from '../../runner/job.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import { openStore } from '../../store/database.ts'
import { schemaOf } from '../../store/migrate.ts'
import { loadAppKey } from '../app-key.ts'
import type { Configuration } from '../configuration.ts'
import type { AppContext } from '../context.ts'
import { isThere } from '../existing-store.ts'
import { allRegistrations, type BackupRow, backupsOf, type RegistrationRow, SINCE } from './store.ts'
import { describeTarget, openForReading } from './targets.ts'

/**
 * Downloads the backup that `registration/backup` names: by the name or id of the registration, and the id, the key or the
 * time of the backup, or `latest`. Returns the path of the file. Throws `object_not_found`, and what the storage says.
 */
export async function fetchBackup(
  configuration: Configuration,
  reference: string,
  directory: string,
  job: JobContext,
): Promise<string> {
  const { store: place } = configuration
  if ('path' in place && !(await isThere(place.path)))
    throw noFile(reference, 'and there is no store that could know it')
  await using store = await openStore(place)
  if ((await schemaOf(store)).current < SINCE)
    throw noFile(reference, 'and this store knows of no app backups')
  const key = await loadAppKey(configuration, { mayMake: false })
  const { dataDirectory, workDirectory, timeZone } = configuration
  const context: AppContext = {
    store,
    sealer: sealer(key),
    instanceKeys: [],
    timeZone,
    dataDirectory,
    workDirectory,
    heartbeats: new Map(),
  }
  const { registration, backup } = await find(context, reference)
  const path = join(directory, 'fetched.db')
  await checkRoom(directory, backup.bytes ?? 0, 'The downloaded app backup')
  const meter = new Meter((storedBytes) => job.progress({ phase: 'downloading', storedBytes }))
  try {
    await using volume = await openForReading(context, registration)
    await pipeline(
      meter.measure(volume.read(backup.key, job.signal)),
      createWriteStream(path, { mode: 0o600, flags: 'wx' }),
      { signal: job.signal },
    )
  } catch (thrown) {
    job.signal.throwIfAborted()
    const { code, message, retryable } = asAppError(thrown)
    throw new AppError(code, `${backup.key} could not be read from ${backup.location}: ${message}`, {
      hint: 'If the credentials may only write there, fetch the file by other means, and name it: holdfast app restore <file>',
      cause: thrown,
      retryable,
    })
  }
  if (meter.sha256 === backup.sha256) return path
  throw new AppError('checksum_mismatch', `${backup.key} at ${backup.location} is not what was put there.`, {
    hint: 'Choose another backup: holdfast app backups ls',
  })
}

async function find(
  context: AppContext,
  reference: string,
): Promise<{ registration: RegistrationRow; backup: BackupRow }> {
  const { store } = context
  const registrations = await allRegistrations(store.db)
  for (const registration of registrations) {
    const prefix = [registration.name, registration.id].find((name) => reference.startsWith(`${name}/`))
    if (prefix === undefined) continue
    const wanted = reference.slice(prefix.length + 1)
    const backups = (await backupsOf(store.db, [registration.id])).filter(
      ({ state }) => state === 'succeeded',
    )
    const place = (await describeTarget(context, registration))?.place
    const here = backups.filter((one) => one.place === place)
    const backup = wanted === 'latest' ? here[0] : backups.find((one) => namesOf(one).includes(wanted))
    if (backup && backup.place !== place) throw isElsewhere(registration, backup)
    if (backup) return { registration, backup }
    const some = here.slice(0, 5).map(({ key }) => key)
    throw new AppError(
      'object_not_found',
      `The registration “${registration.name}” has no backup “${wanted}”.`,
      {
        hint:
          some.length === 0
            ? 'It has none at all.'
            : `It has ${some.join(', ')}${here.length > 5 ? ', …' : ''}, and “latest”.`,
      },
    )
  }
  const names = registrations.map(({ name }) => `“${name}”`)
  throw noFile(reference, `and it begins with none of the registrations ${names.join(', ')}`)
}

/** By which people may call it: also by its time alone. */
function namesOf({ id, key }: BackupRow): string[] {
  return [id, key, key.split('/').at(-2) ?? key]
}

function isElsewhere({ name }: RegistrationRow, { key, location }: BackupRow): AppError {
  return new AppError(
    'object_not_found',
    `${key} lies at ${location}, to which “${name}” does not lead any more.`,
    {
      hint: 'Fetch it from there by other means, and name the file: holdfast app restore <file>',
    },
  )
}

function noFile(reference: string, why: string): AppError {
  return new AppError('object_not_found', `There is no file “${reference}”, ${why}.`, {
    hint: 'Name a file, or a backup as “holdfast app backups ls” has them: registration/backup.',
  })
}
