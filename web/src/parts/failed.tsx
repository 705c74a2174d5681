import { Alert, Button, Group, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react'
import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'

interface FailedProps {
  error: Pick<AppError, 'message' | 'hint' | 'fields' | 'code'>
  retry?: (() => unknown) | undefined
  title?: string
}

/** What went wrong, in the app's own sentence, what helps, and a way to try again. */
export function Failed({ error, retry, title }: FailedProps) {
  const t = useT()
  const others = (error.fields ?? []).filter(
    ({ field, message }) => !error.message.includes(`${field}: ${message}`),
  )
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={title ?? t('That did not work')}
    >
      <Stack gap="xs">
        <Text size="sm">{error.message}</Text>
        {others.length > 0 && (
          <List size="sm">
            {others.map(({ field, message }) => (
              <List.Item key={field}>
                {field}: {message}
              </List.Item>
            ))}
          </List>
        )}
        {error.hint !== undefined && (
          <Text size="sm" fw={500}>
            {error.hint}
          </Text>
        )}
        {retry && (
          <Group>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={() => void retry()}
            >
              {t('Try again')}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  )
}
