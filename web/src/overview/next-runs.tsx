import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { Overview } from '../../../src/shared/overview.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { LinkTo } from '../parts/link.tsx'
import { shortTime, When } from '../parts/when.tsx'

/** What runs next by itself. */
export function NextRuns({ runs }: { runs: Overview['nextRuns'] }) {
  const t = useT()
  const language = useLanguage()
  return (
    <Paper withBorder p="lg" h="100%">
      <Stack>
        <Title order={2} size="h4">
          {t('Next runs')}
        </Title>
        {runs.length === 0 && <Text c="dimmed">{t('Nothing runs by itself.')}</Text>}
        {runs.slice(0, 6).map(({ at, scheduleId, scheduleName, plans }) => (
          <Group key={`${scheduleId} ${at}`} justify="space-between" wrap="nowrap" align="flex-start">
            <Stack gap={0}>
              <Anchor component={LinkTo} to="/schedules">
                {scheduleName}
              </Anchor>
              <Text size="sm" c="dimmed">
                {t('{{count}} plans', { count: plans })}
              </Text>
            </Stack>
            <Stack gap={0} align="flex-end">
              <When at={at} />
              <Text size="sm" c="dimmed">
                {shortTime(at, language)}
              </Text>
            </Stack>
          </Group>
        ))}
      </Stack>
    </Paper>
  )
}
