import { Button, Group, Select, TextInput } from '@mantine/core'
import { IconPlus, IconSearch, IconServer } from '@tabler/icons-react'
import { useMemo } from 'react'
import type { Server } from '../../../src/shared/servers.ts'
import { useAll } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { NoMatch } from '../parts/no-match.tsx'
import { Page } from '../parts/page.tsx'
import { faresOf } from './fares.ts'
import { ServerList } from './server-list.tsx'
import { useEngines } from './use-engines.ts'

export function ServersPage() {
  const t = useT()
  const may = useMay()
  const [filters, setFilters] = useFilters()
  const servers = useAll('GET /api/v1/servers')
  const plans = useAll('GET /api/v1/plans')
  const standings = useAll('GET /api/v1/overview')
  const engines = useEngines()
  const fares = useMemo(() => faresOf(standings.data), [standings.data])
  const add = may('manage-servers') && (
    <Button component={LinkTo} to="/servers/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t('Add server')}
    </Button>
  )
  return (
    <Page title={t('Servers')} about={t('The database servers that Holdfast reaches.')} actions={add}>
      <Asked question={servers}>
        {(all) => {
          if (all.length === 0) {
            return (
              <Empty icon={<IconServer size={28} />} title={t('No server yet')} action={add}>
                {t(
                  'Add the first one: paste its connection string, test it, and its first backup begins at once.',
                )}
              </Empty>
            )
          }
          const shown = all.filter((server) => fits(server, filters))
          const used = [...new Set(all.map(({ engine }) => engine))]
          return (
            <>
              <Group gap="sm">
                <TextInput
                  aria-label={t('Search servers')}
                  placeholder={t('Name or label')}
                  leftSection={<IconSearch size={16} aria-hidden />}
                  value={filters['search'] ?? ''}
                  w={{ base: '100%', xs: 260 }}
                  onChange={({ currentTarget }) => setFilters({ search: currentTarget.value })}
                />
                {(used.length > 1 || filters['engine'] !== undefined) && (
                  <Select
                    aria-label={t('Engine')}
                    placeholder={t('All engines')}
                    data={used.map((engine) => ({ value: engine, label: engines.labelOf(engine) }))}
                    value={filters['engine'] ?? null}
                    clearable
                    clearButtonProps={{ 'aria-label': t('All engines') }}
                    w={{ base: '100%', xs: 200 }}
                    onChange={(engine) => setFilters({ engine: engine ?? undefined })}
                  />
                )}
              </Group>
              {shown.length === 0 ? (
                <NoMatch
                  icon={<IconServer size={26} />}
                  title={t('No such server')}
                  onClear={() => setFilters({ search: undefined, engine: undefined })}
                />
              ) : (
                <ServerList
                  servers={shown}
                  plans={plans.data ?? []}
                  fares={standings.data === undefined ? undefined : fares}
                  engineLabel={engines.labelOf}
                />
              )}
            </>
          )
        }}
      </Asked>
    </Page>
  )
}

function fits({ name, engine, labels }: Server, filters: Record<string, string | undefined>): boolean {
  if (filters['engine'] !== undefined && engine !== filters['engine']) return false
  const search = (filters['search'] ?? '').trim().toLowerCase()
  const texts = [name, ...Object.entries(labels).flat()]
  return texts.some((text) => text.toLowerCase().includes(search))
}
