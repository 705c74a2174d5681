import { Button, Group, Text } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { msg, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import type { AddingStep, useAddServer } from './use-add-server.ts'

const steps: Record<AddingStep, string> = {
  server: msg('Adding the server …'),
  schedule: msg('Adding the schedule …'),
  plan: msg('Adding the plan …'),
  run: msg('Starting the first backup …'),
}

interface AddingActionsProps {
  adding: Pick<ReturnType<typeof useAddServer>, 'busy' | 'serverId'>
  /** It can be backed up at once. */
  hasPlan: boolean
  isTesting: boolean
  onAddAll: () => void
  onAddOnly: () => void
}

/** What the form ends in, and how far it is with that. */
export function AddingActions({ adding, hasPlan, isTesting, onAddAll, onAddOnly }: AddingActionsProps) {
  const t = useT()
  const may = useMay()
  const isBusy = adding.busy !== undefined || isTesting
  const only = adding.serverId === undefined ? t('Add server only') : t('Back up later')
  return (
    <Group gap="sm">
      {hasPlan && may('run-backups') && (
        <Button loading={isBusy} leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={onAddAll}>
          {adding.serverId === undefined ? t('Add server and back up now') : t('Back up now')}
        </Button>
      )}
      <Button variant={hasPlan ? 'default' : 'filled'} disabled={isBusy} onClick={onAddOnly}>
        {only}
      </Button>
      {adding.busy && (
        <Text size="sm" role="status">
          {t(steps[adding.busy])}
        </Text>
      )}
    </Group>
  )
}
