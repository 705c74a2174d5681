import { AppError, asAppError } from '../shared/errors.ts'
import type { Volume } from '../volumes/volume.ts'

/** A volume under the name that people gave it. */
export interface NamedVolume {
  name: string
  volume: Volume
}

/** A snapshot's object on one volume, while it is being made. What failed stays failed; the others go on. */
export interface Copy extends NamedVolume {
  /** By which its note is known among all notes. */
  run: string
  failure?: AppError
  /** The volume has a note of it, see writing.ts; `perhaps` if its write failed, which may have happened all the same. */
  announced?: boolean | 'perhaps'
}

/**
 * Throws `invalid_input` if two of the volumes are the same place, as far as can be told without reaching them: there a
 * snapshot would meet itself, and two copies would be one.
 */
export function refuseSamePlace(volumes: readonly NamedVolume[]): void {
  const seen = new Map<string, NamedVolume>()
  for (const named of volumes) {
    const { location, place = '' } = named.volume
    const where = `${place} ${location}`
    const other = seen.get(where)
    if (other) throw samePlace(other, named)
    seen.set(where, named)
  }
}

export function samePlace(one: NamedVolume, other: NamedVolume): AppError {
  const sentence =
    one.name === other.name
      ? `Volume “${one.name}” is given twice.`
      : `Volumes “${one.name}” and “${other.name}” are the same place.`
  return new AppError('invalid_input', sentence, {
    hint: 'Give each place once: two copies in one are none more.',
  })
}

/**
 * Does something for every copy that has not failed, all at once. A copy for which it fails is marked so.
 * Throws `no_copy_stored` when none is left.
 */
export async function forEachCopy(
  copies: readonly Copy[],
  act: (copy: Copy) => Promise<void>,
): Promise<void> {
  await Promise.all(
    copies
      .filter((copy) => !copy.failure)
      .map(async (copy) => {
        try {
          await act(copy)
        } catch (error) {
          copy.failure = asAppError(error)
        }
      }),
  )
  const [first, ...others] = copies
  if (!copies.every((copy) => copy.failure) || !first?.failure) return
  if (others.length === 0) throw first.failure
  throw new AppError(
    'no_copy_stored',
    `None of the ${copies.length} volumes took the snapshot: ${copies.map(({ name, failure }) => `${name}: ${failure?.message}`).join(' · ')}`,
    { cause: first.failure, ...(first.failure.hint && { hint: first.failure.hint }) },
  )
}
