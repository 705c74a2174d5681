import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { LinkTo } from './link.tsx'

interface PageProps {
  title: string
  /** One sentence under the title. */
  about?: ReactNode
  /** The way back: what this page lies below. */
  above?: { title: string; to: string }[]
  /** What can be done here, the most usual first. */
  actions?: ReactNode
  children: ReactNode
}

/** The frame of every page: where one is, what can be done, and the rest. */
export function Page({ title, about, above = [], actions, children }: PageProps) {
  useDocumentTitle(`${title} · Holdfast`)
  return (
    <Stack gap="lg">
      <Stack gap={4}>
        {above.length > 0 && (
          <Breadcrumbs separatorMargin="xs">
            {above.map((one) => (
              <Anchor key={one.to} component={LinkTo} to={one.to} size="sm">
                {one.title}
              </Anchor>
            ))}
          </Breadcrumbs>
        )}
        <Group justify="space-between" align="flex-start" gap="sm">
          <Title order={1} size="h2" lineClamp={2} maw="100%">
            {title}
          </Title>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
        {about && (
          <Text c="dimmed" maw="48rem">
            {about}
          </Text>
        )}
      </Stack>
      {children}
    </Stack>
  )
}
