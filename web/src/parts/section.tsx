import { Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface SectionProps {
  title: string
  about?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}

/** A part of a page that is about one thing. */
export function Section({ title, about, actions, children }: SectionProps) {
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }} component="section" aria-label={title}>
      <Stack gap="md">
        <Stack gap={4}>
          <Group justify="space-between" align="center" gap="sm">
            <Title order={2} size="h4">
              {title}
            </Title>
            {actions && <Group gap="xs">{actions}</Group>}
          </Group>
          {about && (
            <Text size="sm" c="dimmed">
              {about}
            </Text>
          )}
        </Stack>
        {children}
      </Stack>
    </Paper>
  )
}
