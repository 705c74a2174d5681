import { Stack, Text, VisuallyHidden } from '@mantine/core'
import { Calendar as MonthCalendar } from '@mantine/dates'
import { type ReactNode, useEffect, useRef } from 'react'
import type { Plan } from '../../../src/shared/plans.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import type { Speech } from '../../../src/shared/words.ts'
import { useChosenLanguage, useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { numberText } from '../parts/bytes.tsx'
import '../parts/calendar-words.ts'
import { localDay, startOf } from '../parts/local-day.ts'
import { useNow } from '../parts/when.tsx'
import classes from './calendar.module.css'
import { DayRuns, dayTitle } from './day-runs.tsx'
import { type RunsOfDay, useRunDays } from './use-run-days.ts'

/** So many schedules are named on a day. */
const NAMED = 2

interface CalendarProps {
  schedules: readonly NamedSchedule[]
  plans: readonly Plan[]
  /** As the address says them: `2026-12`, `2026-12-24`. */
  month: string | undefined
  day: string | undefined
  onChange: (changes: { month?: string | undefined; day?: string | undefined }) => void
}

/** A month with what runs on each of its days, where the viewer is; a day leads to the list of its runs. */
export default function Calendar({ schedules, plans, month: asked, day: chosen, onChange }: CalendarProps) {
  const t = useT()
  const language = useLanguage()
  const locale = useChosenLanguage()
  const today = localDay(new Date(useNow()))
  const month = monthOf(asked, today)
  const firstDay = `${month}-01`
  const lastDay = localDay(new Date(startOf(firstDay).getFullYear(), startOf(firstDay).getMonth() + 1, 0))
  const question = useRunDays(schedules, firstDay, lastDay)
  const day =
    chosen?.startsWith(`${month}-`) && chosen >= today ? chosen : today.startsWith(month) ? today : undefined
  const list = useRef<HTMLDivElement>(null)
  const isWanted = useRef(false)
  useEffect(() => {
    if (isWanted.current) list.current?.focus()
    isWanted.current = false
  }, [day])
  /** Undefined where nobody knows: before the answer, and of days that have been. */
  const runsOn = (date: string): RunsOfDay | undefined =>
    question.data && date >= today ? (question.data.get(date) ?? []) : undefined
  return (
    <Stack gap="lg">
      <MonthCalendar
        fullWidth
        aria-label={t('Calendar')}
        aria-busy={question.data === undefined && question.error === null}
        role="group"
        locale={locale}
        date={firstDay}
        minDate={today}
        maxLevel="month"
        monthLabelFormat={(date) =>
          new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric' }).format(startOf(date))
        }
        ariaLabels={{ previousMonth: t('Previous month'), nextMonth: t('Next month') }}
        hideOutsideDates
        highlightToday
        weekendDays={[]}
        classNames={{ month: classes.month, day: classes.day }}
        onDateChange={(date) => onChange({ month: date.slice(0, 7), day: undefined })}
        getDayProps={(date) => ({
          selected: date === day,
          'aria-pressed': date === day,
          // It has its name from what stands in it.
          'aria-label': undefined,
          onClick: () => {
            if (date === day) return list.current?.focus()
            isWanted.current = true
            onChange({ month, day: date })
          },
        })}
        renderDay={(date) => drawDay(date, runsOn(date), { t, language })}
      />
      <Asked question={question}>
        {(runs) =>
          day === undefined ? (
            <Text size="sm" c="dimmed">
              {t('Choose a day to see what runs on it.')}
            </Text>
          ) : (
            <DayRuns ref={list} day={day} runs={runs} plans={plans} />
          )
        }
      </Asked>
    </Stack>
  )
}

/** The day's number, and what runs: on a phone how often, elsewhere also which schedules. */
function drawDay(date: string, known: RunsOfDay | undefined, { t, language }: Speech): ReactNode {
  const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' })
  const runs = known ?? []
  const count = runs.reduce((sum, { runs: { runs } }) => sum + runs, 0)
  // What runs seldom is what somebody looks for.
  const entries = runs.toSorted((a, b) => a.runs.runs - b.runs.runs)
  return (
    <div className={classes.content}>
      <VisuallyHidden>
        {known
          ? t('{{day}}: {{count}} runs', { day: dayTitle(date, language), count })
          : dayTitle(date, language)}
      </VisuallyHidden>
      <Text span inherit fw={600} aria-hidden>
        {Number(date.slice(8))}
      </Text>
      {count > 0 && (
        <Text span size="xs" c="inherit" hiddenFrom="sm" aria-hidden>
          {numberText(count, language)}
        </Text>
      )}
      {entries.slice(0, NAMED).map(({ schedule: { id, name }, runs: { runs, times } }) => (
        <Text key={id} span size="xs" c="inherit" truncate visibleFrom="sm" className={classes.line}>
          {runs === 1
            ? `${clock.format(Date.parse(times[0] ?? ''))} ${name}`
            : t('{{number}} × {{name}}', { number: numberText(runs, language), name })}
        </Text>
      ))}
      {entries.length > NAMED && (
        <Text span size="xs" c="inherit" visibleFrom="sm" className={classes.line}>
          {t('and {{count}} more', { count: entries.length - NAMED })}
        </Text>
      )}
    </div>
  )
}

/** What has been is no month of next runs. */
function monthOf(asked: string | undefined, today: string): string {
  const current = today.slice(0, 7)
  return asked !== undefined && /^\d{4}-(0[1-9]|1[0-2])$/.test(asked) && asked > current ? asked : current
}
