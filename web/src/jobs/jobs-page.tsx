import { Button, Group } from '@mantine/core'
import { IconActivity } from '@tabler/icons-react'
import { useListed } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { More } from '../parts/more.tsx'
import { NoMatch } from '../parts/no-match.tsx'
import { JobFilters, useJobFilters } from './job-filters.tsx'
import { JobTable } from './job-table.tsx'

export function JobsPage() {
  const t = useT()
  const given = useJobFilters()
  const jobs = useListed('GET /api/v1/jobs', given.query)
  return (
    <Page
      title={t('Jobs')}
      about={t('All that Holdfast does and has done, the newest first. It follows by itself.')}
    >
      <JobFilters {...given} />
      <Asked question={{ ...jobs, data: jobs.items }} lines={8}>
        {(items) =>
          items.length === 0 ? (
            <NoJobs isFiltered={given.isFiltered} onClear={given.clear} />
          ) : (
            <>
              <JobTable label={t('Jobs')} jobs={items} />
              <More of={jobs} />
            </>
          )
        }
      </Asked>
    </Page>
  )
}

function NoJobs({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useT()
  const icon = <IconActivity size={26} />
  if (isFiltered) return <NoMatch icon={icon} title={t('No such job')} onClear={onClear} />
  return (
    <Empty
      icon={icon}
      title={t('No job yet')}
      action={
        <Group>
          <Button component={LinkTo} to="/plans">
            {t('To the plans')}
          </Button>
        </Group>
      }
    >
      {t('Backups, restores and checks are jobs. The first one comes when a plan runs.')}
    </Empty>
  )
}
