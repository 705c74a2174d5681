import { Button, Paper, SimpleGrid, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import { IconFlask, IconServer } from '@tabler/icons-react'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'

/** One's own server, or a small shop in SQLite to try everything with. */
export function FirstServer() {
  const t = useT()
  const sample = useChange('POST /api/v1/sample-server')
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }} maw={760}>
        <Paper withBorder p="lg">
          <Stack h="100%" justify="space-between" align="flex-start">
            <Stack gap="xs">
              <ThemeIcon size={40} radius="xl" variant="light" aria-hidden>
                <IconServer size={22} />
              </ThemeIcon>
              <Title order={2} size="h4">
                {t('Connect a server')}
              </Title>
              <Text c="dimmed">{t('PostgreSQL, MySQL, MariaDB, or a SQLite file on this machine.')}</Text>
            </Stack>
            <Button component={LinkTo} to="/servers/new">
              {t('Connect a server')}
            </Button>
          </Stack>
        </Paper>
        <Paper withBorder p="lg">
          <Stack h="100%" justify="space-between" align="flex-start">
            <Stack gap="xs">
              <ThemeIcon size={40} radius="xl" variant="light" aria-hidden>
                <IconFlask size={22} />
              </ThemeIcon>
              <Title order={2} size="h4">
                {t('Try with a sample')}
              </Title>
              <Text c="dimmed">
                {t('A small shop in SQLite with 5,000 orders. You can delete it later.')}
              </Text>
            </Stack>
            <Button variant="default" loading={sample.isPending} onClick={() => sample.mutate({})}>
              {t('Use the sample database')}
            </Button>
          </Stack>
        </Paper>
      </SimpleGrid>
      {sample.error && <Failed error={sample.error} />}
    </Stack>
  )
}
