import { Button } from '@mantine/core'
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { isOver, type Job } from '../../../src/shared/jobs.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { LinkTo } from '../parts/link.tsx'

/** Stops a job that is not over, and does again what has failed. Returns what goes wrong, to be shown in place. */
export function useJobActions(job: Job) {
  const navigate = useNavigate()
  const follow = ({ body }: { body: object }) => {
    const id = 'jobId' in body ? body.jobId : 'id' in body ? body.id : undefined
    if (typeof id === 'string') void navigate({ to: `/jobs/${id}` })
  }
  const cancel = useChange('POST /api/v1/jobs/{id}/cancel')
  const run = useChange('POST /api/v1/plans/{id}/run', { onSuccess: follow })
  const verify = useChange('POST /api/v1/snapshots/{id}/verify', { onSuccess: follow })
  const check = useChange('POST /api/v1/volumes/{id}/check', { onSuccess: follow })
  const scan = useChange('POST /api/v1/volumes/{id}/scan', { onSuccess: follow })
  const { planId, database, snapshotId, volumeId } = job
  const again: Record<string, (() => void) | undefined> = {
    ...(planId !== null && {
      backup: () =>
        run.mutate({ params: { id: planId }, body: database === null ? {} : { databases: [database] } }),
      'run-plan': () => run.mutate({ params: { id: planId }, body: {} }),
    }),
    ...(snapshotId !== null && {
      verify: () =>
        verify.mutate({ params: { id: snapshotId }, body: volumeId === null ? {} : { volumeId } }),
    }),
    ...(volumeId !== null && {
      'file-check': () => check.mutate({ params: { id: volumeId }, body: {} }),
      'content-check': () => check.mutate({ params: { id: volumeId }, body: { contents: true } }),
      'scan-volume': () => scan.mutate({ params: { id: volumeId } }),
    }),
  }
  return {
    cancel: () => cancel.mutate({ params: { id: job.id } }),
    isCancelling: cancel.isPending || (job.isCancelRequested && !isOver(job.state)),
    again: again[job.kind],
    isStarting: run.isPending || verify.isPending || check.isPending || scan.isPending,
    error: cancel.error ?? run.error ?? verify.error ?? check.error ?? scan.error,
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
  if (!actions.again || !may('run-backups')) return null
  return (
    <Button
      size={size}
      variant="default"
      loading={actions.isStarting}
      leftSection={icon}
      onClick={actions.again}
    >
      {t('Try again')}
    </Button>
  )
}
