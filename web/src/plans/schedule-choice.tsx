import { Anchor, List, MultiSelect, Stack, Switch, Text } from '@mantine/core'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import { useAll } from '../api.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { LinkTo } from '../parts/link.tsx'

interface ScheduleChoiceProps {
  value: string[]
  isEnabled: boolean
  error: string | undefined
  onChange: (ids: string[]) => void
  onEnabled: (isEnabled: boolean) => void
}

/** On which schedules a plan runs, if on any. */
export function ScheduleChoice({ value, isEnabled, error, onChange, onEnabled }: ScheduleChoiceProps) {
  const t = useT()
  const speech = useSpeech()
  const schedules = useAll('GET /api/v1/schedules')
  const chosen = schedules.data?.filter(({ id }) => value.includes(id)) ?? []
  return (
    <Stack gap="md">
      <MultiSelect
        label={t('Schedules')}
        description={t('None: by hand only')}
        data={schedules.data?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
        value={value}
        error={error}
        searchable
        hidePickedOptions
        nothingFoundMessage={t('Nothing was found')}
        onChange={onChange}
      />
      {chosen.length > 0 && (
        <List size="sm">
          {chosen.map(({ id, meaning }) => (
            <List.Item key={id}>{describeSchedule(meaning, speech)}</List.Item>
          ))}
        </List>
      )}
      {schedules.data?.length === 0 && (
        <Text size="sm">
          {t('There is no schedule yet.')}{' '}
          <Anchor component={LinkTo} to="/schedules" search={{ form: 'new' }} size="sm">
            {t('Add schedule')}
          </Anchor>
        </Text>
      )}
      <Switch
        label={t('Runs by itself')}
        description={t('If not, it can still be run by hand')}
        checked={isEnabled}
        onChange={({ currentTarget }) => onEnabled(currentTarget.checked)}
      />
    </Stack>
  )
}
