import type { DatabaseChoice } from '../../../src/shared/plans.ts'
import { DEFAULT_RETENTION, type RetentionPolicy } from '../../../src/shared/retention.ts'
import type { NamedSchedule, NewSchedule } from '../../../src/shared/schedules.ts'
import type { Volume } from '../../../src/shared/volumes.ts'
import { suggestedVolume } from '../volumes/suggested-volume.ts'

/** What is asked of the first plan of a new server: the rest is as the organization has it. */
export interface FirstPlan {
  databases: DatabaseChoice
  excludedDatabases: string[]
  volumes: string[]
  /** `schedule`: one that is there; `daily`: a new one. */
  when: 'schedule' | 'daily' | 'hand'
  scheduleId: string | null
  /** Of the new schedule. */
  time: string
  retention: RetentionPolicy
}

interface Known {
  volumes: readonly Volume[]
  schedules: readonly NamedSchedule[]
  mayAddSchedules: boolean
}

/** What most people want: all databases, each night, on the first volume, the newest seven. */
export function usualPlan({ volumes, schedules, mayAddSchedules }: Known): FirstPlan {
  const volume = suggestedVolume(volumes)
  const daily = schedules.find(({ rule }) => rule.type === 'daily')
  const other = daily ? 'schedule' : mayAddSchedules ? 'daily' : 'hand'
  return {
    databases: { mode: 'all' },
    excludedDatabases: [],
    volumes: volume ? [volume.id] : [],
    when: other,
    scheduleId: daily?.id ?? null,
    time: '03:00',
    retention: DEFAULT_RETENTION,
  }
}

/** Each day at that time, under a name that no other schedule has. */
export function dailySchedule(time: string, schedules: readonly NamedSchedule[]): NewSchedule {
  const names = new Set(schedules.map(({ name }) => name))
  const name = `Daily at ${time}`
  const free = [name, ...Array.from({ length: names.size + 1 }, (_, index) => `${name} (${index + 2})`)]
  return {
    name: free.find((one) => !names.has(one)) ?? name,
    rule: { type: 'daily', times: [time] },
    catchUpHours: 24,
  }
}
