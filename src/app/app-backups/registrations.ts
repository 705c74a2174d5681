import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type {
  AppBackup,
  AppBackupCause,
  AppBackupRegistration,
  AppBackupRegistrationChanges,
  AppBackupSchedule,
  AppBackupTrial,
  NewAppBackupRegistration,
  NewAppBackupSchedule,
} from '../../shared/app-backups.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import { describeSchedule } from '../../shared/schedule-words.ts'
import type { TestStep } from '../../shared/test-report.ts'
import type { Tables } from '../../store/tables.ts'
import { openWriteOnly, type VolumeKind, volumes } from '../../volumes/index.ts'
import type { VolumeDriver, WriteOnlyVolume } from '../../volumes/volume.ts'
import { asWriteOnly, testWriteOnly } from '../../volumes/write-only.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { holdReferences } from '../hold.ts'
import { jobOf, type JobRow } from '../jobs/jobs.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { maskSettings, sealSettings, type Settings } from '../secrets.ts'
import { openVolumeOf, schemaOf, volumeOf } from '../volumes/volumes.ts'
import { keptAt } from './make.ts'
import { enqueueAppBackup } from './order.ts'
import { hasMigration, nextBackup, schedulesOf } from './schedules.ts'
import {
  allRegistrations,
  backupsOf,
  deleteRegistration,
  findAnyRegistration,
  insertRegistration,
  type ListedBackup,
  type RegistrationRow,
  updateRegistration,
} from './store.ts'
import {
  absolute,
  describeTarget,
  openTarget,
  refuseOwnPlaces,
  registrationSettings,
  sealedFor,
} from './targets.ts'

export { allRegistrations, type RegistrationRow } from './store.ts'

const PLACE = { name: 'settings', owner: 'this kind of volume' }
const WHAT = 'app backup registration'

/** Throws `not_found`. */
export async function registrationOf({ store }: AppContext, id: string): Promise<RegistrationRow> {
  const row = await findAnyRegistration(store.db, id)
  return row?.deletedAt === null ? row : throwNow(noRegistration())
}

/**
 * Adds a registration. One to a folder is tried out before. Throws `invalid_input` with every field that is wrong, also for
 * a folder where the environment says which there are, and `name_taken`.
 */
export async function addRegistration(
  context: AppContext,
  organizationId: string,
  { name, kind, settings, volumeId, schedules, isEnabled }: NewAppBackupRegistration,
): Promise<RegistrationRow> {
  const { store } = context
  const id = uuidv7()
  const where = await chosen(context, organizationId, { kind, settings, volumeId })
  await acceptTarget(context, where.volume)
  const values = {
    name,
    ...sealed(context, id, where),
    schedules: JSON.stringify(withTimeZone(context, schedules)),
    isEnabled: Number(isEnabled),
    isManaged: 0,
  }
  return await savingName(store, WHAT, name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdVolume(trx, organizationId, where.volumeId)
      return (
        (await insertRegistration(store, trx, id, values)) ?? throwNow(changedMeanwhile('The registration'))
      )
    }),
  )
}

/**
 * Changes what is given; its `revision` must be the one given, if one is. Throws `not_found`, `changed_meanwhile`, and what
 * adding throws.
 */
