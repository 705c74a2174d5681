import type { Transaction } from 'kysely'
import type { ErrorCode } from '../../shared/errors.ts'
import { formatBytes } from '../../shared/units.ts'
import type { JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { isNearlyFull, type Space, spaceInWords } from '../../volumes/space.ts'
import { announce, announceEnd, type Occasion } from '../notifications/announce.ts'
import { forgetThreads, threadsAmong } from '../notifications/threads.ts'
import { findVolume, type VolumeRow } from './store.ts'

/** What people hear of volumes, and of the copies on them. */

/** The job that found out, and about which volume. */
export interface Found {
  organizationId: string
  volumeId: string
  jobId: string
}

/** From this share of its quota on, a volume is nearly full. */
const NEARLY = 0.9

const ofCopies: Partial<Record<ErrorCode, 'copy.missing' | 'copy.corrupt'>> = {
  object_not_found: 'copy.missing',
  checksum_mismatch: 'copy.corrupt',
  volume_corrupted: 'copy.corrupt',
  decryption_failed: 'copy.corrupt',
  decompression_failed: 'copy.corrupt',
  dump_incomplete: 'copy.corrupt',
}

/** What a check looks at: that the copies are there, or all their bytes. */
export type CheckKind = 'files' | 'contents'

/** These say nothing about the volume. */
const ofTheRunner: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['runner_lost', 'job_interrupted', 'internal'])

/** That a check of the volume has failed: for copies that are not what they should be, or else for the way to them. */
export async function tellCheckFailure(
  context: AppContext,
  trx: Transaction<Tables>,
  kind: CheckKind,
  found: Found,
  error: JobError,
): Promise<void> {
  const volume = await findVolume(trx, found.organizationId, found.volumeId)
  if (!volume || ofTheRunner.has(error.code)) return
  const event = ofCopies[error.code]
  if (!event) return await tellUnreachable(context, trx, kind, found, volume, error)
  const what = event === 'copy.missing' ? 'are missing' : 'are damaged'
  await announce(context, trx, {
    ...occasionOf(found, volume, error),
    event,
    title: `Copies on “${volume.name}” ${what}`,
    // The files are looked for each day, and what is missing is found to be so again.
    ...(kind === 'files' && { thread: { key: faultsKey(volume.id), is: 'going-on' } }),
  })
}

/** That one copy is not what it should be. */
export async function tellFaultyCopy(
  context: AppContext,
  trx: Transaction<Tables>,
  found: Found,
  { serverId, serverName, database }: { serverId: string | null; serverName: string; database: string },
  error: JobError,
): Promise<void> {
  const volume = await findVolume(trx, found.organizationId, found.volumeId)
  const event = ofCopies[error.code]
  if (!volume || !event) return
  const occasion = occasionOf(found, volume, error)
  const what = event === 'copy.missing' ? 'is missing' : 'is damaged'
  await announce(context, trx, {
    ...occasion,
    event,
    serverId,
    database,
    title: `A copy of “${database}” of “${serverName}” on “${volume.name}” ${what}`,
    facts: [
      { label: 'Server', value: serverName },
      { label: 'Database', value: database },
      ...occasion.facts,
    ],
  })
}

async function tellUnreachable(
  context: AppContext,
  trx: Transaction<Tables>,
  kind: CheckKind,
  found: Found,
  volume: VolumeRow,
  error: JobError,
): Promise<void> {
  await announce(context, trx, {
    ...occasionOf(found, volume, error),
    event: 'volume.unreachable',
    title: `The volume “${volume.name}” could not be checked`,
    thread: { key: unreachableKey(volume.id, kind), is: 'going-on' },
  })
}

/** That the volume could be checked, if it could not before. */
export async function tellReachable(
  context: AppContext,
  trx: Transaction<Tables>,
  kind: CheckKind,
  found: Found,
  volume: VolumeRow,
): Promise<void> {
  const title = `The volume “${volume.name}” can be reached again`
  const occasion = {
    ...occasionOf(found, volume),
    event: 'volume.recovered',
    title,
    text: `${title}.`,
  } as const
  await announceEnd(context, trx, occasion, [unreachableKey(volume.id, kind)])
}

/** That all copies that should be there are. */
export async function noteNothingMissing(
  trx: Transaction<Tables>,
  organizationId: string,
  volume: VolumeRow,
): Promise<void> {
  await forgetThreads(trx, organizationId, [faultsKey(volume.id)])
}

