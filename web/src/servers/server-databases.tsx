import { Anchor, Stack, Text } from '@mantine/core'
import type { DatabaseStanding } from '../../../src/shared/overview.ts'
import type { DatabaseSnapshots } from '../../../src/shared/snapshots-api.ts'
import { useAll, useAsk } from '../api.ts'
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
  const counts = useAsk('GET /api/v1/servers/{id}/snapshots', { params: { id: serverId } })
  const question = {
    data: standings.data && counts.data && rowsOf(standings.data, counts.data.items),
    error: standings.error ?? counts.error,
    refetch: () => Promise.all([standings.refetch(), counts.refetch()]),
  }
  return (
    <TitledList
      title={t('Databases')}
      actions={
        <Anchor component={LinkTo} to="/snapshots" search={{ server: serverId }} size="sm">
          {t('All snapshots of this server')}
        </Anchor>
      }
    >
      <Asked question={question}>
        {(rows) =>
          rows.length === 0 ? (
            <Text c="dimmed">{t('They are known as soon as a plan has run.')}</Text>
          ) : (
            <DatabaseTable serverId={serverId} rows={rows} />
          )
        }
      </Asked>
    </TitledList>
  )
}

interface Row {
  database: string
  /** In an enabled plan; undefined if none asks for it (any more). */
  standing: DatabaseStanding | undefined
  /** Of the database, of whichever plan; undefined if there is none. */
  snapshots: DatabaseSnapshots | undefined
}

/** A database of two plans stands there twice; one that only has snapshots stands there, too. */
function rowsOf(standings: readonly DatabaseStanding[], counts: readonly DatabaseSnapshots[]): Row[] {
  const counted = new Map(counts.map((one) => [one.database, one]))
  const planned = standings.flatMap((standing): Row[] => {
    const { database } = standing
    return database === null ? [] : [{ database, standing, snapshots: counted.get(database) }]
  })
  for (const { database } of planned) counted.delete(database)
  const others = Array.from(counted.values(), (snapshots): Row => {
    return { database: snapshots.database, standing: undefined, snapshots }
  })
  return [...planned, ...others]
}

function DatabaseTable({ serverId, rows }: { serverId: string; rows: readonly Row[] }) {
  const t = useT()
  const columns: Column<Row>[] = [
    {
      title: t('Database'),
      isWide: true,
      cell: ({ database, standing }) => (
        <Stack gap={2}>
          {standing ? (
            <Anchor
              component={LinkTo}
              to={`/databases/${standing.planId}`}
              search={{ name: database }}
              size="sm"
              fw={600}
              title={database}
            >
              {shortName(database)}
            </Anchor>
          ) : (
            <Text size="sm" fw={600} title={database}>
              {shortName(database)}
            </Text>
          )}
          <Text size="xs" c="dimmed" fw={400}>
            {standing?.planName ?? t('In no enabled plan')}
          </Text>
        </Stack>
      ),
    },
    { title: t('State'), cell: ({ standing }) => standing && <StandingBadge standing={standing.standing} /> },
    {
      title: t('Last backup'),
      cell: ({ standing }) => standing && <When at={standing.lastSuccessAt} size="sm" />,
    },
    {
      title: t('Stored'),
      align: 'right',
      cell: ({ standing }) => standing && <Bytes of={standing.lastStoredBytes} />,
    },
    {
      title: t('Snapshots'),
      align: 'right',
      cell: ({ database, snapshots }) =>
        snapshots ? (
          <Anchor component={LinkTo} to="/snapshots" search={{ server: serverId, database }} size="sm">
            {t('{{count}} snapshots', { count: snapshots.snapshots })}
          </Anchor>
        ) : (
          <Text span size="sm" c="dimmed">
            {t('none')}
          </Text>
        ),
    },
    {
      title: t('Newest snapshot'),
      cell: ({ snapshots }) => snapshots && <When at={snapshots.newestAt} size="sm" />,
    },
  ]
  return (
    <DataTable
      label={t('Databases')}
      columns={columns}
      rows={rows}
      idOf={({ standing, database }) => `${standing?.planId} ${database}`}
    />
  )
}
