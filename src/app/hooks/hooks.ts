import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { hookKindNamed, hookKinds } from '../../runner/hooks/index.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { HookChanges, HookFailure, HookMoment, NewHook } from '../../shared/hooks.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { holdReferences } from '../hold.ts'
import { savingName } from '../names.ts'
import { planOf } from '../plans/plans.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openSettings, sealSettings, type Settings } from '../secrets.ts'
import { deleteHook, findHook, type HookRow, insertHook, updateHook } from './store.ts'

const PLACE = { name: 'settings', owner: 'this kind of hook' }

/** Adds a hook. Throws `invalid_input` with the wrong fields, and `name_taken`. */
export async function addHook(
  { store, sealer, ...context }: AppContext,
  organizationId: string,
  { settings: submitted, isEnabled, ...hook }: NewHook,
): Promise<HookRow> {
  const { planId, kind } = hook
  const id = uuidv7()
  const schema = schemaOf(kind)
  checkMoment(hook)
  if (planId !== null) await checkPlan({ store, sealer, ...context }, organizationId, hook.around, planId)
  const settings = sealSettings(schema, parseSettings(schema, submitted, PLACE), sealer, contextOf(id))
  return await savingName(store, 'hook', hook.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdReferences(trx, organizationId, 'the hook', { plans: planId === null ? [] : [planId] })
      return await insertHook(store, trx, organizationId, {
        ...hook,
        id,
        settings: JSON.stringify(settings),
        isEnabled: Number(isEnabled),
      })
    }),
  )
}

/**
 * Changes what is given of a hook; its `revision` must be the one given, if one is. Throws `not_found`,
 * `changed_meanwhile`, and what adding throws.
 */
export async function changeHook(
  context: AppContext,
  organizationId: string,
  id: string,
  { settings: submitted, isEnabled, ...changes }: HookChanges,
  revision: number | undefined,
): Promise<HookRow> {
  const { store, sealer } = context
  return await savingName(store, 'hook', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      const found = (await findHook(trx, organizationId, id)) ?? throwNow(noHook())
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The hook')
      const { name, moment, onFailure, timeoutSeconds, position } = { ...found, ...changes }
      checkMoment({ moment, onFailure })
      const schema = schemaOf(found.kind)
      const stored = openedSettings(context, found)
      const settings = submitted === undefined ? stored : changeSettings(schema, stored, submitted, PLACE)
      const updated = await updateHook(store, trx, found, {
        name,
        moment,
        onFailure,
        timeoutSeconds,
        position,
        settings: JSON.stringify(sealSettings(schema, settings, sealer, contextOf(id))),
        isEnabled: Number(isEnabled ?? found.isEnabled === 1),
      })
      return updated ?? throwNow(changedMeanwhile('The hook'))
    }),
  )
}

/** Throws `not_found`. */
export async function hookOf({ store }: AppContext, organizationId: string, id: string): Promise<HookRow> {
  return (await findHook(store.db, organizationId, id)) ?? throwNow(noHook())
}

/** Throws `not_found`. */
export async function removeHook({ store }: AppContext, organizationId: string, id: string): Promise<void> {
  if (!(await deleteHook(store, organizationId, id))) throw noHook()
}

/** The settings of a hook with its secrets in the clear; its kind has still to parse them. */
export function openedSettings(
  { sealer }: Pick<AppContext, 'sealer'>,
  { id, kind, settings }: HookRow,
): Settings {
  return openSettings(hookKindNamed(kind).config, JSON.parse(settings) as Settings, sealer, contextOf(id))
}

/** Throws `invalid_input` for a kind that there is not. */
export function schemaOf(kind: string): z.ZodType {
  if (Object.hasOwn(hookKinds, kind)) return hookKindNamed(kind).config
  throw invalid('kind', `must be one of ${Object.keys(hookKinds).join(', ')}`)
}

/** The place that secrets are sealed for. */
function contextOf(id: string): string {
  return `hooks/${id}/settings`
}

/** What has begun cannot be left out. */
function checkMoment({ moment, onFailure }: { moment: HookMoment; onFailure: HookFailure }): void {
  if (onFailure === 'skip' && moment !== 'before') {
    throw invalid('onFailure', 'can be skip only where the hook runs before')
  }
}

async function checkPlan(
  context: AppContext,
  organizationId: string,
  around: NewHook['around'],
  planId: string,
): Promise<void> {
  if (around === 'restore') throw invalid('planId', 'must be null around restores, which belong to no plan')
  try {
    await planOf(context, organizationId, planId)
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') throw invalid('planId', 'is no plan')
    throw error
  }
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_input', `${field}: ${message}`, { fields: [{ field, message }] })
}

function noHook(): AppError {
  return new AppError('not_found', 'There is no such hook.')
}
