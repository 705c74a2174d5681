import { Anchor, Group, Stack, Text } from '@mantine/core'
import type { Job } from '../../../src/shared/jobs.ts'
import { useListed } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { kindText } from '../jobs/job-kinds.ts'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Section } from '../parts/section.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'

const kinds = ['file-check', 'content-check', 'scan-volume', 'repair-copy']

/** The latest checks and imports of a volume. */
export function VolumeJobs({ id }: { id: string }) {
  const t = useT()
  const {
    items = [],
    error,
    refetch,
  } = useListed('GET /api/v1/jobs', {
    volume: id,
    kind: kinds.join(),
    limit: 5,
  })
  if (items.length === 0 && !error) return null
  return (
    <Section title={t('Latest checks')}>
      {error && <Failed error={error} retry={refetch} />}
      <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {items.slice(0, 5).map((job) => (
          <JobLine key={job.id} job={job} />
        ))}
      </Stack>
    </Section>
  )
}

function JobLine({ job: { id, kind, state, createdAt, finishedAt, error } }: { job: Job }) {
  const t = useT()
  return (
    <Stack component="li" gap={2}>
      <Group gap="sm">
        <JobStateBadge state={state} />
        <Anchor component={LinkTo} to={`/jobs/${id}`} size="sm">
          {kindText(t, kind)}
        </Anchor>
        <Text size="sm" c="dimmed">
          <When at={finishedAt ?? createdAt} />
        </Text>
      </Group>
      {error && <Text size="sm">{error.message}</Text>}
    </Stack>
  )
}
