import { Anchor, Text } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { JobTable } from './job-table.tsx'
import { Asked } from '../parts/asked.tsx'
import { LinkTo } from '../parts/link.tsx'
import { TitledList } from '../parts/titled-list.tsx'
import { useListed } from '../api.ts'

const SHOWN = 6

/** The latest jobs of what the query says. */
export function LatestJobs({ query }: { query: Record<string, string> }) {
  const t = useT()
  const jobs = useListed('GET /api/v1/jobs', { ...query, limit: SHOWN })
  return (
    <TitledList
      title={t('Latest jobs')}
      actions={
        <Anchor component={LinkTo} to="/jobs" search={query} size="sm">
          {t('All jobs')}
        </Anchor>
      }
    >
      <Asked question={{ data: jobs.items, error: jobs.error, refetch: jobs.refetch }}>
        {(items) =>
          items.length === 0 ? (
            <Text c="dimmed">{t('Nothing has run yet.')}</Text>
          ) : (
            <JobTable label={t('Latest jobs')} jobs={items.slice(0, SHOWN)} />
          )
        }
      </Asked>
    </TitledList>
  )
}
