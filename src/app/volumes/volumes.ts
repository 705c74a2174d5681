import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import type { TestStep } from '../../shared/test-report.ts'
import { formatBytes } from '../../shared/units.ts'
import type {
  ForgottenVolume,
  NewVolume,
  VolumeChanges,
  VolumeLosses,
  VolumeTrial,
  VolumeUsage,
} from '../../shared/volumes.ts'
import { setCapacity } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { openVolume, openVolumeUrl, type VolumeKind, volumes } from '../../volumes/index.ts'
import { readOnly, withBandwidth } from '../../volumes/limits.ts'
import { testReading, testVolume } from '../../volumes/test-volume.ts'
import type { Volume } from '../../volumes/volume.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { holdOrganization } from '../hold.ts'
import { savingName } from '../names.ts'
import { listOrganizations } from '../organizations/organizations.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openSettings, sealSettings, type Settings } from '../secrets.ts'
import { throttleOf } from '../throttles.ts'
import { usersInWords } from '../users.ts'
import { findMovedCopies } from './moved.ts'
import {
  folderOfStored,
  placeOf,
  readyFolder,
  refuseOwnDirectory,
  refuseTakenPlace,
  storedPlaceOf,
} from './place.ts'
import {
  allVolumes,
  copiesByState,
  countOnlyOn,
  deleteVolume,
  findVolume,
  forgetCopies,
  insertVolume,
  jobsUsing,
  keptCopies,
  plansUsing,
  registrationsUsing,
  spanOf,
  storedCopies,
  updateVolume,
  type VolumeRow,
  volumesOfOthers,
} from './store.ts'

export { allVolumes, findAnyVolume, type VolumeRow } from './store.ts'

const PLACE = { name: 'settings', owner: 'this kind of volume' }
const READY_NAME = 'This machine'
const DEFAULTS = { quota: null, quotaAction: 'warn', bandwidth: null, maxRunning: 4, isReadOnly: 0 } as const

/** Throws `not_found`. */
export async function volumeOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<VolumeRow> {
  const row = await findVolume(store.db, organizationId, id)
  if (!row) throw noVolume()
  return row
}

/**
 * Opens the volume, within its bandwidth, which all that this process opens of it share. One that is read only throws
 * `volume_read_only` when it would be changed. Whoever opens it disposes of it.
 */
export function openVolumeOf(context: AppContext, row: VolumeRow): Volume {
  const volume = openVolume(row.kind as VolumeKind, settingsOf(context, row))
  const { id, bandwidth } = row
  const limited = bandwidth === null ? volume : withBandwidth(volume, throttleOf(context, id, bandwidth))
  return row.isReadOnly === 1 ? readOnly(limited, row.name) : limited
}

/** What the jobs of a volume share. */
export function volumeResource(id: string): string {
  return `volume:${id}`
}

/** The settings of a volume with its secrets in the clear, as they were stored: the schema may have changed since. */
export function settingsOf({ sealer }: Pick<AppContext, 'sealer'>, row: VolumeRow): Settings {
  return openSettings(schemaOf(row.kind), JSON.parse(row.settings) as Settings, sealer, contextOf(row.id))
}

/** Throws `invalid_input` if there is no such kind. */
export function schemaOf(kind: string): z.ZodType {
  if (Object.hasOwn(volumes, kind)) return volumes[kind as VolumeKind].config
  const message = `must be one of ${Object.keys(volumes).join(', ')}`
  throw new AppError('invalid_input', `kind: ${message}`, { fields: [{ field: 'kind', message }] })
}

/**
 * Adds a volume. Throws `invalid_input` with the wrong fields of its settings, `name_taken`, and `place_taken` if it is
 * the same place as another one.
 */
export async function addVolume(
  context: AppContext,
  organizationId: string,
  { kind, settings: given, ...rest }: NewVolume,
): Promise<VolumeRow> {
  const { store, dataDirectory } = context
  const settings = parseSettings(schemaOf(kind), given, PLACE)
  await using volume = openVolume(kind as VolumeKind, settings)
  await refuseOwnDirectory(volume, dataDirectory)
  const place = await placeOf(volume)
  return await savingName(store, 'volume', rest.name, () =>
    savingVolumes(context, organizationId, async (others) => {
      await refuseTakenPlace(place, others)
      return (trx) =>
        insert(context, trx, organizationId, { kind, settings, ...rest, isReadOnly: Number(rest.isReadOnly) })
    }),
  )
}

