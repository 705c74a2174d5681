import { Badge, Text } from '@mantine/core'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import { When } from '../parts/when.tsx'
import { useAll } from '../api.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'

type Scheduled = { scheduleId: string | null; isEnabled: boolean }

/** When a scheduled restore runs next by itself; null: never. */
export function useNextRun({ scheduleId, isEnabled }: Scheduled) {
  const { data } = useAll('GET /api/v1/schedules')
  const schedule = data?.find(({ id }) => id === scheduleId)
  return { schedule, nextRunAt: isEnabled ? (schedule?.nextRuns[0] ?? null) : null }
}

export function NextRun({ scheduled }: { scheduled: Scheduled }) {
  const t = useT()
  const speech = useSpeech()
  const { schedule, nextRunAt } = useNextRun(scheduled)
  if (!scheduled.isEnabled) {
    return (
      <Badge color="gray" variant="light" tt="none">
        {t('disabled')}
      </Badge>
    )
  }
  if (scheduled.scheduleId === null) return <Text size="sm">{t('by hand only')}</Text>
  if (nextRunAt === null)
    return <Text size="sm">{schedule ? describeSchedule(schedule.meaning, speech) : '…'}</Text>
  return (
    <Text size="sm">
      <When at={nextRunAt} />
    </Text>
  )
}
