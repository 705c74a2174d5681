import { engineNamed } from '../../engines/index.ts'
import type { KeyRing } from '../../runner/encryption.ts'
import type { JobContext } from '../../runner/job.ts'
import { takeSafetySnapshot } from '../../runner/safety-snapshot.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { planOf } from '../plans/plans.ts'
import { connectionOf } from '../servers/servers.ts'
import { settingsOf } from '../settings/settings.ts'
import { recordSnapshot } from '../snapshots/record.ts'
import type { ReadableCopy, SnapshotRow } from '../snapshots/snapshots.ts'
import { openVolumeOf, quotaReached, volumeOf, type VolumeRow } from '../volumes/volumes.ts'
import type { ServerRow } from './target.ts'

const DAY = 24 * 3_600_000
const MINUTE = 60_000

export interface SafetyOrder {
  organizationId: string
  jobId: string
  server: ServerRow
  database: string
  /** What is about to take its place, and where that is read from. */
  snapshot: SnapshotRow
  copy: ReadableCopy
  keys: KeyRing
}

/**
 * Backs up a database before it is replaced, and has it in the catalogue, locked for some days, before it returns: on the
 * volume that the restored snapshot is read from, or else on one of its plan. Returns the snapshot's id.
 */
export async function keepTarget(context: AppContext, order: SafetyOrder, job: JobContext): Promise<string> {
  const { organizationId, snapshot, copy } = order
  const volumes = await safetyVolumes(context, organizationId, snapshot, copy.volumeRow)
  const refusals: AppError[] = []
  for (const row of volumes) {
    try {
      return await keepTargetOn(context, order, row, job)
    } catch (thrown) {
      job.signal.throwIfAborted()
      const error = asAppError(thrown)
      if (!isOfVolume(error)) throw error
      job.log('warning', `The safety snapshot could not be kept on “${row.name}”: ${error.message}`)
      refusals.push(error)
    }
  }
  const [first] = refusals
  throw new AppError(
    first?.code ?? 'no_copy_stored',
    `No volume takes the safety snapshot: ${first?.message}`,
    {
      hint: HINT,
      cause: first,
    },
  )
}

/** The volumes that a safety snapshot may go to, the best first. Throws `volume_read_only` if there is none. */
export async function safetyVolumes(
  context: AppContext,
  organizationId: string,
  { planId }: SnapshotRow,
  source: VolumeRow,
): Promise<VolumeRow[]> {
  const others = planId === null ? [] : (await planOf(context, organizationId, planId)).volumes
  const ids = others.map(({ id }) => id).filter((id) => id !== source.id)
  const rows = await Promise.all(ids.map((id) => volumeOf(context, organizationId, id)))
  const writable = [source, ...rows].filter(({ isReadOnly }) => isReadOnly === 0)
  if (writable.length > 0) return writable
  throw new AppError(
    'volume_read_only',
    `The volume “${source.name}” is read only, and takes no safety snapshot.`,
    {
      hint: HINT,
    },
  )
}

const HINT =
  'Give the plan of the snapshot a volume that can be written to, or restore without a safety snapshot: then what is in the database now is gone.'

async function keepTargetOn(
  context: AppContext,
  { organizationId, jobId, server, database, copy, keys }: SafetyOrder,
  row: VolumeRow,
  job: JobContext,
): Promise<string> {
  const { safetyDays, stallMinutes } = await settingsOf(context, organizationId)
  const full = await quotaReached(context, row)
  if (full) job.log('warning', `${full.message} The safety snapshot is kept there all the same.`)
  await using volume = openVolumeOf(context, row)
  return await takeSafetySnapshot(
    {
      engine: engineNamed(server.engine),
      engineName: server.engine,
      connection: connectionOf(context, server),
      database,
      serverName: server.name,
      volumeName: row.name,
      volume,
      keys,
      like: copy,
      catalogue: { organization: organizationId, serverId: server.id },
      stallAfter: stallMinutes * MINUTE,
      async onComplete({ manifest, key }) {
        await context.store.db.transaction().execute((trx) =>
          recordSnapshot(context.store, trx, {
            organizationId,
            manifest,
            key,
            serverId: server.id,
            jobId,
            lockedUntil: Date.parse(manifest.finishedAt) + safetyDays * DAY,
            copies: [{ volumeId: row.id }],
          }),
        )
      },
    },
    job,
  )
}

function isOfVolume({ code }: AppError): boolean {
  return code.startsWith('volume_') || code === 'no_copy_stored' || code.startsWith('object_')
}
