import { join, sep } from 'node:path'
import { realPathOf } from '../../lib/real-path.ts'
import { AppError } from '../../shared/errors.ts'
import { openVolume, type VolumeKind, volumes } from '../../volumes/index.ts'
import type { Volume } from '../../volumes/volume.ts'
import type { Settings } from '../secrets.ts'
import type { VolumeRow } from './store.ts'

/**
 * The folder for snapshots inside the app's own directory: the only one there that may be a volume. The first
 * organization has it; each further one has its own.
 */
export function readyFolder(dataDirectory: string, organizationId?: string): string {
  if (organizationId === undefined) return join(dataDirectory, 'backups')
  return join(dataDirectory, 'organizations', organizationId, 'backups')
}

/**
 * Which place on earth a volume is, as far as that can be told without reaching it: two that are equal here are the
 * same. Of a folder of this machine all symbolic links are followed.
 */
export async function placeOf({
  folder,
  location,
  place = '',
}: Pick<Volume, 'folder' | 'location' | 'place'>): Promise<string> {
  return folder === undefined ? `${place} ${location}` : await realPathOf(folder)
}

/** Throws `invalid_input` for a folder inside the app's own directory. */
export async function refuseOwnDirectory({ folder }: Volume, dataDirectory: string): Promise<void> {
  if (folder === undefined) return
  const [path, own] = await Promise.all([realPathOf(folder), realPathOf(dataDirectory)])
  if (path === readyFolder(own) || (path !== own && !path.startsWith(own + sep))) return
  const message = `must not be inside the app’s own directory, ${own}`
  throw new AppError('invalid_input', `settings: ${message}`, {
    hint: `Of that directory only ${readyFolder(own)} may be a volume.`,
    fields: [{ field: 'settings', message }],
  })
}

/** Throws `place_taken` if one of the other volumes is the same place. */
export async function refuseTakenPlace(place: string, others: readonly VolumeRow[]): Promise<void> {
  for (const other of others) {
    if ((await storedPlaceOf(other)) !== place) continue
    throw new AppError('place_taken', `Volume “${other.name}” is the same place already.`, {
      hint: 'Use that volume, or name another place: two copies in one are none more.',
      fields: [{ field: 'settings', message: `This is the place of “${other.name}”.` }],
    })
  }
}

/** Undefined if its settings are not valid any more. */
export async function storedPlaceOf(row: VolumeRow): Promise<string | undefined> {
  const volume = openSealed(row)
  return volume && (await placeOf(volume))
}

/** Undefined for what is no folder of this machine. */
export function folderOfStored(row: VolumeRow): string | undefined {
  return openSealed(row)?.folder
}

/** In words; null if its settings are not valid any more. */
export function locationOf(row: VolumeRow): string | null {
  return openSealed(row)?.location ?? null
}

/** To ask it where it is, which does not depend on its secrets: they stay sealed. */
function openSealed({ kind, settings }: VolumeRow): Volume | undefined {
  if (!Object.hasOwn(volumes, kind)) return undefined
  try {
    return openVolume(kind as VolumeKind, JSON.parse(settings) as Settings)
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_input') return undefined
    throw error
  }
}
