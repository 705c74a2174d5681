import { z } from 'zod'
import { wholeNumber } from './fields.ts'
import { PLAN_DEFAULTS, planDefaults } from './plans.ts'
import { time, timeZone, weekdays } from './schedules.ts'

/** What people change while the app runs. */
const fields = {
  ...planDefaults,
  cleanUpTime: time.meta({
    description: 'When what retention does not keep is pruned, in the display time zone',
  }),
  fileCheckTime: time.meta({ description: 'When copies are looked for on their volumes, likewise' }),
  contentCheckDays: wholeNumber(1, 3650).meta({
    description: 'Within so many days all bytes of every copy are read and compared, a share each day',
  }),
  historyDays: wholeNumber(1, 3650).meta({ description: 'How long jobs are remembered' }),
  failedHistoryDays: wholeNumber(1, 3650).meta({ description: 'How long failed jobs are remembered' }),
  safetyDays: wholeNumber(1, 3650).meta({
    description: 'How long the snapshot that is made before a restore is kept',
  }),
  noticeEvery: wholeNumber(0, 10_000).meta({
    description:
      'Of what goes wrong again and again, each so many times it is told again; 0: only the first time',
  }),
  sizeAnomalyPercent: wholeNumber(0, 10_000).meta({
    description: 'By how much a dump may shrink or grow before it is told as an anomaly; 0: never',
  }),
  digestWeekday: z.enum(weekdays).meta({ description: 'On which day the weekly digest is told' }),
  digestTime: time.meta({ description: 'And when, in the display time zone' }),
  displayTimeZone: timeZone.meta({ description: 'In which times are shown, and new schedules run' }),
  apiRateLimit: wholeNumber(0, 1_000_000).meta({
    description: 'Requests per minute and token, ten times as many for a browser; 0: no limit',
  }),
}

/** All of them but the time zone, which HOLDFAST_TIMEZONE says. */
export const DEFAULT_SETTINGS = {
  ...PLAN_DEFAULTS,
  cleanUpTime: '04:00',
  fileCheckTime: '05:00',
  contentCheckDays: 30,
  historyDays: 180,
  failedHistoryDays: 90,
  safetyDays: 7,
  noticeEvery: 10,
  sizeAnomalyPercent: 50,
  digestWeekday: 'monday',
  digestTime: '08:00',
  apiRateLimit: 300,
} as const satisfies Omit<Settings, 'displayTimeZone'>

export const settings = z
  .object({ ...fields, overdueMinutes: fields.overdueMinutes.optional() })
  .meta({ id: 'Settings' })
export type Settings = z.output<typeof settings>

/** What is not there stays as it is; null brings back the default. */
export const settingsChanges = z.strictObject(clearable(fields)).meta({ id: 'SettingsChanges' })
export type SettingsChanges = z.output<typeof settingsChanges>

function clearable<Shape extends Record<string, z.ZodType>>(shape: Shape) {
  const entries = Object.entries(shape).map(([name, field]) => [name, field.nullish()])
  return Object.fromEntries(entries) as {
    [Name in keyof Shape]: z.ZodOptional<z.ZodNullable<Shape[Name]>>
  }
}
