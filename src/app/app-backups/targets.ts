import { sep } from 'node:path'
import { realPathOf } from '../../lib/real-path.ts'
import { AppError } from '../../shared/errors.ts'
import { openVolume, openWriteOnly, type VolumeKind, volumes } from '../../volumes/index.ts'
import type { Volume, VolumeDriver, WriteOnlyVolume } from '../../volumes/volume.ts'
import { asWriteOnly } from '../../volumes/write-only.ts'
import type { AppContext } from '../context.ts'
import { openSettings, type Settings } from '../secrets.ts'
import { placeOf } from '../volumes/place.ts'
import { findAnyVolume, openVolumeOf, schemaOf } from '../volumes/volumes.ts'
import type { RegistrationRow } from './store.ts'

/** On a volume that is for snapshots, too, app backups have a folder of their own. */
const FOLDER_ON_VOLUME = 'app-backups/'

type Where = Pick<RegistrationRow, 'id' | 'name' | 'kind' | 'settings' | 'volumeId'>

/** Where a registration puts its backups. */
export interface Target extends AsyncDisposable {
  volume: WriteOnlyVolume
  /** See volumes/place.ts. */
  place: string
  /** Before each key. */
  prefix: string
  isFolder: boolean
}

/** Opens it with no more rights than are needed. Throws `key_wrong`, and `invalid_input` for settings that are none any more. */
export async function openTarget(context: AppContext, registration: Where): Promise<Target> {
  if (registration.volumeId !== null) {
    const opened = openVolumeOf(context, await volumeRow(context, registration))
    return await targetOf(asWriteOnly(opened), FOLDER_ON_VOLUME)
  }
  const { kind, settings } = registrationSettings(context, registration)
  return await targetOf(openWriteOnly(kind, absolute(context, kind, settings)), '')
}

/** Opens it for reading, with all that its credentials may. */
export async function openForReading(context: AppContext, registration: Where): Promise<Volume> {
  if (registration.volumeId !== null) return openVolumeOf(context, await volumeRow(context, registration))
  const { kind, settings } = registrationSettings(context, registration)
  return openVolume(kind, absolute(context, kind, settings))
}

async function targetOf(volume: WriteOnlyVolume, prefix: string): Promise<Target> {
  return {
    volume,
    place: await placeOf(volume),
    prefix,
    isFolder: volume.folder !== undefined,
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  }
}

/** What the registration shows of its target, for which no secret is opened. Undefined if its settings are not valid any more. */
export async function describeTarget(
  context: AppContext,
  registration: Where,
): Promise<
  { kind: string; volumeName: string | null; location: string; place: string; isFolder: boolean } | undefined
> {
  try {
    const row = registration.volumeId === null ? undefined : await volumeRow(context, registration)
    const { kind, settings } = row ?? registration
    if (kind === null || !Object.hasOwn(volumes, kind)) return undefined
    const sealed = absolute(context, kind as VolumeKind, JSON.parse(settings ?? '{}') as Settings)
    await using volume = openWriteOnly(kind as VolumeKind, sealed)
    const { location, folder } = volume
    return {
      kind,
      volumeName: row?.name ?? null,
      location,
      place: await placeOf(volume),
      isFolder: folder !== undefined,
    }
  } catch (error) {
    if (error instanceof AppError && ['invalid_input', 'not_found'].includes(error.code)) return undefined
    throw error
  }
}

/** With secrets in the clear, and paths as they were given. */
export function registrationSettings(
  { sealer }: Pick<AppContext, 'sealer'>,
  { id, kind, settings }: Where,
): { kind: VolumeKind; settings: Settings } {
  const schema = schemaOf(kind ?? '')
  const opened = openSettings(schema, JSON.parse(settings ?? '{}') as Settings, sealer, sealedFor(id))
  return { kind: kind as VolumeKind, settings: opened }
}

/** The place that secrets are sealed for. */
export function sealedFor(id: string): string {
  return `app-backup-registrations/${id}/settings`
}

/** The settings with the data directory before relative paths. */
export function absolute(
  { dataDirectory }: Pick<AppContext, 'dataDirectory'>,
  kind: VolumeKind,
  settings: Settings,
): Settings {
  const driver: VolumeDriver = volumes[kind]
  return driver.relativeTo?.(settings, dataDirectory) ?? settings
}

/** Throws `invalid_input` for a folder in which the app itself keeps other things. */
export async function refuseOwnPlaces(
  { folder }: Pick<WriteOnlyVolume, 'folder'>,
  { dataDirectory, workDirectory }: AppContext,
): Promise<void> {
  if (folder === undefined) return
  const [path, data, work] = await Promise.all([folder, dataDirectory, workDirectory].map(realPathOf))
  if (path !== data && path !== work && !path?.startsWith(`${work}${sep}`)) return
  const message = 'must not be the app’s own directory, but may be one in it'
  throw new AppError('invalid_input', `settings: ${message}`, {
    hint: 'For instance “app-backups”, which is relative to the data directory.',
    fields: [{ field: 'settings', message }],
  })
}

async function volumeRow({ store }: AppContext, { name, volumeId }: Where) {
  const row = await findAnyVolume(store.db, volumeId ?? '')
  if (row) return row
  throw new AppError(
    'not_found',
    `The volume of the app backup registration “${name}” is not there any more.`,
  )
}
