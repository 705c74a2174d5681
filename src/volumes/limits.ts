import type { Throttle } from '../lib/throttle.ts'
import { AppError } from '../shared/errors.ts'
import type { Volume } from './volume.ts'

/** The same volume, to which and from which bytes go no faster than the throttle lets them by. */
export function withBandwidth(volume: Volume, throttle: Throttle): Volume {
  return {
    ...volume,
    write: (key, source, signal, options) =>
      volume.write(key, { ...source, body: throttle(source.body, signal) }, signal, options),
    read: (key, signal, range) => throttle(volume.read(key, signal, range), signal),
  }
}

/** The same volume, on which nothing is changed: what would change it throws `volume_read_only`. */
export function readOnly(volume: Volume, name: string): Volume {
  const refuse = async () => {
    throw new AppError('volume_read_only', `Volume “${name}” is read only: nothing on it is changed.`, {
      hint: 'Let it be written to in its settings, or use another volume.',
    })
  }
  return { ...volume, write: refuse, remove: refuse, discard: refuse }
}
