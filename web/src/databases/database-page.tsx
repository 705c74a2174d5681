import { Button, Grid, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { IconPlayerPlay, IconRestore } from '@tabler/icons-react'
import { useNavigate, useParams } from '@tanstack/react-router'
import { lazy, type ReactNode } from 'react'
import type { DatabaseStanding } from '../../../src/shared/overview.ts'
import { useAsk, useChange, useListed } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes } from '../parts/bytes.tsx'
import { Failed } from '../parts/failed.tsx'
import { InView } from '../parts/in-view.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { Section } from '../parts/section.tsx'
import { StandingBadge } from '../parts/state-badge.tsx'
import { Waiting } from '../parts/waiting.tsx'
import { When } from '../parts/when.tsx'
import { SavedRetentionPreview } from '../plans/retention-preview.tsx'
import { databaseTitle } from './database-title.ts'
import { DatabaseHistory } from './database-history.tsx'

const SizeChart = lazy(() => import('./size-chart.tsx'))

/** One database of a plan: how it fares, how it grows, and all that happened to it on one line of time. */
export function DatabasePage() {
  const t = useT()
  const { planId = '' } = useParams({ strict: false }) as { planId?: string }
  const [{ name }] = useFilters()
  const database = name ?? null
  // A plan has few databases; those of all plans are on pages.
  const standings = useListed('GET /api/v1/overview', { limit: 200, plan: planId })
  const plan = useAsk('GET /api/v1/plans/{id}', { params: { id: planId } })
  const found = standings.items?.find((item) => item.database === database)
  return (
    <Page
      title={databaseTitle(database) ?? found?.planName ?? t('Database')}
      about={database?.startsWith('/') ? database : undefined}
      above={[{ title: t('Databases'), to: '/databases' }]}
      actions={found && <Actions standing={found} />}
    >
      <Asked question={standings}>
        {() =>
          found ? (
            <Facts standing={found} />
          ) : (
            <Text>{t('This plan does not back up this database (any more).')}</Text>
          )
        }
      </Asked>
      {database !== null && (
        <>
          <Sizes planId={planId} database={database} />
          <Asked question={plan}>
            {({ serverId }) => <DatabaseHistory planId={planId} serverId={serverId} database={database} />}
          </Asked>
          <Section title={t('What retention does')} about={t('Which copies go, which stay, and why.')}>
            <InView height={120}>
              <SavedRetentionPreview planId={planId} database={database} />
            </InView>
          </Section>
        </>
      )}
    </Page>
  )
}

function Actions({ standing: { planId, database, lastSnapshotId } }: { standing: DatabaseStanding }) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const run = useChange('POST /api/v1/plans/{id}/run', {
    onSuccess: ({ body }) => 'jobId' in body && navigate({ to: `/jobs/${body.jobId}` }),
  })
  return (
    <Stack gap="xs">
      <Group gap="xs">
        {may('restore') && lastSnapshotId !== null && (
          <Button
            component={LinkTo}
            to="/restores/new"
            search={{ snapshot: lastSnapshotId }}
            variant="default"
            leftSection={<IconRestore size={16} aria-hidden />}
          >
            {t('Restore')}
          </Button>
        )}
        {may('run-backups') && (
          <Button
            loading={run.isPending}
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            onClick={() =>
              run.mutate({ params: { id: planId }, body: database === null ? {} : { databases: [database] } })
            }
          >
            {t('Back up now')}
          </Button>
        )}
      </Group>
      {run.error && <Failed error={run.error} />}
    </Stack>
  )
}

function Facts({ standing }: { standing: DatabaseStanding }) {
  const t = useT()
  const { lastSuccessAt, lastFailureAt, nextRunAt, overdueAt, lastRawBytes, lastStoredBytes, lastError } =
    standing
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
      <Stack>
        <Grid>
          <Fact title={t('State')}>
            <StandingBadge standing={standing.standing} />
          </Fact>
          <Fact title={t('Last success')}>
            <When at={lastSuccessAt} />
          </Fact>
          <Fact title={t('Next run')}>{nextRunAt === null ? t('by hand') : <When at={nextRunAt} />}</Fact>
          <Fact title={t('Overdue')}>
            {overdueAt === null ? t('never an alarm') : <When at={overdueAt} />}
          </Fact>
          <Fact title={t('Last failure')}>
            <When at={lastFailureAt} />
          </Fact>
          <Fact title={t('Dump')}>
            <Bytes of={lastRawBytes} />
          </Fact>
          <Fact title={t('Stored')}>
            <Bytes of={lastStoredBytes} />
          </Fact>
          <Fact title={t('Plan and server')}>
            <Stack gap={0}>
              <Button
                component={LinkTo}
                to={`/plans/${standing.planId}`}
                variant="transparent"
                size="compact-sm"
                p={0}
                justify="flex-start"
              >
                {standing.planName}
              </Button>
              <Button
                component={LinkTo}
                to={`/servers/${standing.serverId}`}
                variant="transparent"
                size="compact-sm"
                p={0}
                justify="flex-start"
              >
                {standing.serverName}
              </Button>
            </Stack>
          </Fact>
        </Grid>
        {lastError && standing.standing === 'failing' && (
          <Failed
            title={t('Why the last backup failed')}
            error={{ ...lastError, code: 'internal', hint: lastError.hint, fields: undefined }}
          />
        )}
      </Stack>
    </Paper>
  )
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Grid.Col span={{ base: 6, sm: 3 }}>
      <Text size="sm" c="dimmed">
        {title}
      </Text>
      <Text component="div">{children}</Text>
    </Grid.Col>
  )
}

function Sizes({ planId, database }: { planId: string; database: string }) {
  const t = useT()
  const snapshots = useAsk('GET /api/v1/snapshots', { query: { plan: planId, database, limit: 200 } })
  return (
    <Paper withBorder p={{ base: 'md', sm: 'lg' }}>
      <Stack>
        <Title order={2} size="h4">
          {t('How it grows')}
        </Title>
        <Asked question={snapshots}>
          {({ items }) =>
            items.length < 2 ? (
              <Text c="dimmed">{t('With two snapshots there is something to compare.')}</Text>
            ) : (
              <Waiting height={220}>
                <SizeChart snapshots={items} />
              </Waiting>
            )
          }
        </Asked>
      </Stack>
    </Paper>
  )
}
