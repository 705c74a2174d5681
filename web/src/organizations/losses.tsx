import { Alert, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { OrganizationLosses } from '../../../src/shared/organizations.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'
import { Obstacles } from './obstacles.tsx'

/** Exactly what goes with an organization. */
export function Losses({ lost }: { lost: OrganizationLosses }) {
  const t = useT()
  const language = useLanguage()
  const { volumes, membersWithout, warnings, obstacles } = lost
  const lists: [title: string, names: readonly string[]][] = [
    [t('Servers'), lost.servers],
    [t('Plans'), lost.plans],
    [t('Schedules'), lost.schedules],
    [t('Scheduled restores'), lost.scheduledRestores],
    [t('Keys'), lost.keys],
    [t('Channels'), lost.channels],
    [t('Notification rules'), lost.notificationRules],
    [t('Hooks'), lost.hooks],
    [t('Roles'), lost.roles],
    [t('API tokens'), lost.tokens],
    [t('Open invitations'), lost.invitations],
  ]
  return (
    <Stack gap="md">
      <Obstacles obstacles={obstacles} />
      {warnings.map((warning) => (
        <Alert key={warning} variant="light" color="orange" icon={<IconAlertTriangle aria-hidden />}>
          <Text size="sm">{warning}</Text>
        </Alert>
      ))}
      <Text size="sm">{t('With it goes, and does not come back:')}</Text>
      <List size="sm" spacing={4}>
        {lists
          .filter(([, names]) => names.length > 0)
          .map(([title, names]) => (
            <List.Item key={title}>{t('{{title}}: {{names}}', { title, names: names.join(', ') })}</List.Item>
          ))}
        <List.Item>{t('{{count}} snapshots in the catalogue', { count: lost.snapshots })}</List.Item>
        <List.Item>{t('{{count}} jobs of the history, with their logs', { count: lost.jobs })}</List.Item>
        <List.Item>{t('{{count}} memberships; the accounts stay', { count: lost.members })}</List.Item>
      </List>
      {membersWithout.length > 0 && (
        <>
          <Text size="sm">{t('These people are in no organization then:')}</Text>
          <List size="sm" spacing={4}>
            {membersWithout.map(({ name, email }) => (
              <List.Item key={email}>
                {name} ({email})
              </List.Item>
            ))}
          </List>
        </>
      )}
      {volumes.length > 0 && (
        <>
          <Text size="sm" fw={500}>
            {t('What lies on these volumes is not touched. The volumes are only forgotten:')}
          </Text>
          <List size="sm" spacing={4}>
            {volumes.map(({ name, location, copies, bytes }) => (
              <List.Item key={name}>
                {t('{{name}}: {{count}} copies, {{size}}', {
                  name,
                  count: copies,
                  size: bytesText(bytes, language),
                })}
                {location !== null && (
                  <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                    {location}
                  </Text>
                )}
              </List.Item>
            ))}
          </List>
        </>
      )}
    </Stack>
  )
}
