import { ActionIcon, Button, Group, Input, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'

interface TimesFieldProps {
  value: string[]
  onChange: (times: string[]) => void
  error?: string | undefined
}

/** One or more times of day. */
export function TimesField({ value, onChange, error }: TimesFieldProps) {
  const t = useT()
  const change = (index: number, time: string) =>
    onChange(value.map((one, at) => (at === index ? time : one)))
  return (
    <Input.Wrapper label={t('Times of day')} labelElement="div" error={error}>
      <Group gap="sm" mt={4} role="group" aria-label={t('Times of day')}>
        {value.map((time, index) => (
          <TextInput
            // The times themselves change while they are typed.
            key={index}
            type="time"
            aria-label={t('Time {{number}}', { number: index + 1 })}
            value={time}
            w={value.length > 1 ? 180 : 150}
            rightSection={
              value.length > 1 ? (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="sm"
                  aria-label={t('Remove time {{number}}', { number: index + 1 })}
                  onClick={() => onChange(value.filter((_, at) => at !== index))}
                >
                  <IconX size={14} aria-hidden />
                </ActionIcon>
              ) : undefined
            }
            onChange={({ currentTarget }) => change(index, currentTarget.value)}
          />
        ))}
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => onChange([...value, '15:00'])}
        >
          {t('Add a time')}
        </Button>
      </Group>
    </Input.Wrapper>
  )
}
