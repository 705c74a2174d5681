import { weekdays as weekdaysInOrder, type Schedule } from '../../shared/schedules.ts'
import { parseCron, type CronFields } from './cron.ts'

/** More times of day than this are told by their pattern instead of one by one. */
const MOST_TIMES = 6

const sundayFirst = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const shortestMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * The schedule's meaning in words: `Every day at 03:00 and 15:00 (Europe/Berlin)`. Cron expressions too are told in
 * words, all of them. Throws `invalid_input` for what `checkSchedule` refuses.
 */
export function describeSchedule(schedule: Schedule): string {
  if (schedule.type === 'migration') return 'When a release is about to change the database'
  return `${capital(phrase(schedule))} (${schedule.timeZone})`
}

function phrase(schedule: Exclude<Schedule, { type: 'migration' }>): string {
  switch (schedule.type) {
    case 'hourly': {
      const { every, minute } = schedule
      if (every === 1) return `every hour at minute ${minute}`
      const anew = 24 % every === 0 ? '' : ', counted anew each day'
      return `every ${every} hours from ${clock(minute)}${anew}`
    }
    case 'daily':
      return `every day at ${list(schedule.times)}`
    case 'weekly': {
      const numbers = schedule.weekdays.map((weekday) => (weekdaysInOrder.indexOf(weekday) + 1) % 7)
      return `${onWeekdays(numbers)} at ${list(schedule.times)}`
    }
    case 'monthly': {
      const days = schedule.days.map((day) => {
        if (day === 31) return 'last day'
        return day > 28 ? `${ordinal(day)} (or the last day of a shorter month)` : ordinal(day)
      })
      return `on the ${list(days)} of every month at ${list(schedule.times)}`
    }
    case 'cron': {
      const fields = parseCron(schedule.expression)
      const times = timesOf(fields)
      const days = daysOf(fields)
      if (days === 'every day' && times.startsWith('every')) return times
      return times.startsWith('at ') ? `${days} ${times}` : `${days}, ${times}`
    }
    default: {
      const never: never = schedule
      return never
    }
  }
}

function daysOf({ days, weekdays, months }: CronFields): string {
  const chosenMonths = months.length === 12 ? undefined : runs(months, monthName)
  const inMonths = chosenMonths === undefined ? '' : ` in ${chosenMonths}`
  if (!days) return `${onWeekdays(weekdays ?? [])}${inMonths}`
  const someLack = months.some((month) => days.some((day) => day > (shortestMonths[month - 1] ?? 0)))
  const note = someLack ? ` (where ${days.length === 1 ? 'it exists' : 'they exist'})` : ''
  const dates = `on the ${runs(days, ordinal)} of ${chosenMonths ?? 'every month'}${note}`
  return weekdays ? `${dates}, and also ${onWeekdays(weekdays)}${inMonths}` : dates
}

function timesOf({ minutes, hours }: CronFields): string {
  const times = hours.flatMap((hour) => minutes.map((minute) => clock(hour * 60 + minute)))
  if (times.length <= MOST_TIMES) return `at ${list(times)}`
  const hourly = stepOf(hours)
  const span = `from ${times[0]} to ${times.at(-1)}`
  if (minutes.length === 1 && hourly) {
    if (hours.length === 24) return `every hour at minute ${minutes[0]}`
    const often = hourly === 1 ? 'every hour' : `every ${hourly} hours`
    return hours.length * hourly === 24 ? `${often} from ${times[0]}` : `${often} ${span}`
  }
  const often = oftenPerHour(minutes)
  if (often && hours.length === 24) return often
  if (often && (hourly === 1 || hours.length === 1)) return `${often} ${span}`
  const whichHours = hours.length === 24 ? 'every hour' : `the hours ${runs(hours, twoDigits)}`
  return `${often ?? `at ${minutes.length === 1 ? 'minute' : 'minutes'} ${runs(minutes, String)}`} of ${whichHours}`
}

/** Undefined if the minutes do not go on evenly into the next hour. */
function oftenPerHour(minutes: number[]): string | undefined {
  if (minutes.length === 60) return 'every minute'
  const step = stepOf(minutes)
  if (!step || step * minutes.length !== 60) return undefined
  return `every ${step} minutes${minutes[0] === 0 ? '' : ` from minute ${minutes[0]}`}`
}

/** The distance between neighbours, if it is always the same. */
function stepOf(values: number[]): number | undefined {
  const [first = 0, second] = values
  if (second === undefined) return undefined
  return values.every((value, i) => value === first + i * (second - first)) ? second - first : undefined
}

function onWeekdays(numbers: number[]): string {
  if (numbers.length % 7 === 0) return 'every day'
  const mondayFirst = numbers.map((number) => (number + 6) % 7).sort((a, b) => a - b)
  const name = (index: number) => sundayFirst[(index + 1) % 7] ?? ''
  if (mondayFirst.length === 1) return `every ${name(mondayFirst[0] ?? 0)}`
  if (mondayFirst.length > 2 && stepOf(mondayFirst) === 1) {
    return `from ${name(mondayFirst[0] ?? 0)} to ${name(mondayFirst.at(-1) ?? 0)}`
  }
  return `every ${list(mondayFirst.map(name))}`
}

/** Three or more that follow each other as one: `1st to 7th and 15th`. */
function runs(values: number[], name: (value: number) => string): string {
  const parts: string[] = []
  for (let i = 0; i < values.length;) {
    let end = i
    while (values[end + 1] === (values[end] ?? 0) + 1) end++
    const from = values[i] ?? 0
    if (end - i >= 2) parts.push(`${name(from)} to ${name(values[end] ?? 0)}`)
    else for (let at = i; at <= end; at++) parts.push(name(values[at] ?? 0))
    i = end + 1
  }
  return list(parts)
}

function list(parts: string[]): string {
  if (parts.length < 2) return parts.join('')
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

function monthName(month: number): string {
  return monthNames[month - 1] ?? ''
}

function clock(minutes: number): string {
  return `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

function ordinal(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')
  return `${value}${ending}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
