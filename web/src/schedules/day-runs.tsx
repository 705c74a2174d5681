import { Paper, Stack, Text, Title } from '@mantine/core'
import type { Ref } from 'react'
import type { Plan } from '../../../src/shared/plans.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { startOf } from '../parts/local-day.ts'
import { AgendaEntry, type Entry } from './agenda-entry.tsx'
import classes from './agenda.module.css'
import type { RunDays, RunsOfDay } from './use-run-days.ts'

interface DayRunsProps {
  day: string
  runs: RunDays
  plans: readonly Plan[]
  /** To be focussed when somebody has chosen the day. */
  ref?: Ref<HTMLDivElement>
}

/** What runs on a day, the earliest first. */
export function DayRuns({ day, runs, plans, ref }: DayRunsProps) {
  const t = useT()
  const title = dayTitle(day, useLanguage())
  const entries = entriesOf(runs.get(day) ?? [])
  return (
    <Paper
      ref={ref}
      withBorder
      p="md"
      component="section"
      aria-label={title}
      tabIndex={-1}
      className={classes.day}
    >
      <Title order={2} size="h5">
        {title}
      </Title>
      <Stack gap="sm">
        {entries.length === 0 && (
          <Text size="sm" c="dimmed">
            {t('Nothing runs by itself.')}
          </Text>
        )}
        {entries.map((entry) => (
          <AgendaEntry
            key={`${entry.schedule.id} ${entry.first}`}
            entry={entry}
            plans={plans.filter((plan) => plan.isEnabled && plan.schedules.includes(entry.schedule.id))}
          />
        ))}
      </Stack>
    </Paper>
  )
}

/** `Saturday, November 28` */
export function dayTitle(day: string, language: string): string {
  return new Intl.DateTimeFormat(language, { weekday: 'long', month: 'long', day: 'numeric' }).format(
    startOf(day),
  )
}

/** Each time of a schedule is a line; of one that runs often, all times of the day are one. */
function entriesOf(runs: RunsOfDay): Entry[] {
  const entries = runs.flatMap(({ schedule, runs: { runs, times } }): Entry[] => {
    const [first = '', last = first] = [times[0], times.at(-1)]
    if (runs > times.length) return [{ schedule, runs, first, last }]
    return times.map((at) => ({ schedule, runs: 1, first: at, last: at }))
  })
  return entries.sort((a, b) => a.first.localeCompare(b.first))
}