export async function changeRegistration(
  context: AppContext,
  organizationId: string,
  id: string,
  { name, kind, settings, volumeId, schedules, isEnabled }: AppBackupRegistrationChanges,
  revision: number | undefined,
): Promise<RegistrationRow> {
  const { store } = context
  const found = await registrationOf(context, id)
  if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The registration')
  await refuseManaged(context, found)
  const isElsewhere = kind !== undefined || settings !== undefined || volumeId !== undefined
  const where = isElsewhere
    ? await chosen(context, organizationId, { kind, settings, volumeId }, found)
    : undefined
  if (where) await acceptTarget(context, where.volume)
  const values = {
    ...found,
    ...(name !== undefined && { name }),
    ...(where && sealed(context, id, where)),
    ...(schedules && { schedules: JSON.stringify(withTimeZone(context, schedules)) }),
    ...(isEnabled !== undefined && { isEnabled: Number(isEnabled) }),
  }
  const isRescheduled = schedules !== undefined || (isEnabled === true && found.isEnabled === 0)
  const { isManaged } = found
  return await savingName(store, WHAT, name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdVolume(trx, organizationId, where?.volumeId)
      const changed = await updateRegistration(store, trx, found, valuesOf({ ...values, isManaged }), {
        isRescheduled,
      })
      return changed ?? throwNow(changedMeanwhile('The registration'))
    }),
  )
}

/** What it has made stays where it is, and known. Throws `not_found`, and `invalid_input` for one of the environment. */
export async function removeRegistration(context: AppContext, id: string): Promise<void> {
  const { store } = context
  const found = await registrationOf(context, id)
  if (found.isManaged === 1) throw isManaged(found)
  await store.db.transaction().execute((trx) => deleteRegistration(store, trx, id))
}

/** Writes and removes a small object. */
export async function testRegistration(
  context: AppContext,
  registration: RegistrationRow,
  signal: AbortSignal,
): Promise<TestStep[]> {
  await using target = await openTarget(context, registration)
  return await testWriteOnly(target.volume, context.workDirectory, signal)
}

/** The same with settings that nobody has saved. */
export async function testTrial(
  context: AppContext,
  organizationId: string,
  { registrationId, ...trial }: AppBackupTrial,
  signal: AbortSignal,
): Promise<TestStep[]> {
  const stored = registrationId === undefined ? undefined : await registrationOf(context, registrationId)
  await using chosenTarget = await chosen(context, organizationId, trial, stored)
  if (context.managed && chosenTarget.volume.folder !== undefined) throw foldersAreManaged()
  await refuseOwnPlaces(chosenTarget.volume, context)
  return await testWriteOnly(chosenTarget.volume, context.workDirectory, signal)
}

/** Orders a backup now, whatever its schedules say. */
export async function runRegistration(context: AppContext, id: string): Promise<JobRow> {
  const { isEnabled } = await registrationOf(context, id)
  const ordered = await context.store.db
    .transaction()
    .execute((trx) => enqueueAppBackup(context, trx, id, 'manual', isEnabled === 0))
  const { jobId, organizationId } = ordered ?? throwNow(noRegistration())
  return await jobOf(context, organizationId, jobId)
}

/** Registrations as the API shows them. */
export async function presentRegistrations(
  context: AppContext,
  rows: readonly RegistrationRow[],
): Promise<AppBackupRegistration[]> {
  const { store } = context
  const now = new Date(await nowOf(store))
  const backups = await backupsOf(
    store.db,
    rows.map(({ id }) => id),
  )
  return await Promise.all(
    rows.map(async (row) => {
      const own = backups.filter(({ registrationId }) => registrationId === row.id)
      const target = await describeTarget(context, row)
      const isFolder = target?.isFolder ?? false
      const keeps = await keptAt(context, isFolder)
      const schedules = schedulesOf(row)
      const next = row.isEnabled === 1 ? nextBackup(schedules, now) : undefined
      const [last] = own
      const kind = target?.kind ?? row.kind ?? ''
      const elsewhere = own.filter(({ state, place }) => state === 'succeeded' && place !== target?.place)
      return {
        id: row.id,
        name: row.name,
        kind,
        kindLabel: Object.hasOwn(volumes, kind) ? volumes[kind as VolumeKind].label : kind,
        settings: row.volumeId === null ? maskedSettings(context, row) : null,
        volumeId: row.volumeId,
        volumeName: target?.volumeName ?? null,
        location: target?.location ?? null,
        isFolder,
        keeps,
        schedules,
        descriptions: schedules.map((rule) => describeSchedule(rule)),
        isEnabled: row.isEnabled === 1,
        isManaged: row.isManaged === 1,
        nextRun: next?.toISOString() ?? null,
        lastBackup: last ? presentBackup({ ...last, registrationName: row.name }) : null,
        backups: own.filter(({ state }) => state === 'succeeded').length,
        warnings: [
          ...(keeps === 0 ? [limitWarning(isFolder)] : []),
          ...(elsewhere.length === 0 ? [] : [elsewhereWarning(elsewhere.map(({ location }) => location))]),
          ...own.flatMap(({ state, error }) =>
            state === 'succeeded' && error !== null
              ? [(JSON.parse(error) as { message: string }).message]
              : [],
          ),
        ],
        createdAt: new Date(row.createdAt).toISOString(),
        updatedAt: new Date(row.updatedAt).toISOString(),
      }
    }),
  )
}

