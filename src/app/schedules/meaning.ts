import type { Schedule, ScheduleMeaning } from '../../shared/schedules.ts'
import { parseCron } from './cron.ts'

/** What `describeSchedule` makes a sentence from. Throws `invalid_input` for what `checkSchedule` refuses. */
export function meaningOf(rule: Schedule): ScheduleMeaning {
  if (rule.type !== 'cron') return rule
  const { type, expression, timeZone } = rule
  const { days = null, weekdays = null, ...times } = parseCron(expression)
  return { type, ...times, days, weekdays, timeZone }
}
