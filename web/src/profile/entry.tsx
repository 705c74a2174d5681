import { Box, Group, Paper, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

interface EntryProps {
  title: ReactNode
  action?: ReactNode
  children?: ReactNode
}

/** One of a few things in a section: what it is, what is known of it, and what can be done with it. */
export function Entry({ title, action, children }: EntryProps) {
  return (
    <Paper component="li" withBorder p="sm" style={{ listStyle: 'none' }}>
      <Group justify="space-between" wrap="nowrap" align="center">
        <Stack gap={2} miw={0}>
          <Text fw={500} size="sm" component="div" style={{ overflowWrap: 'anywhere' }}>
            {title}
          </Text>
          {children}
        </Stack>
        <Box style={{ flexShrink: 0 }}>{action}</Box>
      </Group>
    </Paper>
  )
}
