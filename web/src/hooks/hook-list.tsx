import { Button, Group, Menu, Stack, Switch, Text } from '@mantine/core'
import { IconCode, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { Hook } from '../../../src/shared/hooks.ts'
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
import { HookDrawer } from './hook-drawer.tsx'
import { HookIcon } from './hook-icon.tsx'
import { failureWords, moments } from './hook-words.ts'

/** The hooks of the organization and of its plans. */
export function HookList() {
  const t = useT()
  const may = useMay()
  const [{ edit }, filter] = useFilters()
  const hooks = useAll('GET /api/v1/hooks')
  const add = may('manage-settings') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filter({ edit: 'new' })}>
      {t('Add hook')}
    </Button>
  )
  return (
    <Stack>
      <Asked question={hooks}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<IconCode size={26} />} title={t('No hook yet')} action={add}>
              {t(
                'A hook runs before or after backups or restores: a script, a request to a URL, or SQL. It can fail the job, or leave it out.',
              )}
            </Empty>
          ) : (
            <>
              <Group justify="flex-end">{add}</Group>
              <HookTable hooks={items} onEdit={(id) => filter({ edit: id })} />
            </>
          )
        }
      </Asked>
      {may('manage-settings') && <HookDrawer edited={edit} onClose={() => filter({ edit: undefined })} />}
    </Stack>
  )
}

function HookTable({ hooks, onEdit }: { hooks: Hook[]; onEdit: (id: string) => void }) {
  const t = useT()
  const may = useMay()
  const plans = useAll('GET /api/v1/plans')
  const change = useChange('PATCH /api/v1/hooks/{id}')
  const [deleted, setDeleted] = useState<Hook>()
  const remove = useChange('DELETE /api/v1/hooks/{id}', { onSuccess: () => setDeleted(undefined) })
  const mayEdit = ({ kind }: Hook) =>
    may('manage-settings') && (kind !== 'script' || may('administer-instance'))
  const scopeOf = ({ planId }: Hook) =>
    planId === null
      ? t('Whole organization')
      : t('Plan “{{name}}”', { name: plans.data?.find(({ id }) => id === planId)?.name ?? planId })
  const columns: Column<Hook>[] = [
    { title: t('Hook'), isWide: true, cell: (hook) => <Name hook={hook} /> },
    {
      title: t('When'),
      cell: (hook) => (
        <Stack gap={0}>
          <Text size="sm">{t(moments[hook.around][hook.moment])}</Text>
          <Text size="xs" c="dimmed">
            {scopeOf(hook)}
          </Text>
        </Stack>
      ),
    },
    {
      title: t('If it fails'),
      cell: (hook) => <Text size="sm">{t(failureWords(hook.onFailure, hook))}</Text>,
    },
    {
      title: t('On'),
      cell: (hook) => (
        <Switch
          aria-label={t('“{{name}}” is on', { name: hook.name })}
          checked={hook.isEnabled}
          disabled={!mayEdit(hook) || change.isPending}
          onChange={({ currentTarget }) =>
            change.mutate({ params: { id: hook.id }, body: { isEnabled: currentTarget.checked } })
          }
        />
      ),
    },
    {
      title: '',
      align: 'right',
      cell: (hook) =>
        mayEdit(hook) && (
          <RowMenu label={t('More for “{{name}}”', { name: hook.name })}>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(hook.id)}>
              {t('Edit')}
            </Menu.Item>
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={() => setDeleted(hook)}
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
      <DataTable label={t('Hooks')} rows={hooks} idOf={({ id }) => id} columns={columns} />
      <Confirm
        isOpen={deleted !== undefined}
        onClose={() => setDeleted(undefined)}
        title={t('Delete “{{name}}”?', { name: deleted?.name })}
        action={t('Delete hook')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => deleted && remove.mutate({ params: { id: deleted.id } })}
      >
        <Text size="sm">{t('It does not run any more. Jobs that have begun run it still.')}</Text>
      </Confirm>
    </>
  )
}

function Name({ hook: { name, kind } }: { hook: Hook }) {
  const t = useT()
  const kinds = useAsk('GET /api/v1/hook-kinds')
  return (
    <Group gap="sm" wrap="nowrap">
      <HookIcon kind={kind} />
      <Stack gap={0}>
        <Text size="sm" fw={600}>
          {name}
        </Text>
        <Text size="xs" fw={400} c="dimmed">
          {t(kinds.data?.items.find((one) => one.name === kind)?.label ?? kind)}
        </Text>
      </Stack>
    </Group>
  )
}
