import { Chip, Group, Input, MultiSelect, NumberInput, Select, Stack, TextInput } from '@mantine/core'
import type { NewRule, Weekday } from '../../../src/shared/schedules.ts'
import { fieldErrors } from '../api.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { errorOf } from '../parts/field-errors.ts'
import { monospace } from '../parts/monospace.ts'
import { RulePreview, useRulePreview } from './rule-preview.tsx'
import { TimesField } from './times-field.tsx'

export type RuleKind = NewRule['type']

const titles: Record<RuleKind, string> = {
  daily: msg('Every day'),
  weekly: msg('Every week'),
  monthly: msg('Every month'),
  hourly: msg('Every few hours'),
  cron: msg('Cron expression'),
  migration: msg('Before a migration'),
}
const allKinds = Object.keys(titles) as RuleKind[]

/** What a form begins with. */
export const FIRST_RULE: NewRule = { type: 'daily', times: ['03:00'] }

interface ScheduleFieldsProps {
  value: NewRule
  onChange: (rule: NewRule) => void
  /** What is wrong with which field of the rule: `times`, `expression` … */
  errors?: Record<string, string>
  /** Those that can be chosen; absent: all. */
  kinds?: readonly RuleKind[]
}

/** When something runs, with what that means in words and the next runs. */
export function ScheduleFields({ value, onChange, errors = {}, kinds = allKinds }: ScheduleFieldsProps) {
  const t = useT()
  const preview = useRulePreview(value)
  const found = { ...fieldErrors(preview.error, 'rule.'), ...errors }
  return (
    <Stack gap="md">
      <Select
        label={t('When it runs')}
        data={kinds.map((kind) => ({ value: kind, label: t(titles[kind]) }))}
        value={value.type}
        allowDeselect={false}
        onChange={(kind) => kind && onChange(ruleOf(kind, value))}
      />
      <RuleFields value={value} onChange={onChange} errors={found} />
      {value.type !== 'migration' && (
        <TimeZoneField
          value={value.timeZone}
          error={found['timeZone']}
          onChange={(timeZone) => onChange(withZone(value, timeZone))}
        />
      )}
      <RulePreview preview={preview} isShownElsewhere={Object.keys(found).length > 0} />
    </Stack>
  )
}

interface FieldsProps {
  value: NewRule
  onChange: (rule: NewRule) => void
  errors: Record<string, string>
}

function RuleFields({ value, onChange, errors }: FieldsProps) {
  const t = useT()
  const error = (name: string) => errorOf(errors, name)
  switch (value.type) {
    case 'hourly':
      return (
        <Group align="flex-start">
          <NumberInput
            label={t('Every so many hours')}
            description={t('Counted anew from each midnight')}
            min={1}
            max={23}
            value={value.every}
            error={error('every')}
            onChange={(every) => onChange({ ...value, every: Number(every) })}
          />
          <NumberInput
            label={t('At minute')}
            description={t('0 to 59')}
            min={0}
            max={59}
            value={value.minute}
            error={error('minute')}
            onChange={(minute) => onChange({ ...value, minute: Number(minute) })}
          />
        </Group>
      )
    case 'daily':
      return (
        <TimesField
          value={value.times}
          error={error('times')}
          onChange={(times) => onChange({ ...value, times })}
        />
      )
    case 'weekly':
      return (
        <>
          <WeekdaysField
            value={value.weekdays}
            error={error('weekdays')}
            onChange={(weekdays) => onChange({ ...value, weekdays })}
          />
          <TimesField
            value={value.times}
            error={error('times')}
            onChange={(times) => onChange({ ...value, times })}
          />
        </>
      )
    case 'monthly':
      return (
        <>
          <MultiSelect
            label={t('Days of the month')}
            description={t(
              'A day that a month does not have falls on its last day, so 31 is always the last day',
            )}
            data={Array.from({ length: 31 }, (_, index) => String(index + 1))}
            value={value.days.map(String)}
            error={error('days')}
            searchable
            onChange={(days) => onChange({ ...value, days: days.map(Number).sort((a, b) => a - b) })}
          />
          <TimesField
            value={value.times}
            error={error('times')}
            onChange={(times) => onChange({ ...value, times })}
          />
        </>
      )
    case 'cron':
      return (
        <TextInput
          label={t('Cron expression')}
          description={t('Minute, hour, day of the month, month, weekday')}
          styles={monospace}
          autoComplete="off"
          spellCheck={false}
          value={value.expression}
          error={error('expression')}
          onChange={({ currentTarget }) => onChange({ ...value, expression: currentTarget.value })}
        />
      )
    case 'migration':
      return null
    default: {
      const never: never = value
      return never
    }
  }
}

/** A Monday, to name the days of the week from. */
const MONDAY = Date.UTC(2024, 0, 1)
const days: readonly Weekday[] = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
]

interface WeekdaysFieldProps {
  value: Weekday[]
  onChange: (weekdays: Weekday[]) => void
  error: string | undefined
}

function WeekdaysField({ value, onChange, error }: WeekdaysFieldProps) {
  const t = useT()
  const language = useLanguage()
  const name = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' })
  return (
    <Input.Wrapper label={t('Weekdays')} labelElement="div" error={error}>
      <Chip.Group
        multiple
        value={value}
        onChange={(chosen) => onChange(days.filter((day) => chosen.includes(day)))}
      >
        <Group gap="xs" mt={4} role="group" aria-label={t('Weekdays')}>
          {days.map((day, index) => (
            <Chip key={day} value={day} size="sm">
              {name.format(MONDAY + index * 86_400_000)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Input.Wrapper>
  )
}

interface TimeZoneFieldProps {
  value: string | undefined
  onChange: (timeZone: string | undefined) => void
  error: string | undefined
}

function TimeZoneField({ value, onChange, error }: TimeZoneFieldProps) {
  const t = useT()
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]
  const data = value === undefined || zones.includes(value) ? zones : [value, ...zones]
  return (
    <Select
      label={t('Time zone')}
      placeholder={t('That of the organization')}
      data={data}
      value={value ?? null}
      error={error}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': t('Clear') }}
      limit={100}
      nothingFoundMessage={t('Nothing was found')}
      onChange={(zone) => onChange(zone ?? undefined)}
    />
  )
}

function withZone(rule: NewRule, timeZone: string | undefined): NewRule {
  const { timeZone: _, ...rest } = rule
  return timeZone === undefined ? rest : { ...rest, timeZone }
}

/** A rule of another kind, which keeps what both have. */
function ruleOf(type: RuleKind, before: NewRule): NewRule {
  const times = 'times' in before ? before.times : ['03:00']
  const zone = before.timeZone === undefined ? {} : { timeZone: before.timeZone }
  switch (type) {
    case 'daily':
      return { type, times, ...zone }
    case 'weekly':
      return { type, weekdays: ['sunday'], times, ...zone }
    case 'monthly':
      return { type, days: [1], times, ...zone }
    case 'hourly':
      return { type, every: 6, minute: 0, ...zone }
    case 'cron':
      return { type, expression: '0 3 * * *', ...zone }
    case 'migration':
      return { type, ...zone }
    default: {
      const never: never = type
      return never
    }
  }
}
