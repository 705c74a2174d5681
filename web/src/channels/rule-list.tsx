import { Badge, Button, Group, Menu, Stack, Switch, Text } from '@mantine/core'
import { IconFilter, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { NotificationRule } from '../../../src/shared/notifications.ts'
import { useAll, useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/empty.tsx'
import { Failed } from '../parts/failed.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { eventTitles } from './event-words.ts'
import { RuleDrawer } from './rule-drawer.tsx'
import { useChannelNames, useServerNames } from './names.ts'

/** Which events of which servers go to which channels. */
export function RuleList() {
  const t = useT()
  const mayManage = useMay()('manage-channels')
  const [{ edit }, filter] = useFilters()
  const rules = useAll('GET /api/v1/notification-rules')
  const add = mayManage && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filter({ edit: 'new' })}>
      {t('Add rule')}
    </Button>
  )
  return (
    <Stack>
      <Asked question={rules}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<IconFilter size={26} />} title={t('Nobody is told anything')} action={add}>
              {t('Without a rule no event goes to any channel, not even a failure.')}
            </Empty>
          ) : (
            <>
              <Group justify="flex-end">{add}</Group>
              <RuleTable rules={items} mayManage={mayManage} onEdit={(id) => filter({ edit: id })} />
            </>
          )
        }
      </Asked>
      {mayManage && <RuleDrawer edited={edit} onClose={() => filter({ edit: undefined })} />}
    </Stack>
  )
}

interface RuleTableProps {
  rules: NotificationRule[]
  mayManage: boolean
  onEdit: (id: string) => void
}

function RuleTable({ rules, mayManage, onEdit }: RuleTableProps) {
  const t = useT()
  const serversOf = useServerNames()
  const channelsOf = useChannelNames()
  const change = useChange('PATCH /api/v1/notification-rules/{id}')
  const [deleted, setDeleted] = useState<NotificationRule>()
  const remove = useChange('DELETE /api/v1/notification-rules/{id}', {
    onSuccess: () => setDeleted(undefined),
  })
  const columns: Column<NotificationRule>[] = [
    {
      title: t('Rule'),
      isWide: true,
      cell: ({ name }) => (
        <Text size="sm" fw={600}>
          {name}
        </Text>
      ),
    },
    { title: t('Events'), isWide: true, cell: ({ events }) => <Events events={events} /> },
    { title: t('Servers'), cell: ({ servers }) => <Text size="sm">{serversOf(servers)}</Text> },
    { title: t('Channels'), cell: ({ channels }) => <Text size="sm">{channelsOf(channels)}</Text> },
    {
      title: t('On'),
      cell: ({ id, name, isEnabled }) => (
        <Switch
          aria-label={t('“{{name}}” is on', { name })}
          checked={isEnabled}
          disabled={!mayManage || change.isPending}
          onChange={({ currentTarget }) =>
            change.mutate({ params: { id }, body: { isEnabled: currentTarget.checked } })
          }
        />
      ),
    },
    {
      title: '',
      align: 'right',
      cell: (rule) =>
        mayManage && (
          <RowMenu label={t('More for “{{name}}”', { name: rule.name })}>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(rule.id)}>
              {t('Edit')}
            </Menu.Item>
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => setDeleted(rule)}
            >
              {t('Delete')}
            </Menu.Item>
          </RowMenu>
        ),
    },
  ]
  return (
    <>
      {change.error && <Failed error={change.error} />}
      <DataTable label={t('Rules')} rows={rules} idOf={({ id }) => id} columns={columns} />
      <Confirm
        isOpen={deleted !== undefined}
        onClose={() => setDeleted(undefined)}
        title={t('Delete “{{name}}”?', { name: deleted?.name })}
        action={t('Delete rule')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => deleted && remove.mutate({ params: { id: deleted.id } })}
      >
        <Text size="sm">{t('Unless another rule has them, nobody is told of:')}</Text>
        {deleted && <Events events={deleted.events} isWhole />}
      </Confirm>
    </>
  )
}

const SHOWN = 4

/** The first of them, or all. */
function Events({ events, isWhole = false }: { events: NotificationRule['events']; isWhole?: boolean }) {
  const t = useT()
  const shown = isWhole || events.length <= SHOWN + 1 ? events : events.slice(0, SHOWN)
  return (
    <Group gap={4}>
      {shown.map((event) => (
        <Badge key={event} variant="default" tt="none" fw={500}>
          {t(eventTitles[event] ?? event)}
        </Badge>
      ))}
      {shown.length < events.length && (
        <Text size="xs" c="dimmed">
          {t('and {{number}} more', { number: events.length - shown.length })}
        </Text>
      )}
    </Group>
  )
}
