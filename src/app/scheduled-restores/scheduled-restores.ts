import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { AppError } from '../../shared/errors.ts'
import {
  type NewScheduledRestore,
  type ScheduledRestoreChanges,
  type ScheduledRestoreSettings,
  scheduledRestoreSettings,
} from '../../shared/scheduled-restores.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { checkScheduledRestore } from './check.ts'
import { start, type Started } from './start.ts'
import {
  deleteScheduledRestore,
  findOfSchedule,
  findScheduledRestore,
  insertScheduledRestore,
  note,
  referencesExist,
  type ScheduledRestoreRow,
  updateScheduledRestore,
  type Values,
} from './store.ts'

export type { ScheduledRestoreRow } from './store.ts'
export type { Started } from './start.ts'

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
    isConfirmed: confirmation === order.targetDatabase,
  })
  const values = await checkScheduledRestore(context, organizationId, {
    name,
    sourceServerId,
    sourceDatabase,
    targetServerId,
    scheduleId,
    settings,
    isEnabled: Number(isEnabled),
  })
  return await savingName(store, 'scheduled restore', name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdReferences(trx, organizationId, values)
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
  const values = await checkScheduledRestore(context, organizationId, merge(found, changes))
  return await savingName(store, 'scheduled restore', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdReferences(trx, organizationId, values)
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

/** Those of a schedule, also the disabled ones: they are skipped, and say so. */
export async function scheduledRestoresOf(
  _store: Store,
  trx: Transaction<Tables>,
  scheduleId: string,
): Promise<ScheduledRestoreRow[]> {
  return await findOfSchedule(trx, scheduleId)
}

/** Orders the restore of the newest snapshot, or notes why there is nothing to restore. Reaches no server. */
export async function startScheduledRestore(
  context: AppContext,
  trx: Transaction<Tables>,
  row: ScheduledRestoreRow,
  trigger: string,
): Promise<Started> {
  return await start(context, trx, row, { byHand: trigger === 'manual' })
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
    .execute((trx) => startScheduledRestore(context, trx, row, 'manual'))
  if ('id' in started) return { jobId: started.id }
  throw new AppError('restore_skipped', `Nothing was restored. ${started.skipped}`, {
    hint: 'Back the source up, or wait for its next backup.',
  })
}

/** Notes, in the transaction that says that the restore has succeeded, what was restored. */
export async function noteRestored(
  _store: Store,
  trx: Transaction<Tables>,
  id: string,
  snapshotId: string,
): Promise<void> {
  await note(trx, id, { lastSnapshotId: snapshotId })
}

/** What was before, and what is given instead of it. A confirmation is good for the target that it was given for. */
function merge(found: ScheduledRestoreRow, changes: ScheduledRestoreChanges): Values {
  const present = Object.entries(changes).filter(([, value]) => value !== undefined)
  const settings: ScheduledRestoreSettings = { ...found.settings, ...Object.fromEntries(present) }
  const targetServerId = changes.targetServerId ?? found.targetServerId
  const isSameTarget =
    targetServerId === found.targetServerId && settings.targetDatabase === found.settings.targetDatabase
  const isConfirmed =
    changes.confirmation === settings.targetDatabase || (isSameTarget && found.settings.isConfirmed)
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

/** What was found to be there before the transaction must still be there, and stay until its end. */
async function holdReferences(
  trx: Transaction<Tables>,
  organizationId: string,
  values: Values,
): Promise<void> {
  await holdOrganization(trx, organizationId)
  if (await referencesExist(trx, organizationId, values)) return
  throw changedMeanwhile('What the scheduled restore refers to')
}

function noScheduledRestore(): AppError {
  return new AppError('not_found', 'There is no such scheduled restore.')
}
