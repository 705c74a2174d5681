import { Anchor, Group, Stack } from '@mantine/core'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { JobProgress } from '../jobs/job-progress.tsx'
import { Asked } from '../parts/asked.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'

/** A job that was just begun, and the backups that it has ordered, as they go. */
export function FollowedJob({ id }: { id: string }) {
  const t = useT()
  const job = useAsk('GET /api/v1/jobs/{id}', { params: { id } })
  const children = useAsk('GET /api/v1/jobs', { query: { parent: id } })
  return (
    <Asked question={job} lines={1}>
      {(found) => (
        <Stack gap="xs" maw={520} aria-live="polite">
          {[found, ...(children.data?.items ?? [])].map((one) => (
            <Stack key={one.id} gap="xs">
              <Group gap="sm">
                <JobStateBadge state={one.state} />
                <Anchor component={LinkTo} to={`/jobs/${one.id}`} size="sm">
                  {t('See the log')}
                </Anchor>
              </Group>
              {one.state === 'running' && <JobProgress job={one} isDetailed />}
              {one.state === 'failed' && one.error && (
                <Failed error={{ ...one.error, code: 'internal', fields: undefined, hint: one.error.hint }} />
              )}
            </Stack>
          ))}
        </Stack>
      )}
    </Asked>
  )
}
