import { Paper, Stack, Text, Title } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import type { Plan } from '../../../src/shared/plans.ts'
import { MOST_RUNS, type NamedSchedule } from '../../../src/shared/schedules.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { useNow } from '../parts/when.tsx'
import { askingTrial } from '../trial.ts'
import { AgendaEntry, type Entry } from './agenda-entry.tsx'
import classes from './agenda.module.css'

const DAYS = 7

interface AgendaProps {
  schedules: readonly NamedSchedule[]
  plans: readonly Plan[]
}

/** What runs in the coming seven days, day by day, in the viewer’s time zone. */
export function Agenda({ schedules, plans }: AgendaProps) {
  const t = useT()
  const language = useLanguage()
  const days = daysFrom(useNow())
  const until = new Date(days.end).toISOString()
  const previews = useQueries({
    queries: schedules.map(({ rule }) =>
      askingTrial('POST /api/v1/schedules/preview', { body: { rule, until } }),
    ),
    combine: (results) => ({
      data: results.some(({ data }) => data === undefined)
        ? undefined
        : results.map(({ data }) => data?.nextRuns ?? []),
      error: results.find(({ error }) => error !== null)?.error ?? null,
      refetch: () => Promise.all(results.map(({ refetch }) => refetch())),
    }),
  })
  return (
    <Asked question={previews}>
      {(runs) => {
        const endless = schedules.filter((_, index) => (runs[index]?.length ?? 0) >= MOST_RUNS)
        return (
          <Stack gap="md">
            {endless.length > 0 && (
              <Text size="sm" c="dimmed">
                {t('Of {{names}} only the next {{number}} runs are shown.', {
                  number: MOST_RUNS,
                  names: new Intl.ListFormat(language).format(
                    endless.map(({ name }) => t('“{{name}}”', { name })),
                  ),
                })}
              </Text>
            )}
            {days.starts.map((day) => (
              <Day key={day} day={day} entries={entriesOf(day, schedules, runs)} plans={plans} />
            ))}
          </Stack>
        )
      }}
    </Asked>
  )
}

function Day({ day, entries, plans }: { day: number; entries: readonly Entry[]; plans: readonly Plan[] }) {
  const t = useT()
  const language = useLanguage()
  const title = new Intl.DateTimeFormat(language, { weekday: 'long', month: 'long', day: 'numeric' }).format(
    day,
  )
  return (
    <Paper withBorder p="md" component="section" aria-label={title} className={classes.day}>
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
            key={`${entry.schedule.id} ${entry.times[0]}`}
            entry={entry}
            plans={plans.filter((plan) => plan.isEnabled && plan.schedules.includes(entry.schedule.id))}
          />
        ))}
      </Stack>
    </Paper>
  )
}

/** Each time of a schedule is a line; of one that runs often, all times of the day are one. */
const OFTEN = 4

function entriesOf(day: number, schedules: readonly NamedSchedule[], runs: readonly string[][]): Entry[] {
  const entries = schedules.flatMap((schedule, index): Entry[] => {
    const times = (runs[index] ?? []).map((at) => Date.parse(at)).filter((at) => startOfDay(at) === day)
    if (times.length > OFTEN) return [{ schedule, times }]
    return times.map((at) => ({ schedule, times: [at] }))
  })
  return entries.sort((a, b) => (a.times[0] ?? 0) - (b.times[0] ?? 0))
}

/** Today and the six days after, in the viewer’s time zone, where a day may have 23 or 25 hours. */
function daysFrom(now: number): { starts: number[]; end: number } {
  const today = new Date(startOfDay(now))
  const dayAfter = (days: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() + days).getTime()
  return { starts: Array.from({ length: DAYS }, (_, index) => dayAfter(index)), end: dayAfter(DAYS) - 1 }
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}
