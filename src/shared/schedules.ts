import { z } from 'zod'
import { name, wholeNumber } from './fields.ts'

/** In the order of the ISO week, Monday first. */
export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const
export type Weekday = (typeof weekdays)[number]

/** How late a run that was missed while the app was down may still be caught up, unless the schedule says otherwise. */
export const DEFAULT_CATCH_UP_HOURS = 24

const MAX_CRON = 200
const monthNames = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const weekdayNames = 'sun mon tue wed thu fri sat'.split(' ')

/** An IANA time zone, such as `Europe/Berlin`; offsets such as `+02:00` are refused, for they know no summer time. */
export const timeZone = z
  .string()
  .refine(isTimeZone, {
    error: ({ input }) => `${quoted(input)} is not a time zone. Use a name such as Europe/Berlin or UTC.`,
  })
  .meta({ title: 'Time zone' })

export const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
  error: ({ input }) => `${quoted(input)} is not a time of day. Use 00:00 to 23:59.`,
})

const times = z
  .array(time)
  .min(1, 'Choose at least one time of day.')
  .overwrite((chosen) => [...new Set(chosen)].sort())
  .meta({ title: 'Times', description: 'HH:MM, 24 hours' })

const migration = z.object({ type: z.literal('migration'), timeZone })

const hourly = z.object({
  type: z.literal('hourly'),
  every: whole('hours', 1, 23).meta({
    title: 'Every',
    description: 'Hours, counted anew from each midnight: every 5 hours means 0, 5, 10, 15 and 20 o’clock',
  }),
  minute: whole('minutes', 0, 59).default(0).meta({ title: 'At minute' }),
  timeZone,
})

const daily = z.object({ type: z.literal('daily'), times, timeZone })

const weekly = z.object({
  type: z.literal('weekly'),
  weekdays: z
    .array(z.enum(weekdays, { error: ({ input }) => `${quoted(input)} is not a weekday.` }))
    .min(1, 'Choose at least one weekday.')
    .overwrite((chosen) => weekdays.filter((weekday) => chosen.includes(weekday)))
    .meta({ title: 'Weekdays' }),
  times,
  timeZone,
})

const monthly = z.object({
  type: z.literal('monthly'),
  days: z
    .array(whole('days of the month', 1, 31))
    .min(1, 'Choose at least one day of the month.')
    .overwrite((chosen) => [...new Set(chosen)].sort((a, b) => a - b))
    .meta({
      title: 'Days',
      description: 'A day that a month does not have falls on its last day, so 31 is always the last day',
    }),
  times,
  timeZone,
})

const cron = z.object({
  type: z.literal('cron'),
  expression: z
    .string()
    .overwrite((text) => text.trim().replaceAll(/\s+/g, ' '))
    .superRefine((text, context) => {
      const complaint = complaintAboutCron(text)
      if (complaint) context.addIssue({ code: 'custom', message: complaint })
    })
    .meta({ title: 'Cron expression', description: 'Minute, hour, day of the month, month, weekday' }),
  timeZone,
})

/**
 * When a plan runs. Times are those that a clock on the wall shows in the schedule's time zone. A time that does not
 * exist, because the clock is put forward, runs at the first moment after the gap; a time that occurs twice runs once,
 * the first time; what then falls on one moment runs once.
 *
 * - `migration`: never by itself, only when a release asks for it.
 * - `hourly`: at `minute` of every n-th hour, counted anew from each midnight.
 * - `monthly`: a day that a month does not have falls on the month's last day, once: 30 and 31 are together one run in
 *   April, and 29, 30 and 31 one in February.
 * - `cron`: five fields. Here only its shape is checked; whether its numbers make sense, and whether it ever fires,
 *   is said by `checkSchedule`.
 */
export const schedule = z.discriminatedUnion('type', [migration, hourly, daily, weekly, monthly, cron], {
  error: 'Choose when it runs: migration, hourly, daily, weekly, monthly or cron.',
})
export type Schedule = z.output<typeof schedule>

const numbers = z.array(z.int())

/** What a rule means, as sentences are made from it: the rule itself, a cron expression as the numbers that it chooses. */
export const scheduleMeaning = z
  .discriminatedUnion('type', [
    migration,
    hourly,
    daily,
    weekly,
    monthly,
    z.object({
      type: z.literal('cron'),
      minutes: numbers,
      hours: numbers,
      months: numbers,
      days: numbers.nullable().meta({ description: 'Of the month; null if every day will do' }),
      weekdays: numbers.nullable().meta({ description: '0 is Sunday; null if every day will do' }),
      timeZone,
    }),
  ])
  .meta({ id: 'ScheduleMeaning' })
export type ScheduleMeaning = z.output<typeof scheduleMeaning>

/** Where the time zone may be absent: then it is the organization's. */
const mayLackZone = { timeZone: true } as const
export const newRule = z.discriminatedUnion(
  'type',
  [
    migration.partial(mayLackZone),
    hourly.partial(mayLackZone),
    daily.partial(mayLackZone),
    weekly.partial(mayLackZone),
    monthly.partial(mayLackZone),
    cron.partial(mayLackZone),
  ],
  { error: 'Choose when it runs: migration, hourly, daily, weekly, monthly or cron.' },
)
export type NewRule = z.output<typeof newRule>