export function presentBackup(row: ListedBackup): AppBackup {
  const { id, registrationId, registrationName, key, location, cause, schemaVersion, state, bytes, sha256 } =
    row
  return {
    id,
    registrationId,
    registrationName,
    key,
    location,
    cause: cause as AppBackupCause,
    schemaVersion,
    state,
    bytes,
    sha256,
    error: row.error === null ? null : (JSON.parse(row.error) as AppBackup['error']),
    startedAt: new Date(row.startedAt).toISOString(),
    finishedAt: row.finishedAt === null ? null : new Date(row.finishedAt).toISOString(),
  }
}

/** What is to be recommended of all registrations together; null if nothing is. */
export async function recommendation({ store }: AppContext): Promise<string | null> {
  const registrations = await allRegistrations(store.db)
  if (registrations.some(hasMigration)) return null
  return 'No registration that is switched on makes a backup before migrations. Keep at least one that does: it is the way back if a new release goes wrong.'
}

interface Chosen extends AsyncDisposable {
  kind: VolumeKind | undefined
  /** As they are to be stored, secrets in the clear. */
  settings: Settings | undefined
  volumeId: string | undefined
  volume: WriteOnlyVolume
}

/** What a request means, opened. `stored`: whose secrets the masks stand for. */
async function chosen(
  context: AppContext,
  organizationId: string,
  given: Pick<AppBackupTrial, 'kind' | 'settings' | 'volumeId'>,
  stored?: RegistrationRow,
): Promise<Chosen> {
  if (given.volumeId !== undefined) {
    if (given.kind !== undefined || given.settings !== undefined) throw bothGiven()
    const row = await volumeOf(context, organizationId, given.volumeId).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'not_found'
        ? wrongField('volumeId', error.message)
        : error
    })
    const volume = asWriteOnly(openVolumeOf(context, row))
    return {
      kind: undefined,
      settings: undefined,
      volumeId: given.volumeId,
      volume,
      [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
    }
  }
  const kind = given.kind ?? stored?.kind ?? throwNow(wrongField('kind', 'is missing, and so is volumeId'))
  const schema = schemaOf(kind)
  const driver = volumes[kind as VolumeKind] as VolumeDriver
  const submitted = given.settings ?? {}
  const whole = absolute(context, kind as VolumeKind, submitted)
  const former =
    stored?.kind === kind
      ? absolute(context, kind as VolumeKind, registrationSettings(context, stored).settings)
      : undefined
  const parsed = former ? changeSettings(schema, former, whole, PLACE) : parseSettings(schema, whole, PLACE)
  // What is relative to the data directory stays so, and moves with it.
  const relative = Object.entries(submitted).filter(
    ([name, value]) => driver.relativeTo !== undefined && value !== whole[name],
  )
  const volume = openWriteOnly(kind as VolumeKind, parsed)
  return {
    kind: kind as VolumeKind,
    settings: { ...parsed, ...Object.fromEntries(relative) },
    volumeId: undefined,
    volume,
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  }
}

