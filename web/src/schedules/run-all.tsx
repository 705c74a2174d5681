import { Button, Group, List, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { Plan } from '../../../src/shared/plans.ts'
import type { NamedSchedule } from '../../../src/shared/schedules.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'

interface RunAllProps {
  schedule: NamedSchedule
  /** Those that use it. */
  plans: readonly Plan[]
  onClose: () => void
}

/** Runs every enabled plan of a schedule now. */
export function RunAll({ schedule, plans, onClose }: RunAllProps) {
  const t = useT()
  const navigate = useNavigate()
  const enabled = plans.filter(({ isEnabled }) => isEnabled)
  const run = useChange('POST /api/v1/schedules/{id}/run', {
    onSuccess: ({ body: { items } }) => {
      onClose()
      notifications.show({
        color: 'green',
        message: t('{{count}} plans have started', { count: items.length }),
      })
      const [only] = items
      void navigate({ to: items.length === 1 && only ? `/jobs/${only.jobId}` : '/jobs' })
    },
  })
  return (
    <Dialog isOpen onClose={onClose} title={t('Run all plans of “{{name}}” now?', { name: schedule.name })}>
      <Stack>
        {enabled.length === 0 ? (
          <Text size="sm">{t('All of its plans are switched off.')}</Text>
        ) : (
          <>
            <Text size="sm">{t('These are backed up now:')}</Text>
            <List size="sm">
              {enabled.map(({ id, name }) => (
                <List.Item key={id}>{name}</List.Item>
              ))}
            </List>
          </>
        )}
        {run.error && <Failed error={run.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('Cancel')}
          </Button>
          <Button
            disabled={enabled.length === 0}
            loading={run.isPending}
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            onClick={() => run.mutate({ params: { id: schedule.id } })}
          >
            {t('Run all now')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  )
}
