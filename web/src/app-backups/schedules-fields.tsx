import { Alert, Button, Fieldset, Group, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconPlus, IconTrash } from '@tabler/icons-react'
import type { NewAppBackupSchedule } from '../../../src/shared/app-backups.ts'
import { useT } from '../i18n/i18n.ts'
import { type RuleKind, ScheduleFields } from '../schedules/schedule-fields.tsx'

const kinds = ['migration', 'daily', 'weekly', 'monthly'] as const satisfies readonly RuleKind[]

interface SchedulesFieldsProps {
  value: NewAppBackupSchedule[]
  onChange: (schedules: NewAppBackupSchedule[]) => void
  /** `0.times` and the like. */
  errors: Record<string, string>
}

/** When a backup is made; there may be several rules. */
export function SchedulesFields({ value, onChange, errors }: SchedulesFieldsProps) {
  const t = useT()
  const errorsOf = (index: number) =>
    Object.fromEntries(
      Object.entries(errors)
        .filter(([field]) => field.startsWith(`${index}.`))
        .map(([field, message]) => [field.slice(`${index}.`.length), message]),
    )
  return (
    <Stack gap="md">
      {value.map((rule, index) => (
        <Fieldset key={index} legend={t('Schedule {{number}}', { number: index + 1 })}>
          <Stack gap="md">
            <ScheduleFields
              kinds={kinds}
              value={rule}
              errors={errorsOf(index)}
              onChange={(changed) =>
                onChange(value.map((one, at) => (at === index ? (changed as NewAppBackupSchedule) : one)))
              }
            />
            {rule.type === 'migration' && (
              <Text size="sm" c="dimmed">
                {t(
                  'Made by itself before a new release changes the database. If that backup fails, the release does not start, and changes nothing.',
                )}
              </Text>
            )}
            <Group>
              <Button
                variant="subtle"
                color="red"
                size="compact-sm"
                leftSection={<IconTrash size={14} aria-hidden />}
                aria-label={t('Remove schedule {{number}}', { number: index + 1 })}
                onClick={() => onChange(value.filter((_, at) => at !== index))}
              >
                {t('Remove')}
              </Button>
            </Group>
          </Stack>
        </Fieldset>
      ))}
      {!value.some(({ type }) => type === 'migration') && (
        <Alert variant="light" color="orange" icon={<IconAlertTriangle aria-hidden />}>
          {t(
            'Keep at least one entry with a backup before migrations: it is the way back if a release goes wrong.',
          )}
        </Alert>
      )}
      <Group>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...value, nextRule(value)])}
        >
          {t('Add a schedule')}
        </Button>
      </Group>
    </Stack>
  )
}

/** What is most likely missing. */
function nextRule(rules: NewAppBackupSchedule[]): NewAppBackupSchedule {
  return rules.some(({ type }) => type === 'migration')
    ? { type: 'daily', times: ['03:00'] }
    : { type: 'migration' }
}
