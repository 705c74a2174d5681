import { Anchor, Button, Group, Stack, Text } from '@mantine/core'
import { IconCalendarTime, IconPlus } from '@tabler/icons-react'
import { describeSkip, type ScheduledRestore } from '../../../src/shared/scheduled-restores.ts'
import { useAll, useAsk } from '../api.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { shortName } from '../parts/database-name.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { RestoresTabs } from './restores-tabs.tsx'
import { ScheduledActions } from './scheduled-actions.tsx'
import { NextRun } from './scheduled-words.tsx'

export function ScheduledRestoresPage() {
  const t = useT()
  const scheduled = useAll('GET /api/v1/scheduled-restores')
  return (
    <Page
      title={t('Restores')}
      about={t('The newest snapshot of a database, into another one, again and again.')}
      actions={<AddButton />}
    >
      <RestoresTabs value="scheduled">
        <Asked question={scheduled}>
          {(items) =>
            items.length === 0 ? (
              <Empty
                icon={<IconCalendarTime size={26} />}
                title={t('No scheduled restore yet')}
                action={<AddButton />}
              >
                {t('A staging copy that is fresh each morning, with personal data masked: that is one.')}
              </Empty>
            ) : (
              <List items={items} />
            )
          }
        </Asked>
      </RestoresTabs>
    </Page>
  )
}

function AddButton() {
  const t = useT()
  const may = useMay()
  if (!may('manage-plans')) return null
  return (
    <Button component={LinkTo} to="/restores/scheduled/new" leftSection={<IconPlus size={16} aria-hidden />}>
      {t('Add scheduled restore')}
    </Button>
  )
}

function List({ items }: { items: readonly ScheduledRestore[] }) {
  const t = useT()
  const names = useNames()
  const place = (serverId: string, database: string) => (
    <Stack gap={2}>
      <Text size="sm" title={database}>
        {shortName(database)}
      </Text>
      <Text size="xs" c="dimmed">
        {names.server(serverId)}
      </Text>
    </Stack>
  )
  const columns: Column<ScheduledRestore>[] = [
    {
      title: t('Name'),
      isWide: true,
      cell: ({ id, name }) => (
        <Anchor component={LinkTo} to={`/restores/scheduled/${id}`} size="sm" fw={600}>
          {name}
        </Anchor>
      ),
    },
    { title: t('From'), cell: ({ sourceServerId, sourceDatabase }) => place(sourceServerId, sourceDatabase) },
    { title: t('Into'), cell: ({ targetServerId, targetDatabase }) => place(targetServerId, targetDatabase) },
    { title: t('Next run'), cell: (scheduled) => <NextRun scheduled={scheduled} /> },
    { title: t('Last'), cell: (scheduled) => <Last scheduled={scheduled} /> },
    {
      title: '',
      align: 'right',
      cell: (scheduled) => (
        <Group gap="xs" wrap="nowrap" justify="flex-end">
          <ScheduledActions scheduled={scheduled} size="compact-sm" />
        </Group>
      ),
    },
  ]
  return <DataTable label={t('Scheduled restores')} columns={columns} rows={items} idOf={({ id }) => id} />
}

function Last({ scheduled: { lastJobId, lastSkippedAt, lastSkip } }: { scheduled: ScheduledRestore }) {
  const t = useT()
  const speech = useSpeech()
  if (lastSkip !== null) {
    return (
      <Stack gap={2}>
        <Text size="sm">{t('skipped')}</Text>
        <Text size="xs">{describeSkip(lastSkip, undefined, speech)}</Text>
        <Text size="xs" c="dimmed">
          <When at={lastSkippedAt} />
        </Text>
      </Stack>
    )
  }
  if (lastJobId === null) return <Text size="sm">{t('never ran')}</Text>
  return <LastRestore id={lastJobId} />
}

function LastRestore({ id }: { id: string }) {
  const t = useT()
  const { data } = useAsk('GET /api/v1/restores/{id}', { params: { id } })
  return (
    <Stack gap={2} align="flex-start">
      {data && <JobStateBadge state={data.state} />}
      <Anchor component={LinkTo} to={`/restores/${id}`} size="sm">
        {data ? <When at={data.finishedAt ?? data.createdAt} /> : t('To its last restore')}
      </Anchor>
    </Stack>
  )
}
