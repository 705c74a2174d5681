import { Anchor, Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { IconDatabaseExport, IconPlus } from '@tabler/icons-react'
import type { Volume } from '../../../src/shared/volumes.ts'
import { useAll, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { CopyCounts, UsageBar } from './usage.tsx'
import { VolumeIcon } from './volume-icon.tsx'

export function VolumesPage() {
  const t = useT()
  const may = useMay()
  const volumes = useAll('GET /api/v1/volumes')
  const kinds = useAsk('GET /api/v1/volume-kinds')
  const add = may('manage-volumes') && (
    <Button component={LinkTo} to="/volumes/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t('Add volume')}
    </Button>
  )
  const labelOf = (kind: string) => kinds.data?.items.find(({ name }) => name === kind)?.label ?? kind
  const columns: Column<Volume>[] = [
    { title: t('Volume'), isWide: true, cell: (volume) => <Name volume={volume} /> },
    { title: t('Kind'), cell: ({ kind }) => <Text size="sm">{t(labelOf(kind))}</Text> },
    { title: t('Usage'), cell: ({ id }) => <Usage id={id} what="bar" /> },
    { title: t('Copies'), cell: ({ id }) => <Usage id={id} what="copies" /> },
  ]
  return (
    <Page
      title={t('Volumes')}
      about={t('Places where snapshots are kept. Keep a copy away from the machine that makes it.')}
      actions={add}
    >
      <Asked question={volumes}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<IconDatabaseExport size={26} />} title={t('No volume yet')} action={add}>
              {t('A volume is a folder, a bucket or another server. Backups are written to it.')}
            </Empty>
          ) : (
            <DataTable label={t('Volumes')} rows={items} idOf={({ id }) => id} columns={columns} />
          )
        }
      </Asked>
    </Page>
  )
}

function Name({ volume: { id, name, kind, location, isReadOnly } }: { volume: Volume }) {
  const t = useT()
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <VolumeIcon kind={kind} />
      <Stack gap={2}>
        <Group gap="xs">
          <Anchor component={LinkTo} to={`/volumes/${id}`} fw={600}>
            {name}
          </Anchor>
          {isReadOnly && (
            <Badge variant="light" color="gray" tt="none">
              {t('read only')}
            </Badge>
          )}
        </Group>
        <Text size="sm" fw={400} c={location === null ? 'red' : 'dimmed'}>
          {location ?? t('Its settings are not valid any more')}
        </Text>
      </Stack>
    </Group>
  )
}

function Usage({ id, what }: { id: string; what: 'bar' | 'copies' }) {
  const t = useT()
  const { data, error } = useAsk('GET /api/v1/volumes/{id}/usage', { params: { id } })
  if (error) {
    return (
      <Text size="sm" c="dimmed">
        {t('not known')}
      </Text>
    )
  }
  if (!data) return <Skeleton height={18} width={100} />
  return what === 'bar' ? <UsageBar usage={data} /> : <CopyCounts copies={data.copies} />
}