/**
 * Makes the volume “This machine”, a folder in the data directory, for an organization that has no volume yet. Does
 * nothing if it has one.
 */
export async function readyVolume(context: AppContext, organizationId: string): Promise<void> {
  const isTaken = (await foldersOfOthers(context, organizationId)).includes(
    readyFolder(context.dataDirectory),
  )
  // There may be snapshots of an organization that was deleted: what is made later does not find them.
  const [oldest] = await listOrganizations(context.store)
  const isOwn = isTaken || oldest?.id !== organizationId
  const folder = readyFolder(context.dataDirectory, isOwn ? organizationId : undefined)
  const { kind, config: settings, volume } = openVolumeUrl(folder, {})
  await volume[Symbol.asyncDispose]()
  await savingVolumes(context, organizationId, async (others) => async (trx) => {
    if (others.length > 0) return
    await insert(context, trx, organizationId, { kind, settings, name: READY_NAME, ...DEFAULTS })
  })
}

/** The folders of this machine that are volumes of other organizations. */
export async function foldersOfOthers({ store }: AppContext, organizationId: string): Promise<string[]> {
  const others = await volumesOfOthers(store.db, organizationId)
  return others.flatMap((row) => folderOfStored(row) ?? [])
}

/**
 * Changes what is given of a volume; its `revision` must be the one given, if one is. A volume that keeps copies does
 * not become another place (`copies_kept`), unless `filesWereMoved` says so and all of them are found there
 * (`copies_not_found`). Throws `not_found`, `changed_meanwhile`, `in_use`, and what adding throws.
 */
export async function changeVolume(
  context: AppContext,
  organizationId: string,
  id: string,
  { settings: submitted, filesWereMoved, ...changes }: VolumeChanges,
  revision: number | undefined,
  signal: AbortSignal,
): Promise<VolumeRow> {
  const { store } = context
  return await savingName(store, 'volume', changes.name, () =>
    savingVolumes(context, organizationId, async (all) => {
      const found = all.find((row) => row.id === id)
      if (!found) throw noVolume()
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The volume')
      const others = all.filter((row) => row !== found)
      const move = submitted && (await prepareMove(context, found, submitted, others, filesWereMoved, signal))
      return async (trx) => {
        if (move?.isElsewhere && !(await move.isStillRight(trx))) return 'again'
        const { name, maxRunning, quota, quotaAction, bandwidth } = { ...found, ...changes }
        const isReadOnly = changes.isReadOnly === undefined ? found.isReadOnly : Number(changes.isReadOnly)
        const settings = move ? JSON.stringify(seal(context, found, move.settings)) : found.settings
        await setCapacity(trx, volumeResource(id), maxRunning)
        const values = { name, settings, maxRunning, quota, quotaAction, bandwidth, isReadOnly }
        return await updateVolume(store, trx, id, values)
      }
    }),
  )
}

/**
 * Forgets a volume; no object on it is touched. Throws `not_found`, `in_use` while plans, app backups or jobs use it, and,
 * unless the copies are to be forgotten with it, `copies_kept`.
 */
export async function removeVolume(
  { store }: AppContext,
  organizationId: string,
  id: string,
  { forgetsCopies }: { forgetsCopies: boolean },
): Promise<ForgottenVolume> {
  return await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = await findVolume(trx, organizationId, id)
    if (!found) throw noVolume()
    const users = usersInWords([
      { what: 'plan', names: await plansUsing(trx, id) },
      { what: 'app backup registration', names: await registrationsUsing(trx, id) },
    ])
    if (users !== undefined) {
      throw new AppError('in_use', `Volume “${found.name}” is used by ${users}.`, {
        hint: 'Give them another volume first.',
      })
    }
    await refuseWhileJobsRun(trx, found)
    const { copies, bytes, newest } = await keptCopies(trx, id)
    if (copies > 0 && !forgetsCopies) {
      throw copiesKept(found, { copies, bytes, newest }, 'With ?copies=forget it is deleted all the same.')
    }
    const snapshots = await forgetCopies(trx, id)
    await deleteVolume(trx, id)
    return { copies, bytes, snapshots }
  })
}