/** That its quota, or its disk, is nearly used up. */
export async function tellFilling(
  context: AppContext,
  trx: Transaction<Tables>,
  found: Found,
  volume: VolumeRow,
  { occupiedBytes, space }: { occupiedBytes: number; space: Space | undefined },
): Promise<void> {
  const key = fillingKey(volume.id)
  const text = quotaInWords(volume, occupiedBytes) ?? (space && isNearlyFull(space) && spaceInWords(space))
  if (!text) return await forgetThreads(trx, found.organizationId, [key])
  await announce(context, trx, {
    ...occasionOf(found, volume),
    event: 'volume.nearly-full',
    title: `The volume “${volume.name}” is nearly full`,
    text,
    thread: { key, is: 'going-on' },
  })
}

/** Undefined while there is room. */
function quotaInWords({ quota, quotaAction }: VolumeRow, occupiedBytes: number): string | undefined {
  if (quota === null || occupiedBytes < quota * NEARLY) return undefined
  const used = `${formatBytes(occupiedBytes)} of its quota of ${formatBytes(quota)} are in use.`
  return quotaAction === 'warn' ? used : `${used} Beyond it, the volume takes no backup.`
}

/** That what retention, or somebody, has given up could not be deleted. */
export async function tellNotDeleted(
  context: AppContext,
  trx: Transaction<Tables>,
  found: Found,
  error: JobError,
): Promise<void> {
  const volume = await findVolume(trx, found.organizationId, found.volumeId)
  if (!volume) return
  await announce(context, trx, {
    ...occasionOf(found, volume, error),
    event: 'retention.failed',
    title: `What is to go from the volume “${volume.name}” could not be deleted`,
    thread: { key: undeletedKey(volume.id), is: 'going-on' },
  })
}

/** That nothing is left to be deleted. */
export async function noteDeleted(
  trx: Transaction<Tables>,
  organizationId: string,
  volume: VolumeRow,
): Promise<void> {
  await forgetThreads(trx, organizationId, [undeletedKey(volume.id)])
}

/** Since when, in milliseconds, something goes on with a volume, as far as was found out last. */
export interface GoingOn {
  unreachable: { since: number; lastAt: number } | undefined
  filling: number | undefined
  missing: number | undefined
  undeleted: number | undefined
}

/** What people have heard, or would have if they wanted to, of each of the volumes. */
export async function goingOnWith(
  { store }: AppContext,
  organizationId: string,
  volumeIds: readonly string[],
): Promise<Map<string, GoingOn>> {
  const keysOf = (id: string) => ({
    unreachable: [unreachableKey(id, 'files'), unreachableKey(id, 'contents')],
    filling: fillingKey(id),
    missing: faultsKey(id),
    undeleted: undeletedKey(id),
  })
  const keys = volumeIds.flatMap((id) => Object.values(keysOf(id)).flat())
  const found = await threadsAmong(store.db, organizationId, keys)
  const threads = new Map(found.map((thread) => [thread.key, thread]))
  const of = (id: string): GoingOn => {
    const { unreachable, filling, missing, undeleted } = keysOf(id)
    const unreached = unreachable.flatMap((key) => threads.get(key) ?? [])
    return {
      unreachable:
        unreached.length === 0
          ? undefined
          : {
              since: Math.min(...unreached.map(({ firstAt }) => firstAt)),
              lastAt: Math.max(...unreached.map(({ lastAt }) => lastAt)),
            },
      filling: threads.get(filling)?.firstAt,
      missing: threads.get(missing)?.firstAt,
      undeleted: threads.get(undeleted)?.firstAt,
    }
  }
  return new Map(volumeIds.map((id) => [id, of(id)]))
}

function occasionOf(
  { organizationId, jobId }: Found,
  { id, name }: VolumeRow,
  error?: JobError,
): Omit<Occasion, 'event' | 'title'> {
  return {
    organizationId,
    path: `/jobs/${jobId}`,
    text: error ? [error.message, error.hint].filter(Boolean).join(' ') : '',
    facts: [{ label: 'Volume', value: name }, ...(error ? [{ label: 'Error', value: error.code }] : [])],
    data: { jobId, volume: { id, name }, ...(error && { error }) },
  }
}

function unreachableKey(id: string, kind: CheckKind): string {
  return `volume:${id}:${kind}`
}

function fillingKey(id: string): string {
  return `filling:${id}`
}

function faultsKey(id: string): string {
  return `copies:${id}`
}

function undeletedKey(id: string): string {
  return `retention:${id}`
}
