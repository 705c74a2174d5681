import { Button, Group, Paper, Radio, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArchive, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useListed } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { Asked } from '../parts/asked.tsx'
import { bytesText } from '../parts/bytes.tsx'
import { shortName } from '../parts/database-name.tsx'
import { Empty } from '../parts/empty.tsx'
import { exactTime } from '../parts/when.tsx'
import { More } from '../parts/more.tsx'
import { CopyChips } from '../snapshots/snapshot-copies.tsx'

const FEW = 10

interface SourceStepProps {
  snapshot: Snapshot | undefined
  onChoose: (snapshot: Snapshot) => void
  /** Null: the best copy. */
  volumeId: string | null
  onVolume: (volumeId: string | null) => void
}

/** Which snapshot is restored, and from which of its copies. */
export function SourceStep({ snapshot, onChoose, volumeId, onVolume }: SourceStepProps) {
  const t = useT()
  const [isChoosing, setChoosing] = useState(false)
  if (!snapshot || isChoosing) {
    return (
      <SnapshotSearch
        chosen={snapshot?.id}
        onChoose={(chosen) => {
          setChoosing(false)
          onChoose(chosen)
        }}
      />
    )
  }
  const copies = snapshot.copies.filter(({ state }) => state === 'stored')
  return (
    <Stack>
      <Paper withBorder p="md">
        <Group justify="space-between" align="flex-start">
          <SnapshotSummary snapshot={snapshot} />
          <Button variant="default" size="compact-sm" onClick={() => setChoosing(true)}>
            {t('Choose another')}
          </Button>
        </Group>
      </Paper>
      <Select
        label={t('Which copy is read')}
        description={t('The best one is there now, and rather on a local disk than elsewhere.')}
        data={[
          { value: '', label: t('The best one') },
          ...copies.map(({ volumeId, volumeName }) => ({ value: volumeId, label: volumeName })),
        ]}
        value={volumeId ?? ''}
        allowDeselect={false}
        maw={420}
        onChange={(chosen) => onVolume(chosen || null)}
      />
    </Stack>
  )
}

function SnapshotSummary({ snapshot }: { snapshot: Snapshot }) {
  const t = useT()
  const language = useLanguage()
  const { database, serverName, takenAt, storedBytes, copies, comment } = snapshot
  return (
    <Stack gap={4}>
      <Text fw={600}>{shortName(database)}</Text>
      <Text size="sm">
        {t('Of the server “{{server}}”, taken at {{time}}, {{bytes}} stored', {
          server: serverName,
          time: exactTime(takenAt, language),
          bytes: bytesText(storedBytes, language),
        })}
      </Text>
      {comment !== null && <Text size="sm">{comment}</Text>}
      <CopyChips copies={copies} isStatic />
    </Stack>
  )
}

interface SnapshotSearchProps {
  chosen: string | undefined
  onChoose: (snapshot: Snapshot) => void
}

function SnapshotSearch({ chosen, onChoose }: SnapshotSearchProps) {
  const t = useT()
  const { servers } = useNames()
  const [filters, setFilters] = useFilters()
  const [search, setSearch] = useState('')
  const [text] = useDebouncedValue(search.trim(), 300)
  const { server, database } = filters
  const snapshots = useListed('GET /api/v1/snapshots', {
    limit: FEW,
    ...(server && { server }),
    ...(database && { database }),
    ...(text && { search: text }),
  })
  return (
    <Stack>
      <Group gap="sm" align="flex-end">
        <Select
          label={t('Of the server')}
          placeholder={t('Any')}
          data={servers.map(({ id, name }) => ({ value: id, label: name }))}
          value={server ?? null}
          onChange={(chosen) => setFilters({ server: chosen ?? undefined })}
          w={{ base: '100%', xs: 220 }}
          searchable
          clearable
        />
        <TextInput
          label={t('Search')}
          placeholder={t('Database, comment, server, key')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
          w={{ base: '100%', xs: 280 }}
        />
        {database && (
          <Button variant="subtle" onClick={() => setFilters({ database: undefined })}>
            {t('All databases, not only {{database}}', { database: shortName(database) })}
          </Button>
        )}
      </Group>
      <Asked question={{ ...snapshots, data: snapshots.items }}>
        {(items) =>
          items.length === 0 && !snapshots.hasNextPage ? (
            <Empty icon={<IconArchive size={26} />} title={t('No such snapshot')}>
              {t('A snapshot is there when a plan has run, or a volume was scanned.')}
            </Empty>
          ) : (
            <Stack>
              <Radio.Group
                label={t('Snapshot')}
                value={chosen ?? null}
                onChange={(id) => {
                  const found = items.find((snapshot) => snapshot.id === id)
                  if (found) onChoose(found)
                }}
              >
                <Stack gap="xs" mt="xs">
                  {items.map((snapshot) => (
                    <SnapshotCard key={snapshot.id} snapshot={snapshot} />
                  ))}
                </Stack>
              </Radio.Group>
              <More of={snapshots} />
            </Stack>
          )
        }
      </Asked>
    </Stack>
  )
}

function SnapshotCard({ snapshot }: { snapshot: Snapshot }) {
  const t = useT()
  const language = useLanguage()
  const name = t('{{database}} of {{time}}', {
    database: shortName(snapshot.database),
    time: exactTime(snapshot.takenAt, language),
  })
  return (
    <Radio.Card value={snapshot.id} p="sm" aria-label={name}>
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Radio.Indicator mt={4} />
        <SnapshotSummary snapshot={snapshot} />
      </Group>
    </Radio.Card>
  )
}
