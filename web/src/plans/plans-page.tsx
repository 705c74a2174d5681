import { Button, Group, Select, TextInput } from '@mantine/core'
import { IconPlus, IconSearch, IconStack2 } from '@tabler/icons-react'
import type { Plan } from '../../../src/shared/plans.ts'
import { useAll } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { NoMatch } from '../parts/no-match.tsx'
import { Page } from '../parts/page.tsx'
import { PlanList } from './plan-list.tsx'

export function PlansPage() {
  const t = useT()
  const may = useMay()
  const plans = useAll('GET /api/v1/plans')
  const add = may('manage-plans') && (
    <Button component={LinkTo} to="/plans/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t('Add plan')}
    </Button>
  )
  return (
    <Page
      title={t('Plans')}
      about={t(
        'Which databases of a server are backed up, when, to which volumes, and how long they are kept.',
      )}
      actions={add}
    >
      <Asked question={plans}>
        {(all) =>
          all.length === 0 ? (
            <Empty icon={<IconStack2 size={28} />} title={t('No plan yet')} action={add}>
              {t(
                'A plan says what is backed up of a server, when and where. The form for a new server makes the first one.',
              )}
            </Empty>
          ) : (
            <FilteredPlans all={all} />
          )
        }
      </Asked>
    </Page>
  )
}

function FilteredPlans({ all }: { all: readonly Plan[] }) {
  const t = useT()
  const [filters, setFilters] = useFilters()
  const names = useNames()
  const search = (filters['search'] ?? '').trim().toLowerCase()
  const shown = all.filter(
    ({ name, serverId, schedules, volumes }) =>
      name.toLowerCase().includes(search) &&
      (filters['server'] ?? serverId) === serverId &&
      (filters['schedule'] === undefined || schedules.includes(filters['schedule'])) &&
      (filters['volume'] === undefined || volumes.some(({ id }) => id === filters['volume'])),
  )
  return (
    <>
      <Group gap="sm">
        <TextInput
          aria-label={t('Search plans')}
          placeholder={t('Name')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={filters['search'] ?? ''}
          w={{ base: '100%', xs: 240 }}
          onChange={({ currentTarget }) => setFilters({ search: currentTarget.value })}
        />
        <Select
          aria-label={t('Server')}
          placeholder={t('All servers')}
          data={names.servers.map(({ id, name }) => ({ value: id, label: name }))}
          value={filters['server'] ?? null}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('All servers') }}
          w={{ base: '100%', xs: 220 }}
          onChange={(server) => setFilters({ server: server ?? undefined })}
        />
      </Group>
      {shown.length === 0 ? (
        <NoMatch
          icon={<IconStack2 size={26} />}
          title={t('No such plan')}
          onClear={() =>
            setFilters({ search: undefined, server: undefined, schedule: undefined, volume: undefined })
          }
        />
      ) : (
        <PlanList plans={shown} />
      )}
    </>
  )
}
