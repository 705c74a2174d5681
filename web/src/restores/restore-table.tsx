import { Anchor, Stack, Text } from '@mantine/core'
import type { Restore } from '../../../src/shared/restores.ts'
import { useT } from '../i18n/i18n.ts'
import { JobDuration } from '../jobs/job-duration.tsx'
import { JobProgress } from '../jobs/job-progress.tsx'
import { useNames } from '../jobs/names.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { shortName } from '../parts/database-name.tsx'
import { LinkTo } from '../parts/link.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { restoreModes } from './restore-modes.ts'

interface RestoreTableProps {
  label: string
  restores: readonly Restore[]
}

/** Restores, and how they went. */
export function RestoreTable({ label, restores }: RestoreTableProps) {
  const t = useT()
  const names = useNames()
  const columns: Column<Restore>[] = [
    {
      title: t('Into'),
      isWide: true,
      cell: ({ id, database, serverId }) => (
        <Stack gap={2}>
          <Anchor component={LinkTo} to={`/restores/${id}`} size="sm" fw={600} title={database ?? undefined}>
            {database === null ? t('the server itself') : shortName(database)}
          </Anchor>
          {serverId !== null && (
            <Text size="xs" c="dimmed">
              {names.server(serverId)}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      title: t('Kind'),
      cell: ({ mode, undoes, scheduledRestoreId }) => (
        <Stack gap={2}>
          <Text size="sm">{t(restoreModes[mode].title)}</Text>
          {undoes !== null && (
            <Anchor component={LinkTo} to={`/restores/${undoes}`} size="xs">
              {t('undoes another restore')}
            </Anchor>
          )}
          {scheduledRestoreId !== null && (
            <Anchor component={LinkTo} to={`/restores/scheduled/${scheduledRestoreId}`} size="xs">
              {t('by a scheduled restore')}
            </Anchor>
          )}
        </Stack>
      ),
    },
    {
      title: t('State'),
      isWide: true,
      cell: ({ state, progress, error }) => (
        <Stack gap={4}>
          <div>
            <JobStateBadge state={state} />
          </div>
          {state === 'running' && <JobProgress job={{ kind: 'restore', progress }} />}
          {error && state !== 'succeeded' && (
            <Text size="xs" lineClamp={2} title={error.message}>
              {error.message}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      title: t('Snapshot'),
      cell: ({ snapshotId }) =>
        snapshotId !== null && (
          <Anchor component={LinkTo} to={`/snapshots/${snapshotId}`} size="sm">
            {t('To the snapshot')}
          </Anchor>
        ),
    },
    {
      title: t('Ordered'),
      cell: ({ createdAt }) => (
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
          <When at={createdAt} />
        </Text>
      ),
    },
    {
      title: t('Duration'),
      cell: (restore) => (
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
          <JobDuration job={restore} />
        </Text>
      ),
    },
  ]
  return <DataTable label={label} columns={columns} rows={restores} idOf={({ id }) => id} />
}
