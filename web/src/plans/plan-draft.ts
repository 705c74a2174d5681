import type { NewPlan, Plan } from '../../../src/shared/plans.ts'
import { PLAN_DEFAULTS } from '../../../src/shared/plans.ts'
import { DEFAULT_FILE_NAME, DEFAULT_PATH } from '../../../src/shared/keys.ts'
import { DEFAULT_RETENTION } from '../../../src/shared/retention.ts'
import type { Settings } from '../../../src/shared/settings.ts'

/** A plan as a form has it: all that it says, chosen or not yet. */
export type PlanDraft = Required<
  Pick<NewPlan, 'compression' | 'tries' | 'backoffSeconds' | 'timeoutMinutes' | 'stallMinutes' | 'name'>
> & { [Name in Optional]: NonNullable<NewPlan[Name]> | null } & Omit<
    NewPlan,
    Optional | 'compression' | 'tries' | 'backoffSeconds' | 'timeoutMinutes' | 'stallMinutes' | 'name'
  >

/** What may be left empty. */
type Optional = 'overdueMinutes' | 'windowMinutes' | 'bandwidth' | 'label'

/** A new one, as the settings of the organization have it. */
export function newDraft(serverId: string, volumeId: string | undefined, settings: Settings): PlanDraft {
  const { compression, tries, backoffSeconds, timeoutMinutes, stallMinutes } = {
    ...PLAN_DEFAULTS,
    ...settings,
  }
  return {
    serverId,
    name: '',
    isEnabled: true,
    databases: { mode: 'all' },
    excludedDatabases: [],
    dumpOptions: {},
    schedules: [],
    volumes: volumeId === undefined ? [] : [{ id: volumeId }],
    path: DEFAULT_PATH,
    fileName: DEFAULT_FILE_NAME,
    compression,
    encryption: { method: 'none' },
    retention: DEFAULT_RETENTION,
    tries,
    backoffSeconds,
    timeoutMinutes,
    stallMinutes,
    jitterMinutes: 0,
    overdueMinutes: settings.overdueMinutes ?? null,
    windowMinutes: null,
    bandwidth: null,
    label: null,
  }
}

export function draftOf(plan: Plan): PlanDraft {
  const { id: _, createdAt: __, updatedAt: ___, ...rest } = plan
  const { overdueMinutes = null, windowMinutes = null, bandwidth = null, label = null } = plan
  return { ...rest, overdueMinutes, windowMinutes, bandwidth, label }
}

/** Without a name the app makes one of the server’s and the schedule’s. */
export function newPlanOf({ name, ...draft }: PlanDraft) {
  return { ...draft, ...(name.trim() !== '' && { name }) }
}

/** What retention would do with it, as the API is asked. */
export function trialOf({
  retention,
  volumes,
  schedules,
}: Pick<PlanDraft, 'retention' | 'volumes' | 'schedules'>) {
  return {
    retention,
    schedules,
    volumes: volumes.flatMap(({ id, retention }) => (retention ? [{ id, retention }] : [])),
  }
}

/** A plan stays with its server. */
export function changesOf(draft: PlanDraft) {
  const { serverId: _, ...changes } = draft
  return changes
}
