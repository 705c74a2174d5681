import { Group, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface StepProps {
  number: number
  title: string
  about?: string
  isDone?: boolean
  children: ReactNode
}

/** A part of a form that is filled in from top to bottom. */
export function Step({ number, title, about, isDone = false, children }: StepProps) {
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }} component="section" aria-label={title}>
      <Stack gap="lg">
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <ThemeIcon radius="xl" variant={isDone ? 'filled' : 'light'} aria-hidden>
            {isDone ? <IconCheck size={16} /> : number}
          </ThemeIcon>
          <Stack gap={2}>
            <Title order={2} size="h4">
              {title}
            </Title>
            {about !== undefined && (
              <Text size="sm" c="dimmed">
                {about}
              </Text>
            )}
          </Stack>
        </Group>
        {children}
      </Stack>
    </Paper>
  )
}
