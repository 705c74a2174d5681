import { Avatar, Badge, Group, Stack, Text } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'

interface PersonNameProps {
  name: string
  email: string
  isOneself: boolean
  isDisabled: boolean
  isAdministrator: boolean
}

export function PersonName({ name, email, isOneself, isDisabled, isAdministrator }: PersonNameProps) {
  const t = useT()
  return (
    <Group wrap="nowrap" gap="sm">
      <Avatar name={name} color="harbour" radius="xl" size="md" aria-hidden visibleFrom="sm" />
      <Stack gap={2} miw={0}>
        <Group gap={6}>
          <Text span inherit fw={500}>
            {name}
          </Text>
          {isOneself && (
            <Badge variant="light" color="gray" size="sm" tt="none">
              {t('you')}
            </Badge>
          )}
          {isAdministrator && (
            <Badge variant="light" color="grape" size="sm" tt="none">
              {t('administers the instance')}
            </Badge>
          )}
          {isDisabled && (
            <Badge variant="light" color="red" size="sm" tt="none">
              {t('disabled')}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed" fw={400}>
          {email}
        </Text>
      </Stack>
    </Group>
  )
}
