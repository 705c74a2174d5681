import type { Schedule } from '../../shared/schedules.ts'
import { latestRun, nextRuns } from '../schedules/occurrences.ts'

const MINUTE = 60_000
/** How much longer than its interval a backup may take to come, in milliseconds. */
const GRACE = 120 * MINUTE

/**
 * How long after a backup, in milliseconds, the next one is missing; undefined where none comes by itself. It is what the
 * plan says, or else two hours more than the interval of its schedules in which that backup was made: from the run
 * before it to the run behind it. So on a schedule of working days, Friday's backup is good until Monday's. One that was
 * made by hand late in a long interval stands for the next run, but not for the one after that.
 */
export function overdueAfterOf(
  overdueMinutes: number | undefined,
  rules: readonly Schedule[],
): (madeAt: number) => number | undefined {
  if (overdueMinutes !== undefined) return () => overdueMinutes * MINUTE
  const known: Interval[] = []
  return (madeAt) => {
    // Nearly all backups of a plan were made in one and the same interval.
    let interval = known.find(({ from, to }) => from <= madeAt && madeAt < to)
    if (!interval) {
      interval = intervalAt(rules, new Date(madeAt))
      if (!interval) return undefined
      known.push(interval)
    }
    return Math.min(interval.to - interval.from, interval.afterNext - madeAt) + GRACE
  }
}

interface Interval {
  from: number
  to: number
  /** The run behind `to`. */
  afterNext: number
}

function intervalAt(rules: readonly Schedule[], at: Date): Interval | undefined {
  const before = rules.flatMap((rule) => latestRun(rule, at)?.getTime() ?? [])
  const [next, afterNext = Infinity] = rules
    .flatMap((rule) => nextRuns(rule, at, 2).map((run) => run.getTime()))
    .sort((a, b) => a - b)
  if (next === undefined) return undefined
  if (before.length > 0) return { from: Math.max(...before), to: next, afterNext }
  // Nothing ran before: the first interval stands for it.
  const length = afterNext === Infinity ? 0 : afterNext - next
  return { from: next - length, to: next, afterNext }
}
