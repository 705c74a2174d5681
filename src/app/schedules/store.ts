import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { schedule, type Schedule } from '../../shared/schedules.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'
import { unreadable } from '../unreadable.ts'
import { CREDIBLE } from './occurrences.ts'

export interface ScheduleRow extends Omit<Selectable<Tables['schedules']>, 'organizationId' | 'rule'> {
  rule: Schedule
  /** How many use it. */
  plans: number
  scheduledRestores: number
}

/** A schedule whose time has come, or has passed. */
export interface DueSchedule {
  id: string
  organizationId: string
  name: string
  /** For `ruleOf`: what one of them says must not be in the way of the others. */
  rule: string
  since: number
  catchUpHours: number
  nextAt: number
}

const columns = [
  'id',
  'name',
  'rule',
  'catchUpHours',
  'nextAt',
  'since',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listSchedules(
  { db }: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<ScheduleRow[]> {
  let query = select(db, organizationId)
  if (after) query = query.where(isBehind('name', after))
  const rows = await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return rows.map(read)
}

export async function findSchedule(
  db: Kysely<Tables>,
  organizationId: string,
  id: string,
): Promise<ScheduleRow | undefined> {
  const row = await select(db, organizationId).where('id', '=', id).executeTakeFirst()
  return row && read(row)
}

interface Values {
  name: string
  rule: Schedule
  catchUpHours: number
  since: number
  nextAt: number | null
}

export async function insertSchedule(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  { id, rule, ...values }: Values & { id: string },
): Promise<void> {
  await trx
    .insertInto('schedules')
    .values({
      ...values,
      id,
      organizationId,
      rule: JSON.stringify(rule),
      revision: 1,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .execute()
}

/** False if it has another revision by now, or is gone. */
export async function updateSchedule(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<ScheduleRow, 'id' | 'revision'>,
  { rule, ...values }: Partial<Values>,
): Promise<boolean> {
  const updated = await trx
    .updateTable('schedules')
    .set({
      ...values,
      ...(rule && { rule: JSON.stringify(rule) }),
      revision: revision + 1,
      updatedAt: store.now,
    })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined
}

export async function deleteSchedule(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<void> {
  await trx
    .deleteFrom('schedules')
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .execute()
}

/** The names of what uses a schedule. */
export async function usersOf(
  db: Kysely<Tables>,
  scheduleId: string,
): Promise<{ plans: string[]; scheduledRestores: string[] }> {
  const plans = await db
    .selectFrom('planSchedules')
    .innerJoin('plans', 'plans.id', 'planSchedules.planId')
    .select('plans.name')
    .where('planSchedules.scheduleId', '=', scheduleId)
    .orderBy('plans.name')
    .orderBy('plans.id')
    .execute()
  const restores = await db
    .selectFrom('scheduledRestores')
    .select('name')
    .where('scheduleId', '=', scheduleId)
    .orderBy('name')
    .orderBy('id')
    .execute()
  return { plans: plans.map(({ name }) => name), scheduledRestores: restores.map(({ name }) => name) }
}

/**
 * Those of all organizations whose time has come, or whose clock was wrong when they were last looked at: what of it is
 * to run, `dueRun` knows.
 */
export async function dueSchedules({ db, now }: Store): Promise<DueSchedule[]> {
  return await db
    .selectFrom('schedules')
    .select(['id', 'organizationId', 'name', 'rule', 'since', 'catchUpHours'])
    .select((eb) => eb.ref('nextAt').$notNull().as('nextAt'))
    .where('nextAt', 'is not', null)
    .where((eb) =>
      eb.or([eb('nextAt', '<=', now), eb('since', '>', sql<number>`${now} + ${sql.lit(CREDIBLE)}`)]),
    )
    .orderBy('nextAt')
    .orderBy('id')
    .execute()
}

/** Throws `unsupported`. */
export function ruleOf({ name, rule }: Pick<DueSchedule, 'name' | 'rule'>): Schedule {
  try {
    return readRule(rule)
  } catch (error) {
    throw unreadable('schedule', name, error)
  }
}

/**
 * Notes the time that was fired, or until which nothing is to be fired any more, and when to look again. False, and
 * nothing is noted, if its rule was changed, or it was fired, since it was read. Whoever edits it is not disturbed.
 */
export async function noteFired(
  trx: Transaction<Tables>,
  { id, since, nextAt }: Pick<DueSchedule, 'id' | 'since' | 'nextAt'>,
  values: Pick<Values, 'since' | 'nextAt'>,
): Promise<boolean> {
  const updated = await trx
    .updateTable('schedules')
    .set(values)
    .where('id', '=', id)
    .where('since', '=', since)
    .where('nextAt', '=', nextAt)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined
}

function select(db: Kysely<Tables>, organizationId: string) {
  return db
    .selectFrom('schedules')
    .select(columns)
    .select((eb) => [
      eb
        .selectFrom('planSchedules')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .whereRef('planSchedules.scheduleId', '=', 'schedules.id')
        .$asScalar()
        .$notNull()
        .as('plans'),
      eb
        .selectFrom('scheduledRestores')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .whereRef('scheduledRestores.scheduleId', '=', 'schedules.id')
        .$asScalar()
        .$notNull()
        .as('scheduledRestores'),
    ])
    .where('organizationId', '=', organizationId)
}

function read<Row extends { rule: string }>({ rule, ...row }: Row): Omit<Row, 'rule'> & { rule: Schedule } {
  return { ...row, rule: readRule(rule) }
}

function readRule(rule: string): Schedule {
  return schedule.parse(JSON.parse(rule))
}
