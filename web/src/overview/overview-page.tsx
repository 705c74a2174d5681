import { Button, Grid, Paper, Stack, Text, Title } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { lazy } from 'react'
import { asking, useAsk } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { InView } from '../parts/in-view.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { Waiting } from '../parts/waiting.tsx'
import { Checklist } from '../setup/checklist.tsx'
import { Attention } from './attention.tsx'
import { NextRuns } from './next-runs.tsx'
import { RunningJobs } from './running-jobs.tsx'
import { Verdict } from './verdict.tsx'

const HeatMap = lazy(() => import('./heat-map.tsx'))
const GrowthChart = lazy(() => import('./growth-chart.tsx'))

/** Of how many days the charts tell. */
const DAYS = 30
/** What needs attention is listed as far as somebody reads; the databases' own page has them all. */
const MOST_LISTED = 10
/** So often it is asked for while it is seen: that a backup is missing is no event that would tell of itself. */
const AGAIN = 60_000

/** The truth at once: is everything protected, and if not, what is not. */
export function OverviewPage() {
  const t = useT()
  const may = useMay()
  const overview = useQuery({
    ...asking('GET /api/v1/overview', {
      query: { limit: MOST_LISTED, standing: ['failing', 'overdue', 'never'] },
    }),
    refetchInterval: AGAIN,
  })
  const history = useAsk('GET /api/v1/overview/history', { query: { days: DAYS } })
  return (
    <Page
      title={t('Overview')}
      actions={
        may('manage-servers') && (
          <Button
            component={LinkTo}
            to="/servers/new"
            variant="default"
            leftSection={<IconPlus size={16} aria-hidden />}
          >
            {t('Add server')}
          </Button>
        )
      }
    >
      <Checklist />
      <Asked question={overview}>
        {({ counts, items, troubles, nextRuns, running }) => (
          <Stack gap="lg">
            <Verdict counts={counts} items={items} troubles={troubles} />
            <Attention items={items} counts={counts} troubles={troubles} />
            {running.count > 0 && <RunningJobs running={running} />}
            <Grid gap="lg">
              <Grid.Col span={{ base: 12, md: 7 }}>
                <Paper withBorder p="lg" h="100%">
                  <Stack>
                    <Title order={2} size="h4">
                      {t('The last {{count}} days', { count: DAYS })}
                    </Title>
                    <Asked question={history}>
                      {({ days, successRate }) => (
                        <>
                          <SuccessRate rate={successRate} />
                          <Waiting height={220}>
                            <HeatMap days={days} />
                          </Waiting>
                        </>
                      )}
                    </Asked>
                  </Stack>
                </Paper>
              </Grid.Col>
              <Grid.Col span={{ base: 12, md: 5 }}>
                <NextRuns runs={nextRuns} />
              </Grid.Col>
            </Grid>
          </Stack>
        )}
      </Asked>
      <Paper withBorder p="lg">
        <Stack>
          <Title order={2} size="h4">
            {t('Stored bytes by volume')}
          </Title>
          <InView height={260}>
            <Asked question={history}>
              {({ days, storedBytes }) => (
                <Waiting height={260}>
                  <GrowthChart dates={days.map(({ date }) => date)} volumes={storedBytes} />
                </Waiting>
              )}
            </Asked>
          </InView>
        </Stack>
      </Paper>
    </Page>
  )
}

function SuccessRate({ rate }: { rate: number | null }) {
  const t = useT()
  const language = useLanguage()
  if (rate === null) return <Text c="dimmed">{t('No backup has ended in these days.')}</Text>
  // 99.97 % is not 100 %.
  const percent = Math.floor(rate * 1000) / 1000
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(
    percent,
  )
  return <Text>{t('{{share}} of the backups succeeded.', { share })}</Text>
}
