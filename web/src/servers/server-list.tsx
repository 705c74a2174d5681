import { Anchor, Skeleton, Stack, Text } from '@mantine/core'
import type { Plan } from '../../../src/shared/plans.ts'
import type { Server } from '../../../src/shared/servers.ts'
import { useT } from '../i18n/i18n.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { LinkTo } from '../parts/link.tsx'
import { When } from '../parts/when.tsx'
import { BackUpNow } from '../plans/back-up-now.tsx'
import { addressOf } from './address.ts'
import { ConnectionState } from './connection-state.tsx'
import type { Fare } from './fares.ts'
import { ServerBadges } from './server-badges.tsx'
import { StandingCounts } from './standing-counts.tsx'

interface ServerListProps {
  servers: readonly Server[]
  plans: readonly Plan[]
  /** How the databases of each server fare; undefined until it is known. */
  fares: ReadonlyMap<string, Fare> | undefined
  engineLabel: (engine: string) => string
}

export function ServerList({ servers, plans, fares, engineLabel }: ServerListProps) {
  const t = useT()
  const columns: Column<Server>[] = [
    {
      title: t('Server'),
      isWide: true,
      cell: (server) => (
        <Stack gap={4}>
          <Anchor component={LinkTo} to={`/servers/${server.id}`} fw={600}>
            {server.name}
          </Anchor>
          <Text size="xs" c="dimmed" fw={400}>
            {t('{{engine}} · {{address}}', {
              engine: engineLabel(server.engine),
              address: addressOf(server),
            })}
          </Text>
          <ServerBadges server={server} />
        </Stack>
      ),
    },
    { title: t('Connection'), cell: ({ id }) => <ConnectionState id={id} /> },
    {
      title: t('Databases'),
      cell: ({ id }) =>
        fares ? <StandingCounts counts={fares.get(id)?.counts} /> : <Skeleton height={20} width={120} />,
    },
    {
      title: t('Last backup'),
      cell: ({ id }) =>
        fares ? (
          <When at={fares.get(id)?.lastSuccessAt ?? null} size="sm" />
        ) : (
          <Skeleton height={20} width={90} />
        ),
    },
    {
      title: '',
      align: 'right',
      cell: ({ id }) => (
        <BackUpNow plans={plans.filter(({ serverId }) => serverId === id)} variant="default" size="xs" />
      ),
    },
  ]
  return <DataTable label={t('Servers')} columns={columns} rows={servers} idOf={({ id }) => id} />
}
