import { Heatmap } from '@mantine/charts'
import '@mantine/charts/styles.css'
import { Box, Group, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useRef, useState } from 'react'
import type { OverviewHistory } from '../../../src/shared/overview.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import classes from './overview.module.css'

type Day = OverviewHistory['days'][number]

const colors = {
  none: 'light-dark(var(--mantine-color-gray-2), var(--mantine-color-dark-5))',
  good: 'var(--mantine-color-green-6)',
  mixed: 'var(--mantine-color-orange-5)',
  bad: 'var(--mantine-color-red-6)',
}

/** How far each key goes, in days: a week is a column. */
const steps: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 }

/** Each day a field that leads to its jobs: green if all backups succeeded, red if none did. */
export default function HeatMap({ days }: { days: readonly Day[] }) {
  const t = useT()
  const language = useLanguage()
  const byDate = new Map(days.map((day) => [day.date, day]))
  const navigate = useNavigate()
  const map = useRef<SVGSVGElement>(null)
  // One of them is reached by tab, the others from there by arrows.
  const [reached, setReached] = useState(days.at(-1)?.date)
  const bad = days.filter((day) => day.failed > 0 || day.partial > 0).length
  const name = (date: string) =>
    new Intl.DateTimeFormat(language, {
      weekday: 'long',
      month: 'long',
      day: 'numeric',
      timeZone: 'UTC',
    }).format(new Date(date))
  const describe = (date: string) => {
    const day = byDate.get(date)
    if (!day || sumOf(day) === 0) return t('{{day}}: no backup', { day: name(date) })
    const { succeeded, partial, failed } = day
    return t('{{day}}: {{succeeded}} succeeded, {{partial}} partial, {{failed}} failed', {
      day: name(date),
      succeeded,
      partial,
      failed,
    })
  }
  const open = (date: string) => {
    const index = days.findIndex((day) => day.date === date)
    const ends = days[index + 1]
    const search = {
      kind: 'backup,run-plan',
      from: days[index]?.startsAt,
      ...(ends && { to: ends.startsAt }),
    }
    void navigate({ to: '/jobs', search })
  }
  const press = (event: KeyboardEvent, date: string) => {
    const step = steps[event.key]
    if (event.key === 'Enter') open(date)
    else if (step !== undefined) {
      const other = days[days.findIndex((day) => day.date === date) + step]
      if (!other) return
      event.preventDefault()
      map.current?.querySelector<SVGRectElement>(`[data-date="${other.date}"]`)?.focus()
    }
  }
  const linkOf = (date: string) => ({
    role: 'link',
    'aria-label': describe(date),
    'data-date': date,
    tabIndex: date === reached ? 0 : -1,
    onFocus: () => setReached(date),
    onClick: () => open(date),
    onKeyDown: (event: KeyboardEvent) => press(event, date),
  })
  return (
    <>
      <Box className={classes.days}>
        <Heatmap
          ref={map}
          role="group"
          aria-label={
            bad === 0
              ? t('No backup failed in the last {{count}} days.', { count: days.length })
              : t('Backups failed, or were partial, on {{count}} of these days.', { count: bad })
          }
          data={Object.fromEntries(days.map((day) => [day.date, sumOf(day)]))}
          startDate={days[0]?.date}
          endDate={days.at(-1)?.date}
          withOutsideDates={false}
          withWeekdayLabels
          withMonthLabels
          weekdayLabels={weekdaysOf(language)}
          monthLabels={monthsOf(language)}
          rectSize={22}
          gap={4}
          rectRadius={5}
          withTooltip
          getTooltipLabel={({ date }) => describe(date)}
          getRectProps={({ date }) => ({ fill: colorOf(byDate.get(date)), ...linkOf(date) })}
        />
      </Box>
      <Group gap="md">
        <Legend color={colors.good} word={t('all succeeded')} />
        <Legend color={colors.mixed} word={t('some failed')} />
        <Legend color={colors.bad} word={t('all failed')} />
        <Legend color={colors.none} word={t('no backup')} />
      </Group>
    </>
  )
}

function Legend({ color, word }: { color: string; word: string }) {
  return (
    <Group gap={6}>
      <Box w={12} h={12} bg={color} bdrs="sm" aria-hidden />
      <Text size="sm" c="dimmed">
        {word}
      </Text>
    </Group>
  )
}

function sumOf({ succeeded, partial, failed }: Day): number {
  return succeeded + partial + failed
}

function colorOf(day: Day | undefined): string {
  if (!day || sumOf(day) === 0) return colors.none
  if (day.failed === 0 && day.partial === 0) return colors.good
  return day.succeeded === 0 && day.partial === 0 ? colors.bad : colors.mixed
}

/** Sunday first. */
function weekdaysOf(language: string): string[] {
  const format = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' })
  return Array.from({ length: 7 }, (_, day) => format.format(Date.UTC(2026, 10, 1 + day)))
}

function monthsOf(language: string): string[] {
  const format = new Intl.DateTimeFormat(language, { month: 'short', timeZone: 'UTC' })
  return Array.from({ length: 12 }, (_, month) => format.format(Date.UTC(2026, month, 1)))
}
