import { Button, Group, MultiSelect, Radio, Select, Stack, Text, TextInput } from '@mantine/core'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import type { Volume } from '../../../src/shared/volumes.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { errorOf, errorsBelow } from '../parts/field-errors.ts'
import { DatabaseFields } from '../plans/database-fields.tsx'
import type { FirstPlan } from './first-plan.ts'
import { HowLong } from './how-long.tsx'
import { Step } from './step.tsx'

interface FirstPlanFieldsProps {
  value: FirstPlan
  onChange: (changes: Partial<FirstPlan>) => void
  volumes: readonly Volume[]
  schedules: readonly NamedSchedule[]
  /** Undefined until the server is saved. */
  serverId: string | undefined
  /** Saves it, so that its databases can be listed. */
  onSaveServer: () => void
  isSaving: boolean
  errors: Record<string, string>
}

/** What is backed up, where, when, and how long it is kept: with an answer that most people want. */
export function FirstPlanFields(props: FirstPlanFieldsProps) {
  const { value, onChange, volumes, schedules, serverId, onSaveServer, isSaving, errors } = props
  const t = useT()
  return (
    <>
      <Step number={3} title={t('What is backed up')}>
        <DatabaseFields
          serverId={serverId}
          databases={value.databases}
          excluded={value.excludedDatabases}
          onDatabases={(databases) => onChange({ databases })}
          onExcluded={(excludedDatabases) => onChange({ excludedDatabases })}
          errors={errors}
        />
        {serverId === undefined && value.databases.mode !== 'all' && (
          <Group gap="sm">
            <Button variant="default" size="xs" loading={isSaving} onClick={onSaveServer}>
              {t('Add server now and list its databases')}
            </Button>
            <Text size="sm" c="dimmed">
              {t('Then you can choose from them.')}
            </Text>
          </Group>
        )}
      </Step>
      <Step number={4} title={t('Where, when and how long')}>
        <Stack gap="lg">
          <MultiSelect
            label={t('Volumes')}
            description={t('Each backup is written to all of them at once')}
            data={volumes.map(({ id, name, isReadOnly }) => ({
              value: id,
              label: name,
              disabled: isReadOnly,
            }))}
            value={value.volumes}
            error={errorOf(errors, 'volumes')}
            withAsterisk
            hidePickedOptions
            onChange={(chosen) => onChange({ volumes: chosen })}
          />
          <WhenFields value={value} onChange={onChange} schedules={schedules} errors={errors} />
          <HowLong
            value={value.retention}
            onChange={(retention) => onChange({ retention })}
            errors={errorsBelow(errors, 'retention')}
          />
        </Stack>
      </Step>
    </>
  )
}

function WhenFields({
  value,
  onChange,
  schedules,
  errors,
}: Pick<FirstPlanFieldsProps, 'value' | 'onChange' | 'schedules' | 'errors'>) {
  const t = useT()
  const speech = useSpeech()
  const chosen = schedules.find(({ id }) => id === value.scheduleId)
  const may = useMay()
  return (
    <Stack gap="xs">
      <Radio.Group
        label={t('When')}
        value={value.when}
        onChange={(when) =>
          onChange({
            when,
            ...(when === 'schedule' && { scheduleId: value.scheduleId ?? schedules[0]?.id ?? null }),
          })
        }
      >
        <Stack gap="xs" mt="xs">
          {schedules.length > 0 && <Radio value="schedule" label={t('On a schedule that is there')} />}
          {may('manage-schedules') && <Radio value="daily" label={t('Every day, on a new schedule')} />}
          <Radio value="hand" label={t('Only by hand')} />
        </Stack>
      </Radio.Group>
      {value.when === 'schedule' && (
        <Select
          label={t('Schedule')}
          description={chosen && describeSchedule(chosen.meaning, speech)}
          data={schedules.map(({ id, name }) => ({ value: id, label: name }))}
          value={value.scheduleId}
          allowDeselect={false}
          maw={420}
          onChange={(scheduleId) => onChange({ scheduleId })}
        />
      )}
      {value.when === 'daily' && (
        <TextInput
          type="time"
          label={t('Every day at')}
          description={t('In the time zone of the organization')}
          value={value.time}
          error={errorOf(errors, 'rule.times')}
          maw={220}
          onChange={({ currentTarget }) => onChange({ time: currentTarget.value })}
        />
      )}
    </Stack>
  )
}
