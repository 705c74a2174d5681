import { Button } from '@mantine/core'
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { isOver, isRetried, type Job, retriedKinds } from '../../../src/shared/jobs.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { LinkTo } from '../parts/link.tsx'

/** Stops a job that is not over, and does again what has failed. Returns what goes wrong, to be shown in place. */
export function useJobActions(job: Job) {
  const navigate = useNavigate()
  const cancel = useChange('POST /api/v1/jobs/{id}/cancel')
  const retry = useChange('POST /api/v1/jobs/{id}/retry', {
    onSuccess: ({ body }) => void navigate({ to: `/jobs/${body.id}` }),
  })
  return {
    cancel: () => cancel.mutate({ params: { id: job.id } }),
    isCancelling: cancel.isPending || (job.isCancelRequested && !isOver(job.state)),
    retry: () => retry.mutate({ params: { id: job.id } }),
    isStarting: retry.isPending,
    error: cancel.error ?? retry.error,
  }
}

interface JobButtonsProps {
  job: Job
  actions: ReturnType<typeof useJobActions>
  size?: 'sm' | 'compact-sm'
}

/** What can be done with a job in its state. */
export function JobButtons({ job, actions, size = 'sm' }: JobButtonsProps) {
  const t = useT()
  const may = useMay()
  if (!isOver(job.state)) {
    if (!may('run-backups')) return null
    return (
      <Button
        size={size}
        variant="light"
        color="red"
        loading={actions.isCancelling}
        leftSection={<IconPlayerStop size={16} aria-hidden />}
        onClick={actions.cancel}
      >
        {t('Cancel job')}
      </Button>
    )
  }
  if (job.state === 'succeeded') return null
  const icon = <IconRefresh size={16} aria-hidden />
  if (job.kind === 'restore') {
    if (!may('restore')) return null
    return (
      <Button
        size={size}
        variant="default"
        component={LinkTo}
        to="/restores/new"
        search={{ again: job.id }}
        leftSection={icon}
      >
        {t('Restore again')}
      </Button>
    )
  }
  if (!isRetried(job.kind) || !may('run-backups') || !may(retriedKinds[job.kind])) return null
  return (
    <Button
      size={size}
      variant="default"
      loading={actions.isStarting}
      leftSection={icon}
      onClick={actions.retry}
    >
      {t('Try again')}
    </Button>
  )
}
