import { Group, Radio, SimpleGrid, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './kind-cards.module.css'

export interface Kind {
  name: string
  label: string
  /** What it is for, in half a line. */
  about?: string
  icon: ReactNode
}

interface KindCardsProps {
  label: string
  kinds: readonly Kind[]
  value: string | undefined
  onChange: (name: string) => void
}

/** The choice of what kind of thing is to be added. */
export function KindCards({ label, kinds, value, onChange }: KindCardsProps) {
  return (
    <Radio.Group label={label} value={value ?? null} onChange={onChange}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" mt="xs">
        {kinds.map(({ name, label, about, icon }) => (
          <Radio.Card key={name} value={name} className={classes.card} aria-label={label}>
            <Group wrap="nowrap" gap="sm">
              {icon}
              <Stack gap={0}>
                <Text size="sm" fw={600}>
                  {label}
                </Text>
                {about !== undefined && (
                  <Text size="xs" c="dimmed">
                    {about}
                  </Text>
                )}
              </Stack>
            </Group>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  )
}
