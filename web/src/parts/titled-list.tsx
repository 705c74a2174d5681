import { Group, Stack, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface TitledListProps {
  title: string
  /** What can be done here, or where there is more. */
  actions?: ReactNode
  children: ReactNode
}

/** A part of a page that is a list, which has a frame of its own. */
export function TitledList({ title, actions, children }: TitledListProps) {
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Title order={2} size="h4">
          {title}
        </Title>
        {actions}
      </Group>
      {children}
    </Stack>
  )
}
