import { Stack } from '@mantine/core'
import type { Plan } from '../../../src/shared/plans.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import { Asked } from '../parts/asked.tsx'
import { localDay, startOf } from '../parts/local-day.ts'
import { useNow } from '../parts/when.tsx'
import { DayRuns } from './day-runs.tsx'
import { useRunDays } from './use-run-days.ts'

const DAYS = 7

interface AgendaProps {
  schedules: readonly NamedSchedule[]
  plans: readonly Plan[]
}

/** What runs in the coming seven days, day by day, in the viewer’s time zone. */
export function Agenda({ schedules, plans }: AgendaProps) {
  const today = localDay(new Date(useNow()))
  const days = Array.from({ length: DAYS }, (_, index) => localDay(startOf(today, index)))
  const runs = useRunDays(schedules, today, days.at(-1) ?? today)
  return (
    <Asked question={runs}>
      {(runs) => (
        <Stack gap="md">
          {days.map((day) => (
            <DayRuns key={day} day={day} runs={runs} plans={plans} />
          ))}
        </Stack>
      )}
    </Asked>
  )
}
