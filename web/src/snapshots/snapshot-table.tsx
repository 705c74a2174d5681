import { Anchor, Badge, Checkbox, Group, Stack, Text, Tooltip } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import type { Snapshot, SnapshotSort } from '../../../src/shared/snapshots-api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Bytes } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { shortName } from '../parts/database-name.tsx'
import { LinkTo } from '../parts/link.tsx'
import { exactTime, shortTime, When } from '../parts/when.tsx'
import { LockBadge } from './lock-badge.tsx'
import { CopyChips } from './snapshot-copies.tsx'
import type { SnapshotSorting } from './snapshot-sorting.ts'

interface SnapshotTableProps {
  label: string
  snapshots: readonly Snapshot[]
  /** Ids. Absent: nothing can be chosen. */
  chosen?: ReadonlySet<string>
  onChoose?: (id: string, isChosen: boolean) => void
  /** Absent: they stay in the order in which they are given. */
  sorting?: SnapshotSorting
}

/** A list of snapshots: of what, when, how large, and where their copies are. */
export function SnapshotTable({ label, snapshots, chosen, onChoose, sorting }: SnapshotTableProps) {
  const t = useT()
  const language = useLanguage()
  const by = (sort: SnapshotSort) =>
    sorting && {
      sorting: {
        order: sorting.sort === sort ? sorting.order : undefined,
        onSort: () => sorting.sortBy(sort),
      },
    }
  const columns: Column<Snapshot>[] = [
    {
      title: t('Database'),
      ...by('database'),
      isWide: true,
      cell: ({ id, database, serverName, takenAt, comment }) => (
        <Group gap="sm" wrap="nowrap" align="flex-start">
          {chosen && onChoose && (
            <Checkbox
              mt={2}
              aria-label={t('Choose {{database}} of {{time}}', {
                database: shortName(database),
                time: shortTime(takenAt, language),
              })}
              checked={chosen.has(id)}
              onChange={({ currentTarget }) => onChoose(id, currentTarget.checked)}
            />
          )}
          <Stack gap={2}>
            <Anchor component={LinkTo} to={`/snapshots/${id}`} size="sm" fw={600} title={database}>
              {shortName(database)}
            </Anchor>
            <Text size="xs" c="dimmed">
              {serverName}
            </Text>
            {comment !== null && (
              <Text size="xs" lineClamp={2}>
                {comment}
              </Text>
            )}
          </Stack>
        </Group>
      ),
    },
    {
      title: t('Taken'),
      ...by('takenAt'),
      cell: ({ takenAt }) => (
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
          <When at={takenAt} />
        </Text>
      ),
    },
    {
      title: t('Size'),
      ...by('storedBytes'),
      align: 'right',
      cell: ({ storedBytes }) => (
        <Text size="sm">
          <Bytes of={storedBytes} />
        </Text>
      ),
    },
    { title: t('Copies'), cell: ({ copies }) => <CopyChips copies={copies} /> },
    { title: t('Notes'), cell: (snapshot) => <Notes snapshot={snapshot} /> },
  ]
  return <DataTable label={label} columns={columns} rows={snapshots} idOf={({ id }) => id} />
}

function Notes({
  snapshot: { planName, locked, provenAt, isPartial, isForeign, keyId },
}: {
  snapshot: Snapshot
}) {
  const t = useT()
  const language = useLanguage()
  return (
    <Stack gap={4} align="flex-start">
      <Text size="sm">{planName ?? t('of no plan')}</Text>
      <LockBadge locked={locked} />
      {provenAt !== null && (
        <Tooltip label={exactTime(provenAt, language)}>
          <Badge
            color="green"
            variant="light"
            tt="none"
            leftSection={<IconShieldCheck size={12} aria-hidden />}
            tabIndex={0}
          >
            {t('proven')}
          </Badge>
        </Tooltip>
      )}
      {keyId !== null && <Text size="xs">{t('encrypted')}</Text>}
      {isPartial && <Text size="xs">{t('a part of the database')}</Text>}
      {isForeign && <Text size="xs">{t('made by another program')}</Text>}
    </Stack>
  )
}
