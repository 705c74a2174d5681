import { type Kysely, type Selectable, type SqlBool, sql, type Transaction } from 'kysely'
import { planSettings, type PlanSettings, type PlanVolume } from '../../shared/plans.ts'
import { type AppError, asAppError } from '../../shared/errors.ts'
import { retentionPolicy } from '../../shared/retention.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'
import { unreadable } from '../unreadable.ts'

export interface PlanRow extends Omit<Selectable<Tables['plans']>, 'settings'> {
  settings: PlanSettings
  /** Ids. */
  schedules: string[]
  /** In their order. */
  volumes: PlanVolume[]
}

export interface PlanFilter {
  serverId?: string | undefined
  scheduleId?: string | undefined
  volumeId?: string | undefined
  /** A part of its name. */
  search?: string | undefined
}

const columns = [
  'plans.id',
  'plans.organizationId',
  'plans.serverId',
  'plans.name',
  'plans.isEnabled',
  'plans.settings',
  'plans.revision',
  'plans.createdAt',
  'plans.updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listPlans(
  { db }: Store,
  organizationId: string,
  { serverId, scheduleId, volumeId, search }: PlanFilter,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<PlanRow[]> {
  let query = db.selectFrom('plans').select(columns).where('organizationId', '=', organizationId)
  if (serverId !== undefined) query = query.where('serverId', '=', serverId)
  if (scheduleId !== undefined) {
    query = query.where('id', 'in', (eb) =>
      eb.selectFrom('planSchedules').select('planId').where('scheduleId', '=', scheduleId),
    )
  }
  if (volumeId !== undefined) {
    query = query.where('id', 'in', (eb) =>
      eb.selectFrom('planVolumes').select('planId').where('volumeId', '=', volumeId),
    )
  }
  if (search !== undefined) query = query.where(contains(search))
  if (after) query = query.where(isBehind('name', after))
  const rows = await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
  return await withReferences(db, rows)
}

/** Throws `unsupported` if it cannot be read. */
export async function findPlan(
  db: Kysely<Tables>,
  organizationId: string,
  id: string,
): Promise<PlanRow | undefined> {
  const rows = await db
    .selectFrom('plans')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .execute()
  const [plan] = await withReferences(db, rows)
  return plan
}

/**
 * The enabled plans of a schedule, by id, and why others of them cannot be read; three queries, however many they are.
 */
export async function plansOfSchedule(
  db: Kysely<Tables>,
  scheduleId: string,
): Promise<{ plans: PlanRow[]; broken: AppError[] }> {
  const rows = await db
    .selectFrom('planSchedules as mine')
    .innerJoin('plans', 'plans.id', 'mine.planId')
    .select(columns)
    .where('mine.scheduleId', '=', scheduleId)
    .where('plans.isEnabled', '=', 1)
    .orderBy('plans.id')
    .execute()
  const schedules = await db
    .selectFrom('planSchedules as mine')
    .innerJoin('planSchedules as all', 'all.planId', 'mine.planId')
    .select(['all.planId', 'all.scheduleId'])
    .where('mine.scheduleId', '=', scheduleId)
    .orderBy('all.scheduleId')
    .execute()
  const volumes = await db
    .selectFrom('planSchedules as mine')
    .innerJoin('planVolumes as all', 'all.planId', 'mine.planId')
    .select(['all.planId', 'all.volumeId', 'all.retention'])
    .where('mine.scheduleId', '=', scheduleId)
    .orderBy('all.position')
    .execute()
  const assembled = assembler(schedules, volumes)
  const broken: AppError[] = []
  const plans = rows.flatMap((row) => {
    try {
      return [assembled(row)]
    } catch (error) {
      broken.push(asAppError(error))
      return []
    }
  })
  return { plans, broken }
}

/** Which databases the enabled plans of a server are about. Throws `unsupported` if one of them cannot be read. */
export async function choicesOf(db: Kysely<Tables>, serverId: string): Promise<PlanSettings[]> {
  const rows = await db
    .selectFrom('plans')
    .select(columns)
    .where('serverId', '=', serverId)
    .where('isEnabled', '=', 1)
    .execute()
  return rows.map(assembler([], [])).map(({ settings }) => settings)
}

/** Of the plans of a server. */
export async function planNames(db: Kysely<Tables>, serverId: string): Promise<string[]> {
  const rows = await db.selectFrom('plans').select('name').where('serverId', '=', serverId).execute()
  return rows.map(({ name }) => name)
}

interface Values {
  name: string
  isEnabled: number
  settings: PlanSettings
}

interface References {
  schedules: readonly string[]
  volumes: readonly PlanVolume[]
}

export async function insertPlan(
  store: Store,
  trx: Transaction<Tables>,
  {
    schedules,
    volumes,
    settings,
    ...plan
  }: Values & References & Pick<PlanRow, 'id' | 'organizationId' | 'serverId'>,
): Promise<void> {
  await trx
    .insertInto('plans')
    .values({
      ...plan,
      settings: JSON.stringify(settings),
      revision: 1,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .execute()
  await insertReferences(trx, plan.id, { schedules, volumes })
}

/** What is not there stays as it is. False if the plan has another revision by now, or is gone. */
export async function updatePlan(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<PlanRow, 'id' | 'revision'>,
  { schedules, volumes, settings, ...values }: Partial<Values & References>,
): Promise<boolean> {
  const updated = await trx
    .updateTable('plans')
    .set({
      ...values,
      ...(settings && { settings: JSON.stringify(settings) }),
      revision: revision + 1,
      updatedAt: store.now,
    })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning('id')
    .executeTakeFirst()
  if (!updated) return false
  if (schedules) await trx.deleteFrom('planSchedules').where('planId', '=', id).execute()
  if (volumes) await trx.deleteFrom('planVolumes').where('planId', '=', id).execute()
  await insertReferences(trx, id, { schedules: schedules ?? [], volumes: volumes ?? [] })
  return true
}

export async function deletePlan(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<void> {
  await trx.deleteFrom('plans').where('organizationId', '=', organizationId).where('id', '=', id).execute()
}

/** The backups of a plan, and its runs, that are not over. */
export async function unfinishedJobs(
  db: Kysely<Tables>,
  planId: string,
): Promise<{ id: string; state: string; database: string | null }[]> {
  return await db
    .selectFrom('jobs')
    .select(['id', 'state', 'database'])
    .where('planId', '=', planId)
    .where('kind', 'in', ['run-plan', 'backup'])
    .where('state', 'in', ['queued', 'running'])
    .execute()
}

async function insertReferences(
  trx: Transaction<Tables>,
  planId: string,
  { schedules, volumes }: References,
): Promise<void> {
  if (schedules.length > 0) {
    const rows = schedules.map((scheduleId) => ({ planId, scheduleId }))
    await trx.insertInto('planSchedules').values(rows).execute()
  }
  if (volumes.length > 0) {
    const rows = volumes.map(({ id, retention }, position) => ({
      planId,
      volumeId: id,
      position,
      retention: retention && JSON.stringify(retention),
    }))
    await trx.insertInto('planVolumes').values(rows).execute()
  }
}

type BareRow = Selectable<Tables['plans']>

/** Of a page of plans. */
async function withReferences(db: Kysely<Tables>, rows: readonly BareRow[]): Promise<PlanRow[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const schedules = await db
    .selectFrom('planSchedules')
    .select(['planId', 'scheduleId'])
    .where('planId', 'in', ids)
    .orderBy('scheduleId')
    .execute()
  const volumes = await db
    .selectFrom('planVolumes')
    .select(['planId', 'volumeId', 'retention'])
    .where('planId', 'in', ids)
    .orderBy('position')
    .execute()
  return rows.map(assembler(schedules, volumes))
}

/** Makes plans of rows; that throws `unsupported` for one that cannot be read. */
function assembler(
  schedules: readonly { planId: string; scheduleId: string }[],
  volumes: readonly { planId: string; volumeId: string; retention: string | null }[],
): (row: BareRow) => PlanRow {
  const schedulesOf = Map.groupBy(schedules, ({ planId }) => planId)
  const volumesOf = Map.groupBy(volumes, ({ planId }) => planId)
  const parsed = (row: BareRow): PlanRow => ({
    ...row,
    settings: planSettings.parse(JSON.parse(row.settings)),
    schedules: (schedulesOf.get(row.id) ?? []).map(({ scheduleId }) => scheduleId),
    volumes: (volumesOf.get(row.id) ?? []).map(({ volumeId, retention }) => ({
      id: volumeId,
      ...(retention !== null && { retention: retentionPolicy.parse(JSON.parse(retention)) }),
    })),
  })
  return (row) => {
    try {
      return parsed(row)
    } catch (error) {
      throw unreadable('plan', row.name, error)
    }
  }
}

/** SQLite knows upper and lower case of ASCII alone, so what is as it was given is found, too. */
function contains(search: string) {
  const like = (text: string) => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  return sql<SqlBool>`(lower(plans.name) like ${like(search.toLowerCase())} escape '\\'
    or plans.name like ${like(search)} escape '\\')`
}