/** What `removeVolume` would forget, and what keeps it from that. Throws `not_found`. */
export async function lossesOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<VolumeLosses> {
  return await store.db.transaction().execute(async (trx) => {
    if (!(await findVolume(trx, organizationId, id))) throw noVolume()
    const { copies, bytes, newest } = await keptCopies(trx, id)
    return {
      copies,
      bytes,
      newest: asTime(newest),
      snapshots: await countOnlyOn(trx, id),
      plans: await plansUsing(trx, id),
      appBackupRegistrations: await registrationsUsing(trx, id),
    }
  })
}

/** Tries out what backups need of a volume, or, if it is read only, what restores need. */
export async function testStoredVolume(
  context: AppContext,
  row: VolumeRow,
  signal: AbortSignal,
): Promise<TestStep[]> {
  await using volume = openVolume(row.kind as VolumeKind, settingsOf(context, row))
  return await (row.isReadOnly === 1 ? testReading(volume, signal) : testVolume(volume, signal))
}

/** The same with settings that nobody has saved. Throws `invalid_input`, and `not_found` for the volume they are of. */
export async function testSettings(
  context: AppContext,
  organizationId: string,
  { kind, settings: submitted, isReadOnly, volumeId }: VolumeTrial,
  signal: AbortSignal,
): Promise<TestStep[]> {
  const stored = volumeId === undefined ? undefined : await volumeOf(context, organizationId, volumeId)
  const schema = schemaOf(kind)
  const settings =
    stored?.kind === kind
      ? changeSettings(schema, settingsOf(context, stored), submitted, PLACE)
      : parseSettings(schema, submitted, PLACE)
  await using volume = openVolume(kind as VolumeKind, settings)
  await refuseOwnDirectory(volume, context.dataDirectory)
  return await (isReadOnly ? testReading(volume, signal) : testVolume(volume, signal))
}

/** What the volume holds, as the catalogue knows it. */
export async function usageOf({ store }: AppContext, row: VolumeRow): Promise<VolumeUsage> {
  const [states, { oldest, newest }] = await Promise.all([
    copiesByState(store, row.id),
    spanOf(store, row.id),
  ])
  const copies = { stored: 0, failed: 0, missing: 0, corrupt: 0, delete_pending: 0 }
  const bytes = { ...copies }
  for (const found of states) {
    copies[found.state] = found.copies
    bytes[found.state] = found.bytes
  }
  const occupiedBytes = bytes.stored + bytes.corrupt + bytes.delete_pending
  return {
    snapshots: copies.stored,
    copies,
    bytes: bytes.stored,
    occupiedBytes,
    quota: row.quota,
    quotaShare: row.quota === null ? null : occupiedBytes / row.quota,
    oldest: asTime(oldest),
    newest: asTime(newest),
  }
}

/** Says that the volume's quota is reached, whatever is to happen then; undefined as long as it is not. */
export async function quotaReached(context: AppContext, row: VolumeRow): Promise<AppError | undefined> {
  if (row.quota === null) return undefined
  const { occupiedBytes } = await usageOf(context, row)
  if (occupiedBytes < row.quota) return undefined
  return new AppError(
    'quota_reached',
    `Volume “${row.name}” holds ${formatBytes(occupiedBytes)}; its quota is ${formatBytes(row.quota)}.`,
    { hint: 'Raise the quota, or keep fewer snapshots there.' },
  )
}

interface Move {
  settings: Settings
  isElsewhere: boolean
  /** Whether all copies that there are by now were found at the new place. */
  isStillRight(trx: Transaction<Tables>): Promise<boolean>
}

