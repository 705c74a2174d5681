import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { ownToken } from '../../lib/identity.ts'
import type { JobContext } from '../../runner/job.ts'
import type { Volume } from '../../volumes/volume.ts'
import type { AppContext } from '../context.ts'
import { placeOf } from '../volumes/place.ts'
import { readKey } from './key.ts'
import { insertFound, isKnown, type RegistrationRow } from './store.ts'

/**
 * Adds to the registry what lies in a folder of this app alone, and the registry does not know: made before there was a
 * registry, or behind the backup that was restored. Returns how many.
 */
export async function adopt(
  { store }: AppContext,
  registration: RegistrationRow,
  volume: Volume,
  job: JobContext,
): Promise<number> {
  const place = await placeOf(volume)
  let adopted = 0
  for await (const { key, bytes } of volume.list('', job.signal)) {
    const read = readKey(key)
    if (!read) continue
    if (await isKnown(store.db, place, key)) continue
    const hash = createHash('sha256')
    for await (const chunk of volume.read(key, job.signal)) hash.update(chunk)
    const isNew = await insertFound(store.db, {
      id: uuidv7(),
      registrationId: registration.id,
      key,
      location: volume.location,
      place,
      cause: 'migration',
      schemaVersion: read.schemaVersion,
      maker: ownToken(),
      bytes,
      sha256: hash.digest('hex'),
      startedAt: read.time,
    })
    if (isNew) adopted += 1
  }
  return adopted
}