/** Whether it may be one; a folder is tried out. It is closed then. */
async function acceptTarget(context: AppContext, volume: WriteOnlyVolume): Promise<void> {
  try {
    if (volume.folder === undefined) return
    if (context.managed) throw foldersAreManaged()
    await refuseOwnPlaces(volume, context)
    const steps = await testWriteOnly(volume, context.workDirectory, AbortSignal.timeout(60_000))
    const failed = steps.find(({ outcome }) => outcome === 'failed')
    if (failed) throw wrongField('settings', `cannot be used: ${failed.detail}`)
  } finally {
    await volume[Symbol.asyncDispose]()
  }
}

function sealed(context: AppContext, id: string, { kind, settings, volumeId }: Chosen) {
  if (kind === undefined || settings === undefined)
    return { kind: null, settings: null, volumeId: volumeId ?? null }
  const stored = sealSettings(schemaOf(kind), settings, context.sealer, sealedFor(id))
  return { kind, settings: JSON.stringify(stored), volumeId: null }
}

function maskedSettings(context: AppContext, row: RegistrationRow): Settings {
  const { kind, settings } = registrationSettings(context, row)
  return maskSettings(schemaOf(kind), settings)
}

async function holdVolume(
  trx: Transaction<Tables>,
  organizationId: string,
  volumeId: string | undefined,
): Promise<void> {
  if (volumeId !== undefined)
    await holdReferences(trx, organizationId, `the ${WHAT}`, { volumes: [volumeId] })
}

function valuesOf(row: RegistrationRow) {
  const { name, kind, settings, volumeId, schedules, isEnabled, isManaged } = row
  return { name, kind, settings, volumeId, schedules, isEnabled, isManaged }
}

function withTimeZone(
  { timeZone }: AppContext,
  schedules: readonly NewAppBackupSchedule[],
): AppBackupSchedule[] {
  return schedules.map((schedule) => ({ ...schedule, timeZone: schedule.timeZone ?? timeZone }))
}

/** Folders are the environment’s affair where that says so, also those that were there before. */
async function refuseManaged(context: AppContext, row: RegistrationRow): Promise<void> {
  if (row.isManaged === 1) throw isManaged(row)
  if (!context.managed) return
  const target = await describeTarget(context, row)
  if (target?.isFolder) throw foldersAreManaged()
}

function isManaged({ name }: RegistrationRow): AppError {
  return new AppError('invalid_input', `The environment says what the registration “${name}” is.`, {
    hint: 'HOLDFAST_MANAGED is set: change HOLDFAST_APP_BACKUP_DIR or HOLDFAST_APP_BACKUP_SCHEDULE, and start the app again.',
  })
}

function foldersAreManaged(): AppError {
  return new AppError('invalid_input', 'The environment says to which folder app backups go.', {
    hint: 'HOLDFAST_MANAGED is set: change HOLDFAST_APP_BACKUP_DIR, or choose a storage that is no folder.',
    fields: [{ field: 'settings', message: 'must not be a folder, because HOLDFAST_MANAGED is set' }],
  })
}

function bothGiven(): AppError {
  return wrongField('volumeId', 'cannot be given together with kind and settings')
}

function wrongField(field: string, message: string): AppError {
  return new AppError('invalid_input', `${field}: ${message}`, { fields: [{ field, message }] })
}

function limitWarning(isFolder: boolean): string {
  const setting = isFolder ? 'localAppBackups' : 'remoteAppBackups'
  return `Old app backups are never removed here, because ${setting} is 0. 1 or more is recommended.`
}

function elsewhereWarning(locations: readonly string[]): string {
  const count = locations.length === 1 ? '1 backup lies' : `${locations.length} backups lie`
  return `${count} where this registration put them before (${[...new Set(locations)].join(', ')}), and will not be removed by itself.`
}

function noRegistration(): AppError {
  return new AppError('not_found', 'There is no such app backup registration.')
}
