import { List, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { Plan } from '../../../src/shared/plans.ts'
import { askingAll, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Confirm } from '../parts/confirm.tsx'

interface DeleteServerProps {
  id: string
  name: string
  plans: readonly Plan[] | undefined
  isOpen: boolean
  onClose: () => void
}

export function DeleteServer({ id, name, plans = [], isOpen, onClose }: DeleteServerProps) {
  const t = useT()
  const navigate = useNavigate()
  const remove = useChange('DELETE /api/v1/servers/{id}', {
    onSuccess: () => navigate({ to: '/servers' }),
  })
  const scheduled = useQuery({ ...askingAll('GET /api/v1/scheduled-restores'), enabled: isOpen })
  const users = [
    ...plans.map((plan) => t('Plan “{{name}}”', { name: plan.name })),
    ...(scheduled.data ?? [])
      .filter(({ sourceServerId, targetServerId }) => [sourceServerId, targetServerId].includes(id))
      .map((one) => t('Scheduled restore “{{name}}”', { name: one.name })),
  ]
  const close = () => {
    remove.reset()
    onClose()
  }
  return (
    <Confirm
      isOpen={isOpen}
      onClose={close}
      title={t('Delete the server “{{name}}”?', { name })}
      action={t('Delete server')}
      isPending={remove.isPending}
      isDisabled={users.length > 0 || scheduled.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { id } })}
    >
      {users.length > 0 ? (
        <>
          <Text size="sm">
            {t(
              'It cannot be deleted while these use it. Delete them first; each plan asks what becomes of its snapshots.',
            )}
          </Text>
          <List size="sm">
            {users.map((user) => (
              <List.Item key={user}>{user}</List.Item>
            ))}
          </List>
        </>
      ) : (
        <>
          <Text size="sm">{t('Lost is how it is reached: its address, its user and its secrets.')}</Text>
          <Text size="sm">
            {t(
              'Its snapshots stay on their volumes, and stay in the list. The databases on the server are not touched.',
            )}
          </Text>
        </>
      )}
    </Confirm>
  )
}
