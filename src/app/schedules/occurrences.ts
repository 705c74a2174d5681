import { DateTime, IANAZone } from 'luxon'
import {
  earliestShownAfter,
  latestShownUntil,
  momentOf,
  steadyOffset,
  type WallTime,
} from '../../lib/wall-clock.ts'
import {
  type DayOfRuns,
  DEFAULT_CATCH_UP_HOURS,
  MOST_TIMES_OF_DAY,
  type Schedule,
  type Weekday,
  weekdays as mondayFirst,
} from '../../shared/schedules.ts'
import { parseCron } from './cron.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

/** 29 February is the rarest day, eight years apart around 2100. */
const LONGEST_PAUSE_DAYS = 9 * 366

/** So late, in milliseconds, a run is still on time rather than missed. */
const PUNCTUAL = MINUTE

/** A clock that is wrong by more than this, in milliseconds, is not taken at its word. */
export const CREDIBLE = DAY

const sundayFirst: readonly Weekday[] = ['sunday', ...mondayFirst.filter((day) => day !== 'sunday')]

/** Throws `invalid_input` with a sentence if the schedule could not run: the part of its check that needs a cron parser. */
export function checkSchedule(schedule: Schedule): void {
  calendarOf(schedule)
}

/**
 * The next runs after the moment, oldest first, never the moment itself; none for `migration`. Throws `invalid_input`
 * for what `checkSchedule` refuses.
 */
export function nextRuns(schedule: Schedule, after: Date, count: number): Date[] {
  return [...runsAfter(schedule, after.getTime()).take(count)].map((moment) => new Date(moment))
}

/** Those after the one moment until the other, which is included; not more than `most`. Throws like `nextRuns`. */
export function runsBetween(schedule: Schedule, after: Date, until: Date, most: number): Date[] {
  const runs: Date[] = []
  for (const moment of runsAfter(schedule, after.getTime())) {
    if (moment > until.getTime() || runs.length >= most) break
    runs.push(new Date(moment))
  }
  return runs
}

/**
 * The same, counted by the days of a time zone; days without any are left out. Of a day with more than `MOST_TIMES_OF_DAY` runs,
 * only the first and the last are told.
 */
export function runsByDay(schedule: Schedule, after: Date, until: Date, zone: string): DayOfRuns[] {
  const days: (Omit<DayOfRuns, 'times'> & { moments: number[]; end: number })[] = []
  for (const moment of runsAfter(schedule, after.getTime())) {
    if (moment > until.getTime()) break
    const day = days.at(-1)
    if (!day || moment >= day.end) {
      const at = DateTime.fromMillis(moment, { zone })
      const end = at.endOf('day').toMillis() + 1
      days.push({ day: at.toFormat('yyyy-MM-dd'), runs: 1, moments: [moment], end })
      continue
    }
    day.runs++
    if (day.runs <= MOST_TIMES_OF_DAY) day.moments.push(moment)
    else day.moments = [day.moments[0] ?? moment, moment]
  }
  return days.map(({ day, runs, moments }) => ({
    day,
    runs,
    times: moments.map((moment) => new Date(moment).toISOString()),
  }))
}

/** Endless, unless there are none. */
function* runsAfter(schedule: Schedule, after: number): Generator<number, void> {
  const calendar = calendarOf(schedule)
  if (!calendar) return
  const zone = IANAZone.create(schedule.timeZone)
  const from = earliestShownAfter(after, zone)
  let last = after
  for (const day of daysFrom(calendar, from, 1)) {
    const steady = steadyOffset(day, zone)
    for (const minute of calendar.minutes) {
      const wall = day + minute * MINUTE
      if (wall < from) continue
      const moment = steady === undefined ? momentOf(wall, zone) : wall - steady
      if (moment <= last) continue
      last = moment
      yield moment
    }
  }
}

/** The last run until the moment, the moment included; undefined for `migration`. Throws like `nextRuns`. */
export function latestRun(schedule: Schedule, until: Date): Date | undefined {
  const calendar = calendarOf(schedule)
  if (!calendar) return undefined
  const zone = IANAZone.create(schedule.timeZone)
  for (const wall of wallTimesBackFrom(calendar, latestShownUntil(until.getTime(), zone))) {
    const moment = momentOf(wall, zone)
    if (moment <= until.getTime()) return new Date(moment)
  }
  return undefined
}

