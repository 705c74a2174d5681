import { List, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { askingAll, useChange, useSure } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Confirm } from '../parts/confirm.tsx'

interface DeleteServerProps {
  id: string
  name: string
  isOpen: boolean
  onClose: () => void
}

export function DeleteServer({ id, name, isOpen, onClose }: DeleteServerProps) {
  const t = useT()
  const navigate = useNavigate()
  const remove = useChange('DELETE /api/v1/servers/{id}', {
    onSuccess: () => navigate({ to: '/servers' }),
  })
  const plans = useSure(askingAll('GET /api/v1/plans', { query: { server: id } }), isOpen)
  const scheduled = useSure(askingAll('GET /api/v1/scheduled-restores'), isOpen)
  const users = plans.data &&
    scheduled.data && [
      ...plans.data.map((plan) => t('Plan “{{name}}”', { name: plan.name })),
      ...scheduled.data
        .filter(({ sourceServerId, targetServerId }) => [sourceServerId, targetServerId].includes(id))
        .map((one) => t('Scheduled restore “{{name}}”', { name: one.name })),
    ]
  const question = {
    data: users,
    error: plans.error ?? scheduled.error,
    refetch: () => Promise.all([plans.refetch(), scheduled.refetch()]),
  }
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
      isDisabled={!plans.isSure || !scheduled.isSure || users?.length !== 0}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { id } })}
    >
      <Asked question={question} lines={2}>
        {(users) =>
          users.length > 0 ? (
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
          )
        }
      </Asked>
    </Confirm>
  )
}
