import { ActionIcon, Badge, Code, Group, List, Stack, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconTrash } from '@tabler/icons-react'
import type { Token } from '../../../src/shared/tokens.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Confirm } from '../parts/confirm.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { useNow, When } from '../parts/when.tsx'
import { Scopes } from './scopes.tsx'

export function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  const t = useT()
  const columns: Column<Token>[] = [
    {
      title: t('Name'),
      isWide: true,
      cell: ({ name, isInstanceAdministrator }) => (
        <Stack gap={2} align="flex-start">
          <Text span inherit fw={500}>
            {name}
          </Text>
          {isInstanceAdministrator && (
            <Badge variant="light" color="grape" size="sm" tt="none">
              {t('administers the instance')}
            </Badge>
          )}
        </Stack>
      ),
    },
    {
      title: t('Owner'),
      cell: ({ owner }) =>
        owner?.name ?? (
          <Text span inherit c="dimmed">
            {t('nobody')}
          </Text>
        ),
    },
    { title: t('May'), cell: ({ scopes, owner }) => <Scopes scopes={scopes} hasOwner={owner !== null} /> },
    {
      title: t('From'),
      cell: ({ networks }) =>
        networks === null ? (
          <Text span inherit c="dimmed">
            {t('everywhere')}
          </Text>
        ) : (
          <Group gap={4}>
            {networks.map((network) => (
              <Code key={network}>{network}</Code>
            ))}
          </Group>
        ),
    },
    { title: t('Expires'), cell: ({ expiresAt }) => <Expiry at={expiresAt} /> },
    { title: t('Last used'), cell: ({ lastUsedAt }) => <When at={lastUsedAt} /> },
    {
      title: '',
      align: 'right',
      cell: (token) => (
        <Group justify="flex-end">
          <DeleteToken token={token} />
        </Group>
      ),
    },
  ]
  return <DataTable label={t('API tokens')} columns={columns} rows={tokens} idOf={({ id }) => id} />
}

function Expiry({ at }: { at: string | null }) {
  const t = useT()
  const now = useNow(at)
  if (at !== null && Date.parse(at) <= now) {
    return (
      <Badge variant="light" color="orange" tt="none">
        {t('expired')}
      </Badge>
    )
  }
  return <When at={at} />
}

function DeleteToken({ token: { id, name, owner, lastUsedAt } }: { token: Token }) {
  const t = useT()
  const [isOpen, dialog] = useDisclosure()
  const remove = useChange('DELETE /api/v1/tokens/{id}', { onSuccess: dialog.close })
  return (
    <>
      <Tooltip label={t('Delete token')}>
        <ActionIcon
          variant="subtle"
          color="red"
          aria-label={t('Delete the token “{{name}}”', { name })}
          onClick={dialog.open}
        >
          <IconTrash size={18} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Confirm
        isOpen={isOpen}
        onClose={dialog.close}
        title={t('Delete the token “{{name}}”?', { name })}
        action={t('Delete token')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id } })}
      >
        <Text size="sm">{t('What signs in with it is refused from then on.')}</Text>
        <List size="sm">
          <List.Item>{t('Owner: {{name}}', { name: owner?.name ?? t('nobody') })}</List.Item>
          <List.Item>
            {t('Last used:')} <When at={lastUsedAt} />
          </List.Item>
        </List>
      </Confirm>
    </>
  )
}
