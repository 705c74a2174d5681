import { Button, Group, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import type { Compression } from '../../../src/shared/codecs.ts'
import { type Weekday, weekdays } from '../../../src/shared/schedules.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../../src/shared/settings.ts'
import { type Translate, useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { CompressionFields, compressionText } from './compression-fields.tsx'
import type { Setting } from './setting-groups.ts'

interface SettingFieldProps {
  setting: Setting
  /** Null: the default. */
  value: unknown
  onChange: (value: unknown) => void
  error: string | undefined
  isDisabled: boolean
}

const defaults: Partial<Settings> = DEFAULT_SETTINGS

/** One setting with its help, its default, and the way back to it. */
export function SettingField({ setting, value, onChange, error, isDisabled }: SettingFieldProps) {
  const t = useT()
  const language = useLanguage()
  const standard = defaults[setting.name]
  const isDefault =
    value === null || value === undefined || JSON.stringify(value) === JSON.stringify(standard)
  return (
    <Stack gap={4}>
      <SettingInput
        setting={setting}
        value={value ?? standard}
        onChange={onChange}
        error={error}
        isDisabled={isDisabled}
      />
      <Group gap="xs" mih={26}>
        <Text size="xs" c="dimmed">
          {t('Default: {{value}}', { value: defaultText(t, language, setting) })}
        </Text>
        {!isDefault && !isDisabled && (
          <Button
            variant="subtle"
            size="compact-xs"
            aria-label={t('“{{name}}” back to default', { name: t(setting.title) })}
            onClick={() => onChange(null)}
          >
            {t('Back to default')}
          </Button>
        )}
      </Group>
    </Stack>
  )
}

function SettingInput({ setting, value, onChange, error, isDisabled }: SettingFieldProps) {
  const t = useT()
  const language = useLanguage()
  const { title, help, input, unit, name } = setting
  const common = {
    label: t(title),
    description: t(help),
    inputWrapperOrder: ['label', 'input', 'description', 'error'] as [
      'label',
      'input',
      'description',
      'error',
    ],
    error,
    disabled: isDisabled,
  }
  switch (input) {
    case 'compression':
      return (
        <CompressionFields
          value={value as Compression}
          onChange={onChange}
          error={error}
          isDisabled={isDisabled}
        />
      )
    case 'number':
      return (
        <NumberInput
          {...common}
          min={0}
          allowDecimal={false}
          suffix={unit === undefined ? '' : ` ${t(unit)}`}
          placeholder={name === 'overdueMinutes' ? t('Its schedule’s interval and two hours') : undefined}
          value={typeof value === 'number' ? value : ''}
          onChange={(given) => onChange(given === '' || given === '-' ? null : Number(given))}
        />
      )
    case 'time':
      return (
        <TextInput
          {...common}
          type="time"
          value={String(value)}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )
    case 'weekday':
      return (
        <Select
          {...common}
          data={weekdays.map((day) => ({ value: day, label: weekdayText(day, language) }))}
          allowDeselect={false}
          value={String(value)}
          onChange={onChange}
        />
      )
    case 'time zone':
      return (
        <Select
          {...common}
          data={zonesWith(value)}
          searchable
          allowDeselect={false}
          limit={100}
          nothingFoundMessage={t('Nothing was found')}
          placeholder={t('That of the installation')}
          value={typeof value === 'string' ? value : null}
          onChange={onChange}
        />
      )
    default: {
      const never: never = input
      return never
    }
  }
}

/** A Monday, to name the days of the week from. */
const MONDAY = Date.UTC(2024, 0, 1)

function weekdayText(day: Weekday, language: string): string {
  const name = new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' })
  return name.format(MONDAY + weekdays.indexOf(day) * 86_400_000)
}

function zonesWith(value: unknown): string[] {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]
  return typeof value !== 'string' || zones.includes(value) ? zones : [value, ...zones]
}

function defaultText(t: Translate, language: string, { name, input, unit }: Setting): string {
  const standard = defaults[name]
  if (name === 'displayTimeZone') return t('that of the installation')
  if (name === 'overdueMinutes') return t('its schedule’s interval and two hours')
  if (input === 'compression') return compressionText(t, standard as Compression)
  if (input === 'weekday') return weekdayText(standard as Weekday, language)
  if (typeof standard === 'string') return standard
  const number = numberText(Number(standard), language)
  return unit === undefined ? number : t('{{number}} {{unit}}', { number, unit: t(unit) })
}
