import { Anchor, Button, Grid, Group, Paper, Stack, Title } from '@mantine/core'
import { isOver, type Job } from '../../../src/shared/jobs.ts'
import type { Restore } from '../../../src/shared/restores.ts'
import { useAsk } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { JobButtons, useJobActions } from '../jobs/job-actions.tsx'
import { JobDuration } from '../jobs/job-duration.tsx'
import { JobLog } from '../jobs/job-log.tsx'
import { JobStages } from '../jobs/job-stages.tsx'
import { Trouble } from '../jobs/trouble.tsx'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { shortName } from '../parts/database-name.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { RestoreAfter, RestoreBefore, RestoreOrder } from './restore-facts.tsx'
import { UndoRestore } from './undo-restore.tsx'

export function RestorePage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const restore = useAsk('GET /api/v1/restores/{id}', { params: { id } })
  // Of the two it is the job that is told of live.
  const job = useAsk('GET /api/v1/jobs/{id}', { params: { id } })
  const refetch = () => Promise.all([restore.refetch(), job.refetch()])
  if (restore.data && job.data) return <Shown key={id} restore={restore.data} job={job.data} />
  return (
    <Page title={t('Restore')} above={[{ title: t('Restores'), to: '/restores' }]}>
      <Asked question={{ data: undefined, error: restore.error ?? job.error, refetch }} lines={8}>
        {() => null}
      </Asked>
    </Page>
  )
}

function Shown({ restore, job }: { restore: Restore; job: Job }) {
  const t = useT()
  const may = useMay()
  const actions = useJobActions(job)
  const { id, database, safetySnapshotId, undoes } = restore
  const mayUndo = may('restore') && isOver(job.state) && safetySnapshotId !== null && database !== null
  return (
    <Page
      title={
        database === null
          ? t('Restore of a server')
          : t('Restore into {{database}}', { database: shortName(database) })
      }
      above={[{ title: t('Restores'), to: '/restores' }]}
      actions={
        <>
          {mayUndo && (
            <UndoRestore restore={restore} safetySnapshotId={safetySnapshotId} database={database} />
          )}
          <JobButtons job={job} actions={actions} />
          <Button component={LinkTo} to={`/jobs/${id}`} variant="default">
            {t('To its job')}
          </Button>
        </>
      }
    >
      {actions.error && <Failed error={actions.error} />}
      {job.error && <Trouble job={job} error={job.error} />}
      {undoes !== null && (
        <Anchor component={LinkTo} to={`/restores/${undoes}`} size="sm">
          {t('This takes another restore back')}
        </Anchor>
      )}
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Paper withBorder p="md" h="100%" component="section">
            <Stack gap="md">
              <Group gap="sm">
                <Title order={2} size="h4">
                  {t('Steps')}
                </Title>
                <JobStateBadge state={job.state} size="lg" />
                <JobDuration job={job} />
              </Group>
              <JobStages job={job} />
            </Stack>
          </Paper>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Stack gap="lg">
            <RestoreOrder restore={restore} />
            <RestoreBefore restore={restore} />
            <RestoreAfter restore={restore} />
          </Stack>
        </Grid.Col>
      </Grid>
      <JobLog key={id} jobId={id} />
    </Page>
  )
}
