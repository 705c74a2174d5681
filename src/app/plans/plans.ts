import { v7 as uuidv7 } from 'uuid'
import { INSTANCE_KEY } from '../../runner/encryption.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import {
  type DatabaseMatches,
  type NewPlan,
  type PlanChanges,
  planSettings,
  type PlanSettings,
} from '../../shared/plans.ts'
import type { AppContext } from '../context.ts'
import { holdReferences, type References } from '../hold.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { databasesOf } from '../servers/servers.ts'
import { settingsOf } from '../settings/settings.ts'
import { checkPlan } from './check.ts'
import { type Choice, judgeDatabases, missingDatabases } from './matching.ts'
import { findPlan, insertPlan, planNames, type PlanRow, updatePlan } from './store.ts'

export { matchingDatabases, namedDatabases, plannedDatabases } from './matching.ts'
export { choicesOf, findPlan, type PlanRow, plansOfSchedule } from './store.ts'

const NAME_LENGTH = 100

/**
 * Adds a plan; what it does not say is as the organization's settings have it. Throws `invalid_input` with every field
 * that is wrong, and `name_taken`.
 */
export async function addPlan(
  context: AppContext,
  organizationId: string,
  { serverId, name, isEnabled, schedules, volumes, ...given }: NewPlan,
): Promise<PlanRow> {
  const { store } = context
  const checked = await checkPlan(context, organizationId, { ...given, serverId, schedules, volumes })
  const settings = settle(await defaultsOf(context, organizationId), given, checked.dumpOptions)
  const id = uuidv7()
  const plan = { id, organizationId, serverId, isEnabled: Number(isEnabled), settings, schedules, volumes }
  const saveAs = (name: string) =>
    savingName(store, 'plan', name, () =>
      store.db.transaction().execute(async (trx) => {
        await holdReferences(
          trx,
          organizationId,
          'the plan',
          referencesOf({ ...given, serverId, schedules, volumes }),
        )
        await insertPlan(store, trx, { ...plan, name })
        return (await findPlan(trx, organizationId, id)) ?? throwNow(noPlan())
      }),
    )
  if (name !== undefined) return await saveAs(name)
  const base = `${checked.server.name} ${checked.schedules[0]?.name ?? 'by hand'}`
  for (;;) {
    try {
      return await saveAs(freeName(base, await planNames(store.db, serverId)))
    } catch (error) {
      // Another plan has got the name in between.
      if (!(error instanceof AppError) || error.code !== 'name_taken') throw error
    }
  }
}

/** Changes what is given. Throws `not_found`, `changed_meanwhile`, and what adding throws. */
export async function changePlan(
  context: AppContext,
  organizationId: string,
  id: string,
  changes: PlanChanges,
  revision: number | undefined,
): Promise<PlanRow> {
  const { store } = context
  const { name, isEnabled, schedules, volumes, ...given } = changes
  const { serverId } = await planOf(context, organizationId, id)
  const { dumpOptions } = await checkPlan(context, organizationId, { ...changes, serverId })
  return await savingName(store, 'plan', name, () =>
    store.db.transaction().execute(async (trx) => {
      const found = (await findPlan(trx, organizationId, id)) ?? throwNow(noPlan())
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The plan')
      await holdReferences(trx, organizationId, 'the plan', referencesOf({ ...changes, serverId }))
      const isUpdated = await updatePlan(store, trx, found, {
        settings: settle(found.settings, given, dumpOptions),
        ...(name !== undefined && { name }),
        ...(isEnabled !== undefined && { isEnabled: Number(isEnabled) }),
        ...(schedules && { schedules }),
        ...(volumes && { volumes }),
      })
      if (!isUpdated) throw changedMeanwhile('The plan')
      return (await findPlan(trx, organizationId, id)) ?? throwNow(noPlan())
    }),
  )
}

/** Throws `not_found`. */
export async function planOf({ store }: AppContext, organizationId: string, id: string): Promise<PlanRow> {
  return (await findPlan(store.db, organizationId, id)) ?? throwNow(noPlan())
}

/** What a choice means for the databases that its server lists now. Throws `invalid_input` if there is no such server. */
export async function previewDatabases(
  context: AppContext,
  organizationId: string,
  { serverId, ...choice }: Choice & { serverId: string },
  signal: AbortSignal,
): Promise<DatabaseMatches> {
  const { server } = await checkPlan(context, organizationId, { serverId })
  const names = await databasesOf(context, server, signal)
  return { items: judgeDatabases(choice, names), missing: missingDatabases(choice, names) }
}

/** What a new plan takes from the organization's settings. */
async function defaultsOf(context: AppContext, organizationId: string): Promise<Partial<PlanSettings>> {
  const { compression, tries, backoffSeconds, timeoutMinutes, stallMinutes, overdueMinutes } =
    await settingsOf(context, organizationId)
  return { compression, tries, backoffSeconds, timeoutMinutes, stallMinutes, overdueMinutes }
}

/** What was before, and what is given instead of it; null takes away. */
function settle(
  before: Partial<PlanSettings>,
  given: object,
  dumpOptions: Record<string, unknown> | undefined,
): PlanSettings {
  const changed = Object.entries({ ...given, ...(dumpOptions && { dumpOptions }) })
  const merged = { ...before, ...Object.fromEntries(changed.filter(([, value]) => value !== undefined)) }
  const present = Object.entries(merged).filter(([, value]) => value !== null && value !== undefined)
  return planSettings.parse(Object.fromEntries(present))
}

function referencesOf({
  serverId,
  schedules = [],
  volumes = [],
  encryption,
}: PlanChanges & { serverId: string }): References {
  const keyId = encryption && encryption.method !== 'none' ? encryption.keyId : INSTANCE_KEY
  return {
    servers: [serverId],
    schedules,
    volumes: volumes.map(({ id }) => id),
    encryptionKeys: keyId === INSTANCE_KEY ? [] : [keyId],
  }
}

/** The name, or the first of it with a number that none of the others has. */
function freeName(base: string, taken: readonly string[]): string {
  const others = new Set(taken)
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : ` ${number}`
    const name = cut(base, NAME_LENGTH - suffix.length) + suffix
    if (!others.has(name)) return name
  }
}

/** Never through the middle of a character. */
function cut(text: string, length: number): string {
  return text
    .slice(0, length)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd()
}

export function noPlan(): AppError {
  return new AppError('not_found', 'There is no such plan.')
}
