import { z } from 'zod'
import { type AppBackupSchedule, appBackupSchedule } from '../../shared/app-backups.ts'
import { dueRun, nextRuns } from '../schedules/occurrences.ts'
import { unreadable } from '../unreadable.ts'
import type { RegistrationRow } from './store.ts'

/** Throws `unsupported` if this release cannot read them. */
export function schedulesOf({
  name,
  schedules,
}: Pick<RegistrationRow, 'name' | 'schedules'>): AppBackupSchedule[] {
  const parsed = z.array(appBackupSchedule).safeParse(JSON.parse(schedules))
  if (parsed.success) return parsed.data
  throw unreadable('app backup registration', name, parsed.error)
}

export function hasMigration(
  registration: Pick<RegistrationRow, 'name' | 'schedules' | 'isEnabled'>,
): boolean {
  return registration.isEnabled === 1 && schedulesOf(registration).some(({ type }) => type === 'migration')
}

/** The newest run of all its schedules that is due, see `dueRun`, and which schedule’s it is. */
export function dueBackup(
  schedules: readonly AppBackupSchedule[],
  since: Date,
  now: Date,
): { at: Date; type: AppBackupSchedule['type'] } | undefined {
  const due = schedules.flatMap((schedule) => {
    const at = dueRun(schedule, since, now)
    return at ? [{ at, type: schedule.type }] : []
  })
  return due.sort((a, b) => b.at.getTime() - a.at.getTime())[0]
}

/** Undefined if none comes by itself. */
export function nextBackup(schedules: readonly AppBackupSchedule[], now: Date): Date | undefined {
  const next = schedules.flatMap((schedule) => nextRuns(schedule, now, 1))
  return next.sort((a, b) => a.getTime() - b.getTime())[0]
}
