import { Select, Switch, Text, TextInput } from '@mantine/core'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import { useAll } from '../api.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { ScheduleFields } from '../schedules/schedule-fields.tsx'
import { NEW_SCHEDULE } from './scheduled-draft.ts'
import type { PartProps } from './scheduled-parts.ts'

/** By a schedule that is there, by a new one, or by hand. */
export function When({
  draft,
  change,
  errors,
  scheduleErrors,
}: PartProps & { scheduleErrors: Record<string, string> }) {
  const t = useT()
  const speech = useSpeech()
  const may = useMay()
  const schedules = useAll('GET /api/v1/schedules')
  const { scheduleId, newSchedule } = draft
  const chosen = schedules.data?.find(({ id }) => id === scheduleId)
  const all = (schedules.data ?? []).map(({ id, name }) => ({ value: id, label: name }))
  return (
    <>
      <Select
        label={t('Schedule')}
        data={[
          { value: '', label: t('By hand only') },
          ...all,
          ...(may('manage-schedules') ? [{ value: NEW_SCHEDULE, label: t('A new schedule …') }] : []),
        ]}
        value={scheduleId ?? ''}
        error={errors['scheduleId']}
        allowDeselect={false}
        onChange={(id) => change({ scheduleId: id || null })}
      />
      {scheduleId === NEW_SCHEDULE && (
        <>
          <TextInput
            label={t('Name of the schedule')}
            withAsterisk
            value={newSchedule.name}
            error={scheduleErrors['name']}
            onChange={({ currentTarget }) =>
              change({ newSchedule: { ...newSchedule, name: currentTarget.value } })
            }
          />
          <ScheduleFields
            value={newSchedule.rule}
            onChange={(rule) => change({ newSchedule: { ...newSchedule, rule } })}
          />
        </>
      )}
      {chosen && (
        <Text size="sm" c="dimmed">
          {describeSchedule(chosen.meaning, speech)}
        </Text>
      )}
      <Switch
        label={t('Enabled')}
        description={t('A disabled one still runs by hand.')}
        checked={draft.isEnabled}
        onChange={({ currentTarget }) => change({ isEnabled: currentTarget.checked })}
      />
    </>
  )
}
