import { useQueries } from '@tanstack/react-query'
import type { DayOfRuns, NamedSchedule } from '../../../src/shared/schedules.ts'
import { startOf } from '../parts/local-day.ts'
import { askingTrial } from '../trial.ts'

/** What runs on a day: each schedule with its runs. */
export type RunsOfDay = readonly { schedule: NamedSchedule; runs: DayOfRuns }[]
export type RunDays = ReadonlyMap<string, RunsOfDay>

/** The runs of schedules from a day on, or from now if that is later, to another one, by days where the viewer is. */
export function useRunDays(schedules: readonly NamedSchedule[], from: string, until: string) {
  const range = {
    from: startOf(from).toISOString(),
    until: new Date(startOf(until, 1).getTime() - 1).toISOString(),
    daysIn: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  }
  return useQueries({
    queries: schedules.map(({ rule }) =>
      askingTrial('POST /api/v1/schedules/preview', { body: { rule, ...range } }),
    ),
    combine: (results) => ({
      data: results.every(({ data }) => data !== undefined)
        ? byDay(
            schedules,
            results.map(({ data }) => data?.days ?? []),
          )
        : undefined,
      error: results.find(({ error }) => error !== null)?.error ?? null,
      refetch: () => Promise.all(results.map(({ refetch }) => refetch())),
    }),
  })
}

function byDay(schedules: readonly NamedSchedule[], days: readonly DayOfRuns[][]): RunDays {
  const all = schedules.flatMap((schedule, index) => (days[index] ?? []).map((runs) => ({ schedule, runs })))
  return Map.groupBy(all, ({ runs }) => runs.day)
}
