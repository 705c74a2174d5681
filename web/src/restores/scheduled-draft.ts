import type { RestoreMode } from '../../../src/shared/restores.ts'
import type { NewScheduledRestore, ScheduledRestore } from '../../../src/shared/scheduled-restores.ts'
import { FIRST_RULE } from '../schedules/schedule-fields.tsx'
import type { NewRule } from '../../../src/shared/schedules.ts'
import type { Settings } from '../parts/schema-form.tsx'

/** In the place of a schedule's id: one that is made together with the scheduled restore. */
export const NEW_SCHEDULE = 'new'

/** What the form of a scheduled restore has been told so far. */
export interface ScheduledDraft {
  name: string
  sourceServerId: string | null
  sourceDatabase: string
  planId: string | null
  targetServerId: string | null
  targetDatabase: string
  /** Null: by hand only. */
  scheduleId: string | null
  newSchedule: { name: string; rule: NewRule }
  isEnabled: boolean
  mode: RestoreMode
  options: Settings
  endSessions: boolean
  safetySnapshot: boolean
  runAfter: string
  newestWithinHours: number | ''
  skipUnchanged: boolean
  confirmation: string
}

export const emptyScheduledDraft: ScheduledDraft = {
  name: '',
  sourceServerId: null,
  sourceDatabase: '',
  planId: null,
  targetServerId: null,
  targetDatabase: '',
  scheduleId: null,
  newSchedule: { name: '', rule: FIRST_RULE },
  isEnabled: true,
  mode: 'replace',
  options: {},
  endSessions: true,
  safetySnapshot: true,
  runAfter: '',
  newestWithinHours: 48,
  skipUnchanged: true,
  confirmation: '',
}

export function scheduledDraftOf(saved: ScheduledRestore): ScheduledDraft {
  const { name, sourceServerId, sourceDatabase, planId, targetServerId, targetDatabase, scheduleId } = saved
  const { isEnabled, mode, options, endSessions, safetySnapshot, newestWithinHours, skipUnchanged } = saved
  return {
    ...emptyScheduledDraft,
    name,
    sourceServerId,
    sourceDatabase,
    planId,
    targetServerId,
    targetDatabase,
    scheduleId,
    isEnabled,
    mode,
    options,
    endSessions,
    safetySnapshot,
    newestWithinHours,
    skipUnchanged,
    runAfter: saved.runAfter ?? '',
  }
}

/** Which tables is one of its options, as in a saved one. */
export type ScheduledOrder = Omit<NewScheduledRestore, 'tables'>

/** As the API wants it; undefined while something is missing. */
export function scheduledOrderOf(draft: ScheduledDraft): ScheduledOrder | undefined {
  const {
    sourceServerId,
    targetServerId,
    scheduleId,
    runAfter,
    confirmation,
    newSchedule: _,
    ...rest
  } = draft
  const { name, sourceDatabase, targetDatabase, newestWithinHours, mode, endSessions } = rest
  const texts = [name, sourceDatabase, targetDatabase]
  if (sourceServerId === null || targetServerId === null || newestWithinHours === '') return undefined
  if (texts.some((text) => text.trim() === '')) return undefined
  return {
    ...rest,
    name: name.trim(),
    newestWithinHours,
    sourceServerId,
    targetServerId,
    scheduleId: scheduleId === NEW_SCHEDULE ? null : scheduleId,
    endSessions: mode === 'replace' && endSessions,
    runAfter: mode === 'existing' || runAfter.trim() === '' ? null : runAfter,
    ...(confirmation !== '' && { confirmation }),
  }
}
