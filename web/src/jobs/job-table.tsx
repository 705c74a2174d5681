import { Anchor, Group, List, Stack, Text } from '@mantine/core'
import { describeWait, type FullResource, isOver, type Job } from '../../../src/shared/jobs.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { JobButtons, useJobActions } from './job-actions.tsx'
import { JobDuration } from './job-duration.tsx'
import { kindText } from './job-kinds.ts'
import { JobProgress } from './job-progress.tsx'
import { JobSubject } from './job-subject.tsx'
import { useNames } from './names.ts'

interface JobTableProps {
  label: string
  jobs: readonly Job[]
}

/** A list of jobs: what they do, how far they are, and what can be done about them. */
export function JobTable({ label, jobs }: JobTableProps) {
  const t = useT()
  const names = useNames()
  const columns: Column<Job>[] = [
    {
      title: t('Job'),
      cell: (job) => (
        <Anchor component={LinkTo} to={`/jobs/${job.id}`} size="sm" fw={500}>
          {kindText(t, job.kind)}
        </Anchor>
      ),
    },
    { title: t('About'), isWide: true, cell: (job) => <JobSubject job={job} names={names} /> },
    { title: t('State'), isWide: true, cell: (job) => <JobState job={job} /> },
    {
      title: t('Ordered'),
      cell: (job) => (
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
          <When at={job.createdAt} />
        </Text>
      ),
    },
    {
      title: t('Duration'),
      cell: (job) => (
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
          <JobDuration job={job} />
        </Text>
      ),
    },
    { title: '', align: 'right', cell: (job) => <RowActions job={job} /> },
  ]
  return <DataTable label={label} columns={columns} rows={jobs} idOf={({ id }) => id} />
}

/** The state, and what makes it what it is: how far it is, what it waits for, or why it failed. */
function JobState({ job }: { job: Job }) {
  const t = useT()
  const { state, error, waitsForResources, isCancelRequested } = job
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <JobStateBadge state={state} />
        {isCancelRequested && !isOver(state) && (
          <Text size="xs" c="dimmed">
            {t('is being cancelled')}
          </Text>
        )}
      </Group>
      {state === 'running' && <JobProgress job={job} />}
      {state === 'queued' && <WaitsFor resources={waitsForResources} />}
      {error && state !== 'succeeded' && (
        <Text size="xs" lineClamp={2} title={error.message}>
          {error.message}
        </Text>
      )}
    </Stack>
  )
}

export function WaitsFor({ resources }: { resources: readonly FullResource[] }) {
  const t = useT()
  const speech = useSpeech()
  if (resources.length === 0) return null
  return (
    <div>
      <Text size="xs" c="dimmed">
        {t('Waits for')}
      </Text>
      <List size="xs">
        {resources.map((resource) => (
          <List.Item key={`${resource.kind} ${resource.name}`}>{describeWait(resource, speech)}</List.Item>
        ))}
      </List>
    </div>
  )
}

function RowActions({ job }: { job: Job }) {
  const actions = useJobActions(job)
  return (
    <Stack gap="xs" align="flex-end">
      <JobButtons job={job} actions={actions} size="compact-sm" />
      {actions.error && <Failed error={actions.error} />}
    </Stack>
  )
}
