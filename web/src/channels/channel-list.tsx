import { Badge, Button, Group, Menu, Stack, Switch, Text } from '@mantine/core'
import { IconBell, IconPencil, IconPlus, IconSend, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { Channel } from '../../../src/shared/channels.ts'
import { useAll, useAsk, useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Empty } from '../parts/empty.tsx'
import { Failed } from '../parts/failed.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { When } from '../parts/when.tsx'
import { ChannelDrawer } from './channel-drawer.tsx'
import { ChannelIcon } from './channel-icon.tsx'
import { TestMessage } from './test-message.tsx'

/** Where notices go, and whether they arrive. */
export function ChannelList() {
  const t = useT()
  const mayManage = useMay()('manage-channels')
  const [{ edit }, filter] = useFilters()
  const channels = useAll('GET /api/v1/channels')
  const add = mayManage && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filter({ edit: 'new' })}>
      {t('Add channel')}
    </Button>
  )
  return (
    <Stack>
      <Asked question={channels}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<IconBell size={26} />} title={t('Nobody is told yet')} action={add}>
              {t('Add a channel: failures and overdue backups go to all channels from then on.')}
            </Empty>
          ) : (
            <>
              <Group justify="flex-end">{add}</Group>
              <ChannelTable channels={items} mayManage={mayManage} onEdit={(id) => filter({ edit: id })} />
            </>
          )
        }
      </Asked>
      {mayManage && <ChannelDrawer edited={edit} onClose={() => filter({ edit: undefined })} />}
    </Stack>
  )
}

interface ChannelTableProps {
  channels: Channel[]
  mayManage: boolean
  onEdit: (id: string) => void
}

function ChannelTable({ channels, mayManage, onEdit }: ChannelTableProps) {
  const t = useT()
  const change = useChange('PATCH /api/v1/channels/{id}')
  const [deleted, setDeleted] = useState<Channel>()
  const [tested, setTested] = useState<Channel>()
  const remove = useChange('DELETE /api/v1/channels/{id}', { onSuccess: () => setDeleted(undefined) })
  const columns: Column<Channel>[] = [
    { title: t('Channel'), isWide: true, cell: (channel) => <Name channel={channel} /> },
    { title: t('Last delivery'), isWide: true, cell: (channel) => <Delivery channel={channel} /> },
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
      cell: (channel) =>
        mayManage && (
          <RowMenu label={t('More for “{{name}}”', { name: channel.name })}>
            <Menu.Item leftSection={<IconSend size={16} aria-hidden />} onClick={() => setTested(channel)}>
              {t('Send a test message')}
            </Menu.Item>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(channel.id)}>
              {t('Edit')}
            </Menu.Item>
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => setDeleted(channel)}
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
      <DataTable label={t('Channels')} rows={channels} idOf={({ id }) => id} columns={columns} />
      {tested && <TestMessage channel={tested} onClose={() => setTested(undefined)} />}
      <Confirm
        isOpen={deleted !== undefined}
        onClose={() => setDeleted(undefined)}
        title={t('Delete “{{name}}”?', { name: deleted?.name })}
        action={t('Delete channel')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => deleted && remove.mutate({ params: { id: deleted.id } })}
      >
        <Text size="sm">
          {t('Nothing is told there any more; what waits to be delivered there is not delivered.')}
        </Text>
      </Confirm>
    </>
  )
}

function Name({ channel: { name, kind, isShared } }: { channel: Channel }) {
  const t = useT()
  const kinds = useAsk('GET /api/v1/channel-kinds')
  return (
    <Group gap="sm" wrap="nowrap">
      <ChannelIcon kind={kind} />
      <Stack gap={0}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {name}
          </Text>
          {isShared && (
            <Badge variant="light" color="gray" tt="none">
              {t('shared')}
            </Badge>
          )}
        </Group>
        <Text size="xs" fw={400} c="dimmed">
          {t(kinds.data?.items.find((one) => one.name === kind)?.label ?? kind)}
        </Text>
      </Stack>
    </Group>
  )
}

function Delivery({ channel }: { channel: Channel }) {
  const t = useT()
  const { isFailing, lastDeliveredAt, lastFailedAt, lastError } = channel
  if (isFailing) {
    return (
      <Stack gap={2}>
        <Group gap="xs">
          <Badge color="red" variant="light" tt="none">
            {t('not delivered')}
          </Badge>
          <Text size="sm">
            <When at={lastFailedAt} />
          </Text>
        </Group>
        {lastError && <Text size="sm">{lastError.message}</Text>}
      </Stack>
    )
  }
  if (lastDeliveredAt === null) {
    return (
      <Text size="sm" c="dimmed">
        {t('Nothing was sent yet')}
      </Text>
    )
  }
  return (
    <Group gap="xs">
      <Badge color="green" variant="light" tt="none">
        {t('delivered')}
      </Badge>
      <Text size="sm">
        <When at={lastDeliveredAt} />
      </Text>
    </Group>
  )
}
