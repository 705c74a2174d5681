import type { AppBackupSchedule } from '../../shared/app-backups.ts'
import { folderVolume } from '../../volumes/index.ts'
import type { AppContext } from '../context.ts'
import { enqueueAppBackup } from './order.ts'
import {
  allRegistrations,
  findAnyRegistration,
  insertRegistration,
  type RegistrationValues,
  updateRegistration,
  wereRegistrations,
} from './store.ts'

/** The folder in the data directory that a new installation backs itself up to. */
export const FIRST_FOLDER = 'app-backups'
/** That of the first registration, on whatever node. */
const FIRST = '00000000-0000-7000-8000-000000000001'
/** That of the one that the environment tells. */
const MANAGED = '00000000-0000-7000-8000-000000000002'

/**
 * Makes the registration of a new installation, and orders its first backup; where the environment says what there is to
 * be, makes it so. One that somebody has deleted does not come back by itself.
 */
export async function firstRegistration(context: AppContext): Promise<void> {
  const { store, timeZone, managed } = context
  if (managed) return await keepManaged(context)
  const former = await findAnyRegistration(store.db, MANAGED)
  if (former?.isManaged === 1) {
    // The environment says no more: now it is like any other.
    await updateRegistration(store, store.db, former, { ...former, isManaged: 0 }, { isRescheduled: false })
  }
  if (await wereRegistrations(store.db)) return
  const schedules: AppBackupSchedule[] = [
    { type: 'migration', timeZone },
    { type: 'daily', times: ['03:00'], timeZone },
  ]
  await begin(context, FIRST, {
    name: 'This machine',
    ...folderValues(FIRST_FOLDER),
    schedules: JSON.stringify(schedules),
    isManaged: 0,
  })
}

/** Makes the registration of the environment be as that says. Also before a migration. */
export async function keepManaged(context: AppContext): Promise<void> {
  const { store, managed } = context
  if (!managed) return
  const former = await findAnyRegistration(store.db, MANAGED)
  const others = await allRegistrations(store.db)
  const taken = new Set(others.filter(({ id }) => id !== MANAGED).map(({ name }) => name))
  const values = {
    name: taken.has('Managed folder') ? `Managed folder (${MANAGED})` : 'Managed folder',
    ...folderValues(managed.folder),
    schedules: JSON.stringify(managed.schedules),
    isManaged: 1,
  }
  if (!former) return await begin(context, MANAGED, values)
  const isSame =
    former.deletedAt === null &&
    (Object.keys(values) as (keyof typeof values)[]).every((name) => isEqual(former[name], values[name]))
  if (isSame && former.isEnabled === 1) return
  const isRescheduled = !isEqual(former.schedules, values.schedules) || former.isEnabled === 0
  await updateRegistration(store, store.db, former, { ...values, isEnabled: 1 }, { isRescheduled })
}

/** Whatever nodes begin at once: one makes it. */
async function begin(
  context: AppContext,
  id: string,
  values: Omit<RegistrationValues, 'isEnabled'>,
): Promise<void> {
  const { store } = context
  await store.db.transaction().execute(async (trx) => {
    const made = await insertRegistration(store, trx, id, { ...values, isEnabled: 1 })
    if (made) await enqueueAppBackup(context, trx, made.id, 'first')
  })
}

function folderValues(folder: string): Pick<RegistrationValues, 'kind' | 'settings' | 'volumeId'> {
  const { kind, settings } = folderVolume(folder)
  return { kind, settings: JSON.stringify(settings), volumeId: null }
}

/** JSON may have been written by the other kind of store. */
function isEqual(one: unknown, other: unknown): boolean {
  return one === other || normal(one) === normal(other)
}

function normal(value: unknown): string {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return String(value)
  return JSON.stringify(sorted(JSON.parse(value)))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, child]) => [name, sorted(child)]))
}
