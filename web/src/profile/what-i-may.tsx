import { Badge, Group, List, Text } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/section.tsx'
import { ServerLimitView } from '../roles/server-limit-view.tsx'

/** What the own role allows. */
export function WhatIMay() {
  const t = useT()
  const { abilities, servers, organization } = useMe()
  const known = useAsk('GET /api/v1/abilities')
  return (
    <Section
      title={t('What you may do')}
      about={t('In “{{organization}}”.', { organization: organization.name })}
    >
      {servers && (
        <Group gap="xs">
          <Badge variant="light" color="orange" tt="none">
            {t('Only on some servers')}
          </Badge>
          <ServerLimitView limit={servers} />
        </Group>
      )}
      <Asked question={known}>
        {({ items }) => (
          <List spacing={6} size="sm" icon={<IconCheck size={16} aria-hidden />} center>
            {items
              .filter(({ name }) => abilities.includes(name))
              .map(({ name, title }) => (
                <List.Item key={name}>
                  <Text span size="sm">
                    {t(title)}
                  </Text>
                </List.Item>
              ))}
          </List>
        )}
      </Asked>
    </Section>
  )
}
