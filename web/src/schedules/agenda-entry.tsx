import { Badge, Group, Stack, Text } from '@mantine/core'
import type { Plan } from '../../../src/shared/plans.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import classes from './agenda.module.css'

export interface Entry {
  schedule: NamedSchedule
  /** How often on the day, between these two times. */
  runs: number
  first: string
  last: string
}

interface AgendaEntryProps {
  entry: Entry
  plans: readonly Plan[]
}

/** When a schedule runs on a day, and for which plans. */
export function AgendaEntry({ entry: { schedule, runs, first, last }, plans }: AgendaEntryProps) {
  const t = useT()
  const language = useLanguage()
  const format = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' })
  const { scheduledRestores } = schedule.usedBy
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <Text size="sm" fw={600} className={classes.time}>
        <time dateTime={first}>{format.format(Date.parse(first))}</time>
      </Text>
      <Stack gap={4} miw={0}>
        <Text size="sm">{schedule.name}</Text>
        {runs > 1 && (
          <Text size="xs" c="dimmed">
            {t('{{count}} times until {{time}}', { count: runs, time: format.format(Date.parse(last)) })}
          </Text>
        )}
        <Group gap={6}>
          {plans.length === 0 && scheduledRestores === 0 && (
            <Text size="xs" c="dimmed">
              {t('for no plan')}
            </Text>
          )}
          {plans.map(({ id, name }) => (
            <Badge key={id} variant="light" tt="none" size="sm" maw={260}>
              {name}
            </Badge>
          ))}
          {scheduledRestores > 0 && (
            <Badge variant="light" color="grape" tt="none" size="sm">
              {t('{{count}} scheduled restores', { count: scheduledRestores })}
            </Badge>
          )}
        </Group>
      </Stack>
    </Group>
  )
}
