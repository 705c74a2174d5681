import { List, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { MergedOrganization } from '../../../src/shared/organizations.ts'
import { msg, useLanguage, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { ServerLimitView } from '../roles/server-limit-view.tsx'
import { Obstacles } from './obstacles.tsx'

const words: Record<string, string> = {
  servers: msg('Servers'),
  volumes: msg('Volumes'),
  keys: msg('Keys'),
  schedules: msg('Schedules'),
  scheduledRestores: msg('Scheduled restores'),
  hooks: msg('Hooks'),
  channels: msg('Channels'),
  notificationRules: msg('Notification rules'),
  roles: msg('Roles'),
  tokens: msg('API tokens'),
  plans: msg('Plans'),
  snapshots: msg('Snapshots'),
  jobs: msg('Jobs'),
  members: msg('Members'),
}

/** What merging means, before it is done. */
export function MergeReport({ report }: { report: MergedOrganization }) {
  const t = useT()
  const language = useLanguage()
  const { moved, renamed, unitedRoles, changedRoles, differentSettings, alreadyMembers, dropped } = report
  const counted = Object.entries(moved).filter(([, count]) => count > 0)
  return (
    <Stack gap="md">
      <Obstacles obstacles={report.obstacles} />
      <Part title={t('This moves:')} items={counted}>
        {([name, count]) =>
          t('{{what}}: {{number}}', { what: t(words[name] ?? name), number: numberText(count, language) })
        }
      </Part>
      <Part title={t('These get another name:')} items={renamed}>
        {({ what, from, to }) => t('{{what}}: “{{from}}” becomes “{{to}}”', { what: t(what), from, to })}
      </Part>
      <Part title={t('These roles allow the same, and become one:')} items={unitedRoles}>
        {(name) => t(name)}
      </Part>
      <Part
        title={t('These roles are limited in other words, and reach the same servers:')}
        items={changedRoles}
      >
        {({ name, organization, to }) => (
          <>
            {t('{{role}} of “{{organization}}”, from now on:', { role: name, organization })}{' '}
            <ServerLimitView limit={to} />
          </>
        )}
      </Part>
      <Part
        title={t('These settings differ; those of the one that stays are for all:')}
        items={differentSettings}
      >
        {({ name, from, into }) =>
          t('{{setting}}: {{from}} here, {{into}} there', {
            setting: name,
            from: shown(from),
            into: shown(into),
          })
        }
      </Part>
      <Part title={t('They are members of both, and keep their role there:')} items={alreadyMembers}>
        {({ name, email }) => `${name} (${email})`}
      </Part>
      <Part title={t('This does not come along:')} items={dropped}>
        {(sentence) => sentence}
      </Part>
    </Stack>
  )
}

interface PartProps<Item> {
  title: string
  items: readonly Item[]
  children: (item: Item) => ReactNode
}

function Part<Item>({ title, items, children }: PartProps<Item>) {
  if (items.length === 0) return null
  return (
    <Stack gap={4}>
      <Text size="sm" fw={500}>
        {title}
      </Text>
      <List size="sm" spacing={2}>
        {items.map((item, index) => (
          <List.Item key={index}>{children(item)}</List.Item>
        ))}
      </List>
    </Stack>
  )
}

function shown(setting: unknown): string {
  return setting === null ? '–' : typeof setting === 'string' ? setting : JSON.stringify(setting)
}
