import { Anchor, Stack, Text } from '@mantine/core'
import type { DatabaseStanding } from '../../../src/shared/overview.ts'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Bytes } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { shortName } from '../parts/database-name.tsx'
import { LinkTo } from '../parts/link.tsx'
import { TitledList } from '../parts/titled-list.tsx'
import { StandingBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'

/** How the databases of a server fare, and where their snapshots are. */
export function ServerDatabases({ serverId }: { serverId: string }) {
  const t = useT()
  const standings = useAll('GET /api/v1/overview', { query: { server: serverId } })
  return (
    <TitledList
      title={t('Databases')}
      actions={
        <Anchor component={LinkTo} to="/snapshots" search={{ server: serverId }} size="sm">
          {t('All snapshots of this server')}
        </Anchor>
      }
    >
      <Asked question={standings}>
        {(standings) => {
          const known = standings.filter(({ database }) => database !== null)
          return known.length === 0 ? (
            <Text c="dimmed">{t('They are known as soon as a plan has run.')}</Text>
          ) : (
            <DatabaseTable standings={known} />
          )
        }}
      </Asked>
    </TitledList>
  )
}

function DatabaseTable({ standings }: { standings: readonly DatabaseStanding[] }) {
  const t = useT()
  const columns: Column<DatabaseStanding>[] = [
    {
      title: t('Database'),
      isWide: true,
      cell: ({ database, planId, planName }) => (
        <Stack gap={2}>
          <Anchor
            component={LinkTo}
            to={`/databases/${planId}`}
            search={{ name: database ?? undefined }}
            size="sm"
            fw={600}
            title={database ?? undefined}
          >
            {database !== null && shortName(database)}
          </Anchor>
          <Text size="xs" c="dimmed" fw={400}>
            {planName}
          </Text>
        </Stack>
      ),
    },
    { title: t('State'), cell: ({ standing }) => <StandingBadge standing={standing} /> },
    { title: t('Last backup'), cell: ({ lastSuccessAt }) => <When at={lastSuccessAt} size="sm" /> },
    { title: t('Stored'), align: 'right', cell: ({ lastStoredBytes }) => <Bytes of={lastStoredBytes} /> },
    {
      title: t('Snapshots'),
      cell: ({ serverId, database }) => (
        <Anchor
          component={LinkTo}
          to="/snapshots"
          search={{ server: serverId, database: database ?? undefined }}
          size="sm"
        >
          {t('Show snapshots')}
        </Anchor>
      ),
    },
  ]
  return (
    <DataTable
      label={t('Databases')}
      columns={columns}
      rows={standings}
      idOf={({ planId, database }) => `${planId} ${database}`}
    />
  )
}
