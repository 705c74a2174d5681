import type { Schedule } from '../../shared/schedules.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { overdueAfterOf } from '../overview/overdue.ts'
import { schedulesOf } from './schedules.ts'
import { allRegistrations, backupsOf, type BackupRow, type RegistrationRow } from './store.ts'

/** That a registration has not made the backup that it should have. */
export interface AppBackupTrouble {
  registration: RegistrationRow
  is: 'failed' | 'overdue'
  /** In milliseconds. */
  since: number
  /** The one that failed. */
  backup: BackupRow | undefined
}

/** Of the registrations that are switched on. */
export async function appBackupTroubles({ store }: AppContext): Promise<AppBackupTrouble[]> {
  const registrations = (await allRegistrations(store.db)).filter(({ isEnabled }) => isEnabled === 1)
  const ids = registrations.map(({ id }) => id)
  const ofEach = Map.groupBy(await backupsOf(store.db, ids), ({ registrationId }) => registrationId)
  const now = await nowOf(store)
  return registrations.flatMap((registration) => {
    const over = (ofEach.get(registration.id) ?? []).filter(({ state }) => state !== 'running')
    const [last] = over
    if (last?.state === 'failed') {
      return { registration, is: 'failed', since: last.finishedAt ?? last.startedAt, backup: last }
    }
    // Of what was missed before it was switched on, or had these schedules, nobody waits.
    const from = Math.max(last?.startedAt ?? 0, registration.scheduledSince)
    const patience = overdueAfterOf(undefined, rulesOf(registration))(from)
    if (patience === undefined || now <= from + patience) return []
    return { registration, is: 'overdue', since: from + patience, backup: undefined }
  })
}

/** Those that cannot be read stand for each day: nothing may go out of sight for it. */
function rulesOf(registration: RegistrationRow): Schedule[] {
  try {
    return schedulesOf(registration)
  } catch {
    return [{ type: 'daily', times: ['00:00'], timeZone: 'UTC' }]
  }
}