/** Checks the new settings of a volume, and, if they are another place, that its copies are there. */
async function prepareMove(
  context: AppContext,
  found: VolumeRow,
  submitted: Settings,
  others: readonly VolumeRow[],
  filesWereMoved: boolean | undefined,
  signal: AbortSignal,
): Promise<Move> {
  const { store, dataDirectory } = context
  const settings = changeSettings(schemaOf(found.kind), settingsOf(context, found), submitted, PLACE)
  await using volume = openVolume(found.kind as VolumeKind, settings)
  const place = await placeOf(volume)
  if (place === (await storedPlaceOf(found))) {
    return { settings, isElsewhere: false, isStillRight: async () => true }
  }
  await refuseOwnDirectory(volume, dataDirectory)
  await refuseTakenPlace(place, others)
  const copies = filesWereMoved ? await storedCopies(store.db, found.id) : []
  await findMovedCopies(volume, copies, signal)
  const seen = new Set(copies.map(({ key }) => key))
  return {
    settings,
    isElsewhere: true,
    async isStillRight(trx) {
      const kept = await keptCopies(trx, found.id)
      if (kept.copies > 0 && !filesWereMoved) {
        throw copiesKept(found, kept, 'If you have moved all its files there, send filesWereMoved: true.')
      }
      await refuseWhileJobsRun(trx, found)
      return (await storedCopies(trx, found.id)).every(({ key }) => seen.has(key))
    },
  }
}

/**
 * Saves what was checked, outside of any transaction, against the volumes of the organization: `check` gets them, and
 * what it returns saves. Should one of them have changed in between, or saving say so, all is done again.
 */
async function savingVolumes<T>(
  { store }: AppContext,
  organizationId: string,
  check: (volumes: readonly VolumeRow[]) => Promise<(trx: Transaction<Tables>) => Promise<T | 'again'>>,
): Promise<T> {
  for (;;) {
    const volumes = await allVolumes(store.db, organizationId)
    const save = await check(volumes)
    const saved = await store.db.transaction().execute(async (trx) => {
      await holdOrganization(trx, organizationId)
      const present = await allVolumes(trx, organizationId)
      return versionsOf(present) === versionsOf(volumes) ? await save(trx) : 'again'
    })
    if (saved !== 'again') return saved
  }
}

function versionsOf(volumes: readonly VolumeRow[]): string {
  return volumes.map(({ id, revision }) => `${id} ${revision}`).join()
}

async function insert(
  context: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  { settings, ...rest }: Omit<Parameters<typeof insertVolume>[3], 'id' | 'settings'> & { settings: Settings },
): Promise<VolumeRow> {
  const id = uuidv7()
  await setCapacity(trx, volumeResource(id), rest.maxRunning)
  const sealed = JSON.stringify(seal(context, { id, kind: rest.kind }, settings))
  return await insertVolume(context.store, trx, organizationId, { id, settings: sealed, ...rest })
}

function seal(
  { sealer }: AppContext,
  { id, kind }: Pick<VolumeRow, 'id' | 'kind'>,
  settings: Settings,
): Settings {
  return sealSettings(schemaOf(kind), settings, sealer, contextOf(id))
}

/** The place that secrets are sealed for. */
function contextOf(id: string): string {
  return `volumes/${id}/settings`
}

async function refuseWhileJobsRun(trx: Transaction<Tables>, { id, name }: VolumeRow): Promise<void> {
  const jobs = await jobsUsing(trx, volumeResource(id))
  if (jobs === 0) return
  throw new AppError(
    'in_use',
    `${jobs === 1 ? 'A job is' : `${jobs} jobs are`} at work with volume “${name}”.`,
    {
      hint: 'Wait until they are over, or cancel them.',
    },
  )
}

function copiesKept(
  { name }: VolumeRow,
  { copies, bytes, newest }: { copies: number; bytes: number; newest: number | null },
  hint: string,
): AppError {
  const what = copies === 1 ? '1 copy' : `${copies} copies`
  return new AppError(
    'copies_kept',
    `Volume “${name}” keeps ${what} of snapshots, ${formatBytes(bytes)}, the newest of ${asTime(newest)}.`,
    { hint: `They would be lost sight of. ${hint}` },
  )
}

function asTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString()
}

function noVolume(): AppError {
  return new AppError('not_found', 'There is no such volume.')
}
