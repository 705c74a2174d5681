import { v7 as uuidv7 } from 'uuid'
import { AppError } from '../../shared/errors.ts'
import {
  describeSkip,
  type NewScheduledRestore,
  type ScheduledRestoreChanges,
  type ScheduledRestoreSettings,
  scheduledRestoreSettings,
} from '../../shared/scheduled-restores.ts'
import type { AppContext } from '../context.ts'
import { holdReferences, type References } from '../hold.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { checkScheduledRestore } from './check.ts'
import { startScheduledRestore } from './start.ts'
import {
  deleteScheduledRestore,
  findScheduledRestore,
  insertScheduledRestore,
  type ScheduledRestoreRow,
  updateScheduledRestore,
  type Values,
} from './store.ts'

export {
  noteRestored,
  type ScheduledRestoreRow,
  scheduledRestoresNaming,
  scheduledRestoresOf,
} from './store.ts'
export { type Started, startScheduledRestore } from './start.ts'

const WHO = 'the scheduled restore'

/** Adds a scheduled restore. Throws what checking it throws, and `name_taken`. */
export async function addScheduledRestore(
  context: AppContext,
  organizationId: string,
  order: NewScheduledRestore,
): Promise<ScheduledRestoreRow> {
  const { store } = context
  const { name, sourceServerId, sourceDatabase, targetServerId, scheduleId = null, isEnabled } = order
  const { tables, options, planId = null, runAfter = null, confirmation, ...rest } = order
  const settings = scheduledRestoreSettings.parse({
    ...rest,
    planId,
    runAfter,
    options: tables === undefined ? options : { ...options, tables },
  })
  const given = { name, sourceServerId, sourceDatabase, targetServerId, scheduleId, settings }
  const values = await checkScheduledRestore(
    context,
    organizationId,
    { ...given, isEnabled: Number(isEnabled) },
    confirmation,
  )
  return await savingName(store, 'scheduled restore', name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdReferences(trx, organizationId, WHO, referencesOf(values))
      return await insertScheduledRestore(store, trx, organizationId, { id: uuidv7(), ...values })
    }),
  )
}

/** Changes what is given. Throws `not_found`, `changed_meanwhile`, and what adding throws. */
export async function changeScheduledRestore(
  context: AppContext,
  organizationId: string,
  id: string,
  changes: ScheduledRestoreChanges,
  revision: number | undefined,
): Promise<ScheduledRestoreRow> {
  const { store } = context
  const found = await scheduledRestoreOf(context, organizationId, id)
  if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The scheduled restore')
  const merged = merge(found, changes)
  const rests = onlyRests(changes)
  const values = rests
    ? merged
    : await checkScheduledRestore(context, organizationId, merged, changes.confirmation)
  return await savingName(store, 'scheduled restore', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      if (!rests) await holdReferences(trx, organizationId, WHO, referencesOf(values))
      const forgets = !isSameRestore(found, values)
      const updated = await updateScheduledRestore(store, trx, found, values, { forgets })
      if (!updated) throw changedMeanwhile('The scheduled restore')
      return updated
    }),
  )
}

/** Throws `not_found`. */
export async function removeScheduledRestore(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<void> {
  if (!(await deleteScheduledRestore(store, organizationId, id))) throw noScheduledRestore()
}

/** Throws `not_found`. */
export async function scheduledRestoreOf(
  { store }: AppContext,
  organizationId: string,
  id: string,
): Promise<ScheduledRestoreRow> {
  const row = await findScheduledRestore(store.db, organizationId, id)
  if (!row) throw noScheduledRestore()
  return row
}

/**
 * The same by hand: also if it is disabled, and if the snapshot was restored before. Throws `not_found`,
 * `target_protected` and `confirmation_needed`, and `restore_skipped` with the reason.
 */
export async function runNow(
  context: AppContext,
  organizationId: string,
  id: string,
): Promise<{ jobId: string }> {
  const { store } = context
  const row = await scheduledRestoreOf(context, organizationId, id)
  await checkScheduledRestore(context, organizationId, row)
  const started = await store.db
    .transaction()
    .execute((trx) => startScheduledRestore(context, trx, id, { byHand: true }))
  if ('id' in started) return { jobId: started.id }
  throw new AppError('restore_skipped', `Nothing was restored. ${describeSkip(started.skipped, 'UTC')}`, {
    hint: 'Back the source up, or wait for its next backup.',
  })
}

/** Whether no more is changed than that it rests from now on, or its name: that is right whatever else is wrong. */
function onlyRests(changes: ScheduledRestoreChanges): boolean {
  const harmless = new Map<string, unknown>([
    ['name', changes.name],
    ['isEnabled', false],
    ['scheduleId', null],
  ])
  return Object.entries(changes).every(
    ([field, value]) => value === undefined || harmless.get(field) === value,
  )
}

/** What was before, and what is given instead of it. A confirmation is good for the target that it was given for. */
function merge(found: ScheduledRestoreRow, changes: ScheduledRestoreChanges): Values {
  const present = Object.entries(changes).filter(([, value]) => value !== undefined)
  const settings: ScheduledRestoreSettings = { ...found.settings, ...Object.fromEntries(present) }
  const targetServerId = changes.targetServerId ?? found.targetServerId
  const isSameTarget =
    targetServerId === found.targetServerId && settings.targetDatabase === found.settings.targetDatabase
  const isConfirmed = isSameTarget && found.settings.isConfirmed
  return {
    name: changes.name ?? found.name,
    sourceServerId: changes.sourceServerId ?? found.sourceServerId,
    sourceDatabase: changes.sourceDatabase ?? found.sourceDatabase,
    targetServerId,
    scheduleId: changes.scheduleId === undefined ? found.scheduleId : changes.scheduleId,
    isEnabled: changes.isEnabled === undefined ? found.isEnabled : Number(changes.isEnabled),
    settings: scheduledRestoreSettings.parse({ ...settings, isConfirmed }),
  }
}

/** Whether what was restored before is what would be restored now, but for the snapshot. */
function isSameRestore(before: Values, after: Values): boolean {
  const essence = ({ sourceServerId, sourceDatabase, targetServerId, settings }: Values) => {
    const { targetDatabase, planId, mode, options, runAfter }: ScheduledRestoreSettings = settings
    return JSON.stringify([
      [sourceServerId, sourceDatabase, targetServerId, targetDatabase],
      [planId, mode, options, runAfter],
    ])
  }
  return essence(before) === essence(after)
}

function referencesOf({ sourceServerId, targetServerId, scheduleId, settings }: Values): References {
  return {
    servers: [sourceServerId, targetServerId],
    schedules: scheduleId === null ? [] : [scheduleId],
    plans: settings.planId === null ? [] : [settings.planId],
  }
}

function noScheduledRestore(): AppError {
  return new AppError('not_found', 'There is no such scheduled restore.')
}
