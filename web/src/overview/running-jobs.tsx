import { Anchor, Grid, Paper, Stack, Text, Title } from '@mantine/core'
import type { Overview } from '../../../src/shared/overview.ts'
import { useAsk } from '../api.ts'
import { databaseTitle } from '../databases/database-title.ts'
import { useT } from '../i18n/i18n.ts'
import { kindText } from '../jobs/job-kinds.ts'
import { JobProgress } from '../jobs/job-progress.tsx'
import { LinkTo } from '../parts/link.tsx'
import { When } from '../parts/when.tsx'

type Running = Overview['running']['jobs'][number]

/** What runs now, as it goes. */
export function RunningJobs({ running: { count, jobs } }: { running: Overview['running'] }) {
  const t = useT()
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h4">
          {t('Running now')}
        </Title>
        {jobs.map((job) => (
          <RunningJob key={job.id} job={job} />
        ))}
        {count > jobs.length && (
          <Anchor component={LinkTo} to="/jobs" search={{ state: 'running' }}>
            {t('{{count}} more', { count: count - jobs.length })}
          </Anchor>
        )}
      </Stack>
    </Paper>
  )
}

function RunningJob({ job: { id, kind, database, startedAt, progress } }: { job: Running }) {
  const t = useT()
  // Events bring this one up to date, byte by byte.
  const { data: live } = useAsk('GET /api/v1/jobs/{id}', { params: { id } })
  return (
    <Grid align="center">
      <Grid.Col span={{ base: 12, sm: 5 }}>
        <Anchor component={LinkTo} to={`/jobs/${id}`} fw={500}>
          {kindText(t, kind)} {databaseTitle(database)}
        </Anchor>
        <Text size="sm" c="dimmed">
          {t('Begun:')} <When at={startedAt} />
        </Text>
      </Grid.Col>
      <Grid.Col span={{ base: 12, sm: 7 }}>
        <JobProgress job={{ kind, progress: live?.progress ?? progress }} />
      </Grid.Col>
    </Grid>
  )
}
