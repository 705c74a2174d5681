import { Button, Menu, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPencil, IconPlayerPause, IconPlayerPlay, IconTrash } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { ScheduledRestore } from '../../../src/shared/scheduled-restores.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { RowMenu } from '../parts/row-menu.tsx'

interface ScheduledActionsProps {
  scheduled: ScheduledRestore
  size?: 'sm' | 'compact-sm'
}

/** Runs a scheduled restore now, lets it rest, or deletes it. */
export function ScheduledActions({ scheduled, size = 'sm' }: ScheduledActionsProps) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const [isDeleting, deleting] = useDisclosure(false)
  const { id, name, isEnabled } = scheduled
  const run = useChange('POST /api/v1/scheduled-restores/{id}/run', {
    onSuccess: ({ body }) => navigate({ to: `/restores/${body.jobId}` }),
  })
  const change = useChange('PATCH /api/v1/scheduled-restores/{id}')
  const remove = useChange('DELETE /api/v1/scheduled-restores/{id}', {
    onSuccess: () => navigate({ to: '/restores/scheduled' }),
  })
  const problem = run.error ?? change.error
  return (
    <>
      {may('restore') && (
        <Button
          size={size}
          variant={size === 'sm' ? 'filled' : 'default'}
          aria-label={t('Run now: {{name}}', { name })}
          loading={run.isPending}
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          onClick={() => run.mutate({ params: { id } })}
        >
          {t('Run now')}
        </Button>
      )}
      {may('manage-plans') && (
        <RowMenu label={t('More for {{name}}', { name })}>
          <Menu.Item
            component={LinkTo}
            to={`/restores/scheduled/${id}/edit`}
            leftSection={<IconPencil size={16} aria-hidden />}
          >
            {t('Edit')}
          </Menu.Item>
          <Menu.Item
            leftSection={
              isEnabled ? <IconPlayerPause size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />
            }
            onClick={() => change.mutate({ params: { id }, body: { isEnabled: !isEnabled } })}
          >
            {isEnabled ? t('Disable') : t('Enable')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={deleting.open}>
            {t('Delete')}
          </Menu.Item>
        </RowMenu>
      )}
      <Dialog
        isOpen={problem !== null}
        onClose={() => {
          run.reset()
          change.reset()
        }}
        title={name}
      >
        {problem && <Failed error={problem} />}
      </Dialog>
      <Confirm
        isOpen={isDeleting}
        onClose={deleting.close}
        title={t('Delete the scheduled restore “{{name}}”', { name })}
        action={t('Delete scheduled restore')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id } })}
      >
        <Stack gap="xs">
          <Text size="sm">{t('It does not run any more. Its settings, with their SQL, are gone.')}</Text>
          <Text size="sm">
            {t('What it has restored stays, and so does its history among the restores.')}
          </Text>
        </Stack>
      </Confirm>
    </>
  )
}