/**
 * The one run that is due now, if any. `since` is the run that was fired last, or else the moment the schedule came
 * into use: nothing until then is due. Of several missed runs only the newest counts, and only if it is younger than
 * `catchUpWithin` milliseconds (24 hours); with 0 a missed run is never caught up. A run up to a minute late is on
 * time. The caller fires the returned run and hands it in as `since` from then on; so nothing fires twice.
 *
 * If `since` lies more than a day in the future, the clock was wrong when it was written. Waiting for it could take
 * years, so a run that is on time is due all the same.
 */
export function dueRun(
  schedule: Schedule,
  since: Date,
  now: Date,
  catchUpWithin = DEFAULT_CATCH_UP_HOURS * HOUR,
): Date | undefined {
  const newest = latestRun(schedule, now)
  if (!newest) return undefined
  const late = now.getTime() - newest.getTime()
  if (since.getTime() - now.getTime() > CREDIBLE) return late < PUNCTUAL ? newest : undefined
  return newest > since && late < Math.max(catchUpWithin, PUNCTUAL) ? newest : undefined
}

interface Calendar {
  /** Of the day, ascending. */
  minutes: number[]
  /** Whether runs fall on the day: midnight of it on the wall. */
  falls(day: Date): boolean
}

function calendarOf(schedule: Schedule): Calendar | undefined {
  switch (schedule.type) {
    case 'migration':
      return undefined
    case 'hourly': {
      const hours = Array.from({ length: Math.ceil(24 / schedule.every) }, (_, turn) => turn * schedule.every)
      return { minutes: hours.map((hour) => hour * 60 + schedule.minute), falls: () => true }
    }
    case 'daily':
      return { minutes: minutesOf(schedule.times), falls: () => true }
    case 'weekly': {
      const chosen = new Set(schedule.weekdays.map((weekday) => sundayFirst.indexOf(weekday)))
      return { minutes: minutesOf(schedule.times), falls: (day) => chosen.has(day.getUTCDay()) }
    }
    case 'monthly': {
      const { days } = schedule
      return {
        minutes: minutesOf(schedule.times),
        falls: (day) =>
          days.includes(day.getUTCDate()) ||
          (isLastOfMonth(day) && days.some((chosen) => chosen > day.getUTCDate())),
      }
    }
    case 'cron': {
      const { minutes, hours, months, days, weekdays } = parseCron(schedule.expression)
      return {
        minutes: hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)),
        falls: (day) =>
          months.includes(day.getUTCMonth() + 1) &&
          ((days === undefined && weekdays === undefined) ||
            days?.includes(day.getUTCDate()) === true ||
            weekdays?.includes(day.getUTCDay()) === true),
      }
    }
    default: {
      const never: never = schedule
      return never
    }
  }
}

function* wallTimesBackFrom(calendar: Calendar, from: WallTime): Generator<WallTime, void> {
  for (const day of daysFrom(calendar, from, -1)) {
    for (const minute of calendar.minutes.toReversed()) {
      if (day + minute * MINUTE <= from) yield day + minute * MINUTE
    }
  }
}

/** The days on which runs fall, beginning with that of the given time. */
function* daysFrom(calendar: Calendar, from: WallTime, step: 1 | -1): Generator<WallTime, void> {
  if (!Number.isFinite(from)) throw new RangeError('The moment to count from is an invalid date.')
  let day = Math.floor(from / DAY) * DAY
  for (let pause = 0; pause <= LONGEST_PAUSE_DAYS; pause++) {
    if (calendar.falls(new Date(day))) {
      yield day
      pause = 0
    }
    day += step * DAY
  }
}

function minutesOf(times: string[]): number[] {
  const minutes = times.map((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)))
  return [...new Set(minutes)].sort((a, b) => a - b)
}

function isLastOfMonth(day: Date): boolean {
  return new Date(day.getTime() + DAY).getUTCDate() === 1
}