/** Those of app backups: with less than a day between, nobody would know what the oldest of seven is. */
export const appBackupRule = z.discriminatedUnion('type', [migration, daily, weekly, monthly], {
  error: 'Choose when it runs: migration, daily, weekly or monthly.',
})
export const newAppBackupRule = z.discriminatedUnion(
  'type',
  [
    migration.partial(mayLackZone),
    daily.partial(mayLackZone),
    weekly.partial(mayLackZone),
    monthly.partial(mayLackZone),
  ],
  { error: 'Choose when it runs: migration, daily, weekly or monthly.' },
)

const fields = {
  name,
  rule: newRule,
  catchUpHours: wholeNumber(0, 366 * 24).meta({
    description: 'A run that was missed is caught up if it is younger; 0: never',
  }),
}

export const newSchedule = z
  .strictObject({ ...fields, catchUpHours: fields.catchUpHours.default(DEFAULT_CATCH_UP_HOURS) })
  .meta({ id: 'NewSchedule' })
export type NewSchedule = z.output<typeof newSchedule>

/** What is not there stays as it is. */
export const scheduleChanges = z.strictObject(fields).partial().meta({ id: 'ScheduleChanges' })
export type ScheduleChanges = z.output<typeof scheduleChanges>

/** How many runs a preview lists at most. */
export const MOST_RUNS = 200

/** So many days a preview counts at most. */
export const MOST_DAYS = 62

/** Of a day with more runs, only the first and the last are told. */
export const MOST_TIMES_OF_DAY = 4

/** Of rules that run rarely, the next runs must come before times have years of five digits. */
const LAST_FROM = Date.UTC(9000, 0)

/** A rule that is not saved yet, or what a saved one means for the days to come. */
export const ruleTrial = z
  .strictObject({
    rule: newRule,
    from: z.iso
      .datetime()
      .refine((from) => Date.parse(from) < LAST_FROM, 'must be before the year 9000')
      .optional()
      .meta({ description: 'Runs from then on; absent, or past: from now on' }),
    until: z.iso
      .datetime()
      .optional()
      .meta({ description: `All runs until then, ${MOST_RUNS} at most; absent: the next five` }),
    daysIn: timeZone.optional().meta({
      title: 'Days in',
      description: `Counts the runs of each day of this time zone, until \`until\`, ${MOST_DAYS} days at most`,
    }),
  })
  .refine(({ daysIn, until }) => daysIn === undefined || until !== undefined, {
    path: ['until'],
    error: 'Say until when the runs of each day are to be counted.',
  })
  .meta({ id: 'RuleTrial' })
export type RuleTrial = z.output<typeof ruleTrial>

export const dayOfRuns = z
  .object({
    day: z.iso.date(),
    runs: z.int().meta({ description: 'How many' }),
    times: z
      .array(z.iso.datetime())
      .meta({ description: `All, if there are at most ${MOST_TIMES_OF_DAY}; else the first and the last` }),
  })
  .meta({ id: 'DayOfRuns' })
export type DayOfRuns = z.output<typeof dayOfRuns>

/** What a rule means. */
const explained = {
  description: z.string().meta({ description: 'The rule in words' }),
  meaning: scheduleMeaning.meta({ description: 'What the words are made from' }),
  nextRuns: z
    .array(z.iso.datetime())
    .meta({ description: 'The next five, unless others were asked for; none for migration' }),
}

export const schedulePreview = z
  .object({
    ...explained,
    days: z.array(dayOfRuns).optional().meta({ description: 'Those with any, if `daysIn` was given' }),
  })
  .meta({ id: 'SchedulePreview' })

/** A rule with its name, as the API shows it. */
export const namedSchedule = z
  .object({
    ...explained,
    ...fields,
    rule: schedule,
    id: z.uuid(),
    usedBy: z
      .object({ plans: z.int(), scheduledRestores: z.int() })
      .meta({ description: 'How many; while there are any, it cannot be deleted' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Schedule' })
export type NamedSchedule = z.output<typeof namedSchedule>

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

function whole(what: string, from: number, to: number) {
  const error = `Use a whole number of ${what} from ${from} to ${to}.`
  return z.int(error).min(from, error).max(to, error)
}

/** What crontab(5) knows, and no more: of other programs' L, W, #, ? and + hardly two mean the same. */
function complaintAboutCron(text: string): string | undefined {
  const fields = text.split(' ')
  if (text === '') return 'Enter a cron expression, such as 0 3 * * *.'
  if (text.length > MAX_CRON) return `A cron expression has at most ${MAX_CRON} characters.`
  if (text.startsWith('@')) return `${quoted(text)} must be written as five fields, such as 0 3 * * *.`
  if (fields.length !== 5) {
    const seconds = fields.length > 5 ? ' There is none for seconds or years.' : ''
    return `${quoted(text)} has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}, not five: minute, hour, day of the month, month, weekday.${seconds}`
  }
  for (const [index, field] of fields.entries()) {
    const names = index === 3 ? monthNames : index === 4 ? weekdayNames : []
    const words = field.toLowerCase().match(/[a-z]+/g) ?? []
    if (!/^[0-9a-z*,/-]+$/i.test(field) || words.some((word) => !names.includes(word))) {
      return `${quoted(field)} in ${quoted(text)} cannot be used. Use numbers, *, lists (1,15), ranges (1-5) and steps (*/15); for the last day of the month, a monthly schedule.`
    }
  }
  return undefined
}

function quoted(input: unknown): string {
  return `“${String(input).slice(0, 80)}”`
}
