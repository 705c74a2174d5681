import { Anchor, Button, Group, Select, Stack, Text } from '@mantine/core'
import { IconDatabase } from '@tabler/icons-react'
import { lazy } from 'react'
import type { DatabaseStanding } from '../../../src/shared/overview.ts'
import { useAll, useListed } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { NoMatch } from '../parts/no-match.tsx'
import { Page } from '../parts/page.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { StandingBadge } from '../parts/state-badge.tsx'
import { Waiting } from '../parts/waiting.tsx'
import { When } from '../parts/when.tsx'
import { More } from '../parts/more.tsx'
import { databaseTitle } from './database-title.ts'

const SizeTrend = lazy(() => import('./size-trend.tsx'))

/** Every database of every plan, and how it fares. */
export function DatabasesPage() {
  const t = useT()
  const [{ standing, server, search }, setFilters] = useFilters()
  const isFiltered = [standing, server, search].some((filter) => filter !== undefined)
  const servers = useAll('GET /api/v1/servers')
  const found = useListed('GET /api/v1/overview', { limit: 100, standing, server, search })
  const standings = [
    { value: 'protected', label: t('protected') },
    { value: 'failing,overdue,never', label: t('not protected') },
    { value: 'failing', label: t('failing') },
    { value: 'overdue', label: t('overdue') },
    { value: 'never', label: t('never backed up') },
  ]
  return (
    <Page title={t('Databases')} about={t('Every database of every plan that is enabled, and how it fares.')}>
      <Group gap="sm" align="flex-end">
        <SearchField
          placeholder={t('Database, plan, server')}
          value={search ?? ''}
          onChange={(text) => setFilters({ search: text })}
        />
        <Select
          label={t('State')}
          placeholder={t('all')}
          clearable
          data={standings}
          value={standing ?? null}
          onChange={(chosen) => setFilters({ standing: chosen ?? undefined })}
        />
        <Select
          label={t('Server')}
          placeholder={t('all')}
          clearable
          searchable
          data={(servers.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          value={server ?? null}
          onChange={(chosen) => setFilters({ server: chosen ?? undefined })}
        />
      </Group>
      <Asked question={{ ...found, data: found.items }} lines={8}>
        {(items) =>
          items.length === 0 ? (
            <NoDatabases
              isFiltered={isFiltered}
              onClear={() => setFilters({ standing: undefined, server: undefined, search: undefined })}
            />
          ) : (
            <Stack>
              <DataTable
                label={t('Databases')}
                columns={columns(t)}
                rows={items}
                idOf={({ planId, database }) => `${planId} ${database}`}
              />
              <More of={found} />
            </Stack>
          )
        }
      </Asked>
    </Page>
  )
}

function NoDatabases({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useT()
  const may = useMay()
  const icon = <IconDatabase size={26} />
  if (isFiltered) return <NoMatch icon={icon} title={t('No such database')} onClear={onClear} />
  return (
    <Empty
      icon={icon}
      title={t('No database is shown here')}
      action={
        may('manage-servers') && (
          <Button component={LinkTo} to="/servers/new">
            {t('Add server')}
          </Button>
        )
      }
    >
      {t('A database appears here when a plan backs it up.')}
    </Empty>
  )
}

function columns(t: ReturnType<typeof useT>): Column<DatabaseStanding>[] {
  return [
    {
      title: t('Database'),
      isWide: true,
      cell: ({ planId, planName, database, serverName }) => (
        <Stack gap={0}>
          <Anchor
            component={LinkTo}
            to={`/databases/${planId}`}
            search={{ name: database ?? undefined }}
            fw={600}
          >
            {databaseTitle(database) ?? planName}
          </Anchor>
          <Text size="sm" c="dimmed">
            {serverName} · {planName}
          </Text>
        </Stack>
      ),
    },
    { title: t('State'), cell: ({ standing }) => <StandingBadge standing={standing} /> },
    { title: t('Last success'), cell: ({ lastSuccessAt }) => <When at={lastSuccessAt} /> },
    {
      title: t('Next run'),
      cell: ({ nextRunAt }) =>
        nextRunAt === null ? (
          <Text span c="dimmed">
            {t('by hand')}
          </Text>
        ) : (
          <When at={nextRunAt} />
        ),
    },
    { title: t('Size'), align: 'right', cell: ({ lastRawBytes }) => <Bytes of={lastRawBytes} /> },
    {
      title: t('Trend'),
      cell: ({ recentRawBytes }) =>
        recentRawBytes.length > 1 && (
          <Waiting height={30}>
            <SizeTrend sizes={recentRawBytes} />
          </Waiting>
        ),
    },
  ]
}
