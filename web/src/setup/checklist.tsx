import { Anchor, Button, Group, List, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { IconCheck, IconCircleDashed } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { LinkTo } from '../parts/link.tsx'
import { useSetupProgress } from './progress.ts'

/** What is still to do until the first snapshot is proven. It stays until that is so. */
export function Checklist() {
  const t = useT()
  const may = useMay()
  const progress = useSetupProgress()
  if (!progress || progress.isComplete || !may('manage-servers')) return null
  const steps = [
    { isDone: true, title: t('Create your account'), to: '/profile' },
    {
      isDone: progress.server !== undefined,
      title: t('Connect a server, or try with a sample database'),
      to: '/welcome',
    },
    { isDone: progress.volume !== undefined, title: t('A volume to keep snapshots on'), to: '/volumes' },
    { isDone: progress.snapshot !== undefined, title: t('Make the first backup'), to: '/welcome' },
    {
      isDone: progress.restore !== undefined,
      title: t('Restore it beside, to see that it can be done'),
      to: '/welcome',
    },
  ]
  const next = steps.find(({ isDone }) => !isDone)
  return (
    <Paper withBorder p="lg">
      <Group justify="space-between" align="flex-start" gap="lg">
        <Stack gap="sm">
          <Title order={2} size="h4">
            {t('First steps')}
          </Title>
          <List spacing="xs" center>
            {steps.map(({ isDone, title, to }) => (
              <List.Item
                key={title}
                icon={
                  <ThemeIcon size="sm" radius="xl" variant="light" color={isDone ? 'green' : 'gray'}>
                    {isDone ? (
                      <IconCheck size={13} aria-label={t('done')} />
                    ) : (
                      <IconCircleDashed size={13} aria-label={t('to do')} />
                    )}
                  </ThemeIcon>
                }
              >
                {isDone ? (
                  <Text span c="dimmed">
                    {title}
                  </Text>
                ) : (
                  <Anchor component={LinkTo} to={to}>
                    {title}
                  </Anchor>
                )}
              </List.Item>
            ))}
          </List>
        </Stack>
        {next && (
          <Button component={LinkTo} to={next.to}>
            {t('Go on')}
          </Button>
        )}
      </Group>
    </Paper>
  )
}
