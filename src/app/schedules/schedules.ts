import { isDeepStrictEqual } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { AppError, throwNow } from '../../shared/errors.ts'
import { describeSchedule } from '../../shared/schedule-words.ts'
import {
  MOST_DAYS,
  MOST_RUNS,
  type NewRule,
  type NewSchedule,
  type RuleTrial,
  type Schedule,
  type ScheduleChanges,
  type ScheduleMeaning,
} from '../../shared/schedules.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { settingsOf } from '../settings/settings.ts'
import { usersInWords } from '../users.ts'
import { meaningOf } from './meaning.ts'
import { checkSchedule, nextRuns, runsBetween, runsByDay } from './occurrences.ts'
import {
  deleteSchedule,
  findSchedule,
  insertSchedule,
  type ScheduleRow,
  updateSchedule,
  usersOf,
} from './store.ts'

export { type DueSchedule, dueSchedules, noteFired, ruleOf, type ScheduleRow } from './store.ts'

const RUNS_SHOWN = 5
const DAY = 86_400_000

/** Adds a schedule, whose first run is the next one that comes. Throws `invalid_input` and `name_taken`. */
export async function addSchedule(
  context: AppContext,
  organizationId: string,
  { name, catchUpHours, ...given }: NewSchedule,
): Promise<ScheduleRow> {
  const { store } = context
  const id = uuidv7()
  const rule = await completeRule(context, organizationId, given.rule)
  return await savingName(store, 'schedule', name, () =>
    store.db.transaction().execute(async (trx) => {
      const begun = beginning(rule, await nowOf(store, trx))
      await insertSchedule(store, trx, organizationId, { id, name, rule, catchUpHours, ...begun })
      return (await findSchedule(trx, organizationId, id)) ?? throwNow(noSchedule())
    }),
  )
}

/**
 * Changes what is given. A new rule counts from now on: nothing that it would have run before is caught up. Throws
 * `not_found`, `changed_meanwhile`, and what adding throws.
 */
export async function changeSchedule(
  context: AppContext,
  organizationId: string,
  id: string,
  { name, catchUpHours, ...given }: ScheduleChanges,
  revision: number | undefined,
): Promise<ScheduleRow> {
  const { store } = context
  const rule = given.rule && (await completeRule(context, organizationId, given.rule))
  return await savingName(store, 'schedule', name, () =>
    store.db.transaction().execute(async (trx) => {
      const found = (await findSchedule(trx, organizationId, id)) ?? throwNow(noSchedule())
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The schedule')
      const isNewRule = rule !== undefined && !isDeepStrictEqual(rule, found.rule)
      const changes = {
        ...(name !== undefined && { name }),
        ...(catchUpHours !== undefined && { catchUpHours }),
        ...(isNewRule && { rule, ...beginning(rule, await nowOf(store, trx)) }),
      }
      if (!(await updateSchedule(store, trx, found, changes))) throw changedMeanwhile('The schedule')
      return (await findSchedule(trx, organizationId, id)) ?? throwNow(noSchedule())
    }),
  )
}

/** Throws `not_found`, and `in_use` with the names of those that use it. */
export async function removeSchedule(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = (await findSchedule(trx, organizationId, id)) ?? throwNow(noSchedule())
    const { plans, scheduledRestores } = await usersOf(trx, id)
    const users = usersInWords([
      { what: 'plan', names: plans },
      { what: 'scheduled restore', names: scheduledRestores },
    ])
    if (users !== undefined) {
      throw new AppError('in_use', `The schedule “${found.name}” is used by ${users}.`, {
        hint: 'Give them another schedule first.',
      })
    }
    await deleteSchedule(trx, organizationId, id)
  })
}

/** Throws `not_found`. */
export async function scheduleOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<ScheduleRow> {
  return (await findSchedule(store.db, organizationId, id)) ?? throwNow(noSchedule())
}

/** What a rule means. Throws `invalid_input`. */
export async function previewRule(
  context: AppContext,
  organizationId: string,
  { rule, from, until, daysIn }: RuleTrial,
) {
  const complete = await completeRule(context, organizationId, rule)
  const now = await nowOf(context.store)
  const after = new Date(Math.max(now, from === undefined ? now : Date.parse(from) - 1))
  const explained = explain(complete, after.getTime())
  if (until === undefined) return explained
  const end = new Date(until)
  if (daysIn === undefined) {
    const runs = runsBetween(complete, after, end, MOST_RUNS)
    return { ...explained, nextRuns: runs.map((run) => run.toISOString()) }
  }
  if (end.getTime() - after.getTime() > MOST_DAYS * DAY) {
    const message = `The runs of ${MOST_DAYS} days at most are counted at once.`
    throw new AppError('invalid_input', message, { fields: [{ field: 'until', message }] })
  }
  return { ...explained, days: runsByDay(complete, after, end, daysIn) }
}

/** What the rule means, in words and as data, and when it runs next. */
export function explain(
  rule: Schedule,
  now: number,
): { description: string; meaning: ScheduleMeaning; nextRuns: string[] } {
  const meaning = meaningOf(rule)
  return {
    description: describeSchedule(meaning),
    meaning,
    nextRuns: nextRuns(rule, new Date(now), RUNS_SHOWN).map((run) => run.toISOString()),
  }
}

/** The rule with its time zone. Throws `invalid_input` if it could not run. */
async function completeRule(context: AppContext, organizationId: string, rule: NewRule): Promise<Schedule> {
  const timeZone = rule.timeZone ?? (await settingsOf(context, organizationId)).displayTimeZone
  const complete: Schedule = { ...rule, timeZone }
  try {
    checkSchedule(complete)
    return complete
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error
    const { message, hint } = error
    const field = complete.type === 'cron' ? 'rule.expression' : 'rule'
    throw new AppError('invalid_input', message, { hint, fields: [{ field, message }], cause: error })
  }
}

function beginning(rule: Schedule, now: number): { since: number; nextAt: number | null } {
  return { since: now, nextAt: nextRuns(rule, new Date(now), 1)[0]?.getTime() ?? null }
}

function noSchedule(): AppError {
  return new AppError('not_found', 'There is no such schedule.')
}
