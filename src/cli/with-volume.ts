import { messageOf } from '../shared/errors.ts'
import { openVolumeUrl } from '../volumes/index.ts'
import type { Volume } from '../volumes/volume.ts'
import { note } from './terminal.ts'

/** Opens the volume, hands it over, and closes it whatever happens. */
export async function withVolume(url: string, act: (volume: Volume) => Promise<void>): Promise<void> {
  const volume = openTold(url)
  try {
    await act(volume)
  } finally {
    await closeVolume(volume)
  }
}

/** Opens the volume, and warns of a secret in its URL. */
export function openTold(url: string): Volume {
  const { volume, warnings } = openVolumeUrl(url, process.env)
  warnings.forEach((warning) => note(`warning: ${warning}`))
  return volume
}

/** The work is over by now, and perhaps its result printed: that a volume cannot be closed changes neither. */
export async function closeVolume(volume: Volume): Promise<void> {
  try {
    await volume[Symbol.asyncDispose]()
  } catch (error) {
    note(`warning: ${volume.location} could not be closed: ${messageOf(error)}`)
  }
}
