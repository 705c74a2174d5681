import { Button, Grid, Group, Paper, Stack, Text, Title } from '@mantine/core'
import { IconRestore } from '@tabler/icons-react'
import { isOver, type Job, stateOfRun } from '../../../src/shared/jobs.ts'
import { useAsk, useListed } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { CopyValue } from '../parts/copy-value.tsx'
import { Failed } from '../parts/failed.tsx'
import { shortName } from '../parts/database-name.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { More } from '../parts/more.tsx'
import { ComesAgain } from './comes-again.tsx'
import { JobButtons, useJobActions } from './job-actions.tsx'
import { JobDuration } from './job-duration.tsx'
import { kindText } from './job-kinds.ts'
import { JobLog } from './job-log.tsx'
import { JobResult } from './job-result.tsx'
import { JobStages } from './job-stages.tsx'
import { JobSubject } from './job-subject.tsx'
import { JobTable } from './job-table.tsx'
import { useNames } from './names.ts'
import { Trouble } from './trouble.tsx'

export function JobPage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const job = useAsk('GET /api/v1/jobs/{id}', { params: { id } })
  if (job.data) return <Shown key={id} job={job.data} />
  return (
    <Page title={t('Job')} above={[{ title: t('Jobs'), to: '/jobs' }]}>
      <Asked question={job} lines={8}>
        {() => null}
      </Asked>
    </Page>
  )
}

function Shown({ job }: { job: Job }) {
  const t = useT()
  const names = useNames()
  const actions = useJobActions(job)
  const { id, kind, state, error, parentId, snapshotId, database } = job
  const title =
    database === null
      ? kindText(t, kind)
      : t('{{kind}} of {{database}}', { kind: kindText(t, kind), database: shortName(database) })
  return (
    <Page
      title={title}
      above={[
        { title: t('Jobs'), to: '/jobs' },
        ...(parentId === null ? [] : [{ title: t('The job that ordered it'), to: `/jobs/${parentId}` }]),
      ]}
      actions={
        <>
          {kind === 'restore' && (
            <Button
              component={LinkTo}
              to={`/restores/${id}`}
              variant="default"
              leftSection={<IconRestore size={16} aria-hidden />}
            >
              {t('To the restore')}
            </Button>
          )}
          {snapshotId !== null && kind !== 'backup' && (
            <Button component={LinkTo} to={`/snapshots/${snapshotId}`} variant="default">
              {t('To the snapshot')}
            </Button>
          )}
          <JobButtons job={job} actions={actions} />
        </>
      }
    >
      {actions.error && <Failed error={actions.error} />}
      {error && <Trouble job={job} error={error} />}
      <ComesAgain job={job} />
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Paper withBorder p="md" h="100%">
            <Stack gap="md">
              <Group gap="sm">
                <JobStateBadge state={state} size="lg" />
                <Text size="sm">
                  <JobDuration job={job} />
                </Text>
                {job.isCancelRequested && !isOver(state) && (
                  <Text size="sm">{t('It is being cancelled.')}</Text>
                )}
              </Group>
              <JobStages job={job} />
            </Stack>
          </Paper>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Paper withBorder p="md" h="100%">
            <Stack gap="md">
              <Title order={2} size="h4">
                {t('About')}
              </Title>
              <JobSubject job={job} names={names} />
              <CopyValue value={id} label={t('Copy the id')} />
              {job.result !== null && (
                <>
                  <Title order={2} size="h4">
                    {t('Result')}
                  </Title>
                  <JobResult job={job} names={names} />
                </>
              )}
            </Stack>
          </Paper>
        </Grid.Col>
      </Grid>
      {kind === 'run-plan' && <Backups run={job} />}
      <JobLog key={id} jobId={id} />
    </Page>
  )
}

/** What the run of a plan has ordered, and how it is as a whole. */
function Backups({ run }: { run: Job }) {
  const t = useT()
  const listed = useListed('GET /api/v1/jobs', { parent: run.id, limit: 200 })
  return (
    <Asked question={{ ...listed, data: listed.items }}>
      {(jobs) => {
        if (jobs.length === 0) return null
        const backups = jobs.filter(({ kind }) => kind === 'backup')
        return (
          <Stack gap="sm" component="section">
            <Group gap="sm">
              <Title order={2} size="h4">
                {t('Backups')}
              </Title>
              {isOver(run.state) && !listed.hasNextPage && <JobStateBadge state={stateOfRun(run, backups)} />}
            </Group>
            <JobTable label={t('Backups')} jobs={jobs} />
            <More of={listed} />
          </Stack>
        )
      }}
    </Asked>
  )
}
