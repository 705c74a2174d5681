import { Group, PasswordInput, Stack, Text } from '@mantine/core'
import { IconCircleCheck, IconCircleDashed } from '@tabler/icons-react'
import { PASSWORD_MIN } from '../../../src/shared/password-length.ts'
import { useT } from '../i18n/i18n.ts'

interface NewPasswordProps {
  label?: string
  value: string
  onChange: (value: string) => void
  error?: string | undefined
}

export function isLongEnough(password: string): boolean {
  return lengthOf(password) >= PASSWORD_MIN
}

/** A password that is to be set, with what makes a good one. All else is judged by the app, in sentences. */
export function NewPassword({ label, value, onChange, error }: NewPasswordProps) {
  const t = useT()
  const isLong = isLongEnough(value)
  const Icon = isLong ? IconCircleCheck : IconCircleDashed
  return (
    <Stack gap={6}>
      <PasswordInput
        label={label ?? t('Password')}
        description={t(
          'A few words that have nothing to do with each other, or what a password manager makes, is good.',
        )}
        autoComplete="new-password"
        required
        value={value}
        error={error}
        visibilityToggleButtonProps={{ 'aria-label': t('Show the password') }}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <Group gap={6} wrap="nowrap">
        <Text span c={isLong ? 'green' : 'dimmed'} lh={0}>
          <Icon size={16} aria-label={isLong ? t('done') : t('to do')} />
        </Text>
        <Text size="sm" c="dimmed">
          {t('At least {{least}} characters: {{given}} so far', {
            least: PASSWORD_MIN,
            given: lengthOf(value),
          })}
        </Text>
      </Group>
    </Stack>
  )
}

function lengthOf(password: string): number {
  return Array.from(password.normalize('NFKC')).length
}
