import { CronPattern } from 'croner'
import { AppError, messageOf } from '../../shared/errors.ts'

/** The days on which a cron expression falls, and its times of day. */
export interface CronFields {
  minutes: number[]
  hours: number[]
  /** 1 = January. */
  months: number[]
  /** Days of the month; undefined if every day will do. With `weekdays` it is enough that one of the two matches. */
  days: number[] | undefined
  /** 0 = Sunday; undefined if every day will do. */
  weekdays: number[] | undefined
}

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads five fields. Throws `invalid_input` if a number is out of its range, and if the expression never fires, like
 * 30 February. Only croner's reading is used, none of its clock: at a change of the clocks it treats `0 2 * * *` and
 * `0 2,3 * * *` by different rules (see occurrences.test.ts), and we have one.
 */
export function parseCron(expression: string): CronFields {
  const pattern = read(expression)
  const months = chosen(pattern.month, 1)
  let days = pattern.starDOM ? undefined : chosen(pattern.day, 1)
  let weekdays = pattern.starDOW ? undefined : chosen(pattern.dayOfWeek.slice(0, 7), 0)
  if (days?.length === 31 || weekdays?.length === 7) {
    // A full field that is not written as * still counts as a choice of its own, and one that matches always.
    const everyDay = days !== undefined && weekdays !== undefined
    if (everyDay || days?.length === 31) days = undefined
    if (everyDay || weekdays?.length === 7) weekdays = undefined
  }
  const fires =
    weekdays !== undefined ||
    days === undefined ||
    months.some((month) => days.some((day) => day <= (longestMonths[month - 1] ?? 0)))
  if (!fires) {
    throw new AppError(
      'invalid_input',
      `The cron expression “${expression}” never fires: no such day exists.`,
      {
        hint: 'For the last day of a month, use a monthly schedule with day 31.',
      },
    )
  }
  return { minutes: chosen(pattern.minute, 0), hours: chosen(pattern.hour, 0), months, days, weekdays }
}

function read(expression: string): CronPattern {
  try {
    return new CronPattern(expression, undefined, { mode: '5-part' })
  } catch (error) {
    const why = messageOf(error).replace(/^CronPattern: /, '')
    throw new AppError('invalid_input', `The cron expression “${expression}” cannot be read: ${why}.`, {
      hint: 'The fields are minute 0-59, hour 0-23, day 1-31, month 1-12 and weekday 0-7 (0 and 7 are Sunday).',
      cause: error,
    })
  }
}

function chosen(flags: number[], first: number): number[] {
  return flags.flatMap((flag, index) => (flag ? [index + first] : []))
}
