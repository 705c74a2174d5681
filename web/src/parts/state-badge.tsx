import { Badge, type BadgeProps } from '@mantine/core'
import type { JobState } from '../../../src/shared/jobs.ts'
import type { Standing } from '../../../src/shared/overview.ts'
import type { CopyState } from '../../../src/shared/snapshots-api.ts'
import { msg, useT } from '../i18n/i18n.ts'

interface Face {
  color: string
  word: string
}

const jobFaces: Record<JobState, Face> = {
  queued: { color: 'gray', word: msg('queued') },
  running: { color: 'blue', word: msg('running') },
  succeeded: { color: 'green', word: msg('succeeded') },
  partial: { color: 'orange', word: msg('partial') },
  failed: { color: 'red', word: msg('failed') },
  cancelled: { color: 'gray', word: msg('cancelled') },
}

const standingFaces: Record<Standing, Face> = {
  protected: { color: 'green', word: msg('protected') },
  overdue: { color: 'orange', word: msg('overdue') },
  failing: { color: 'red', word: msg('failing') },
  never: { color: 'gray', word: msg('never backed up') },
}

export const copyFaces: Record<CopyState, Face> = {
  stored: { color: 'green', word: msg('stored') },
  failed: { color: 'red', word: msg('not stored') },
  missing: { color: 'red', word: msg('missing') },
  corrupt: { color: 'red', word: msg('corrupt') },
  delete_pending: { color: 'gray', word: msg('being deleted') },
}

function FaceBadge({ face: { color, word }, ...rest }: { face: Face } & BadgeProps) {
  const t = useT()
  return (
    <Badge color={color} variant="light" tt="none" {...rest}>
      {t(word)}
    </Badge>
  )
}

export function JobStateBadge({ state, ...rest }: { state: JobState } & BadgeProps) {
  return <FaceBadge face={jobFaces[state]} {...rest} />
}

export function StandingBadge({ standing, ...rest }: { standing: Standing } & BadgeProps) {
  return <FaceBadge face={standingFaces[standing]} {...rest} />
}

export function CopyStateBadge({ state, ...rest }: { state: CopyState } & BadgeProps) {
  return <FaceBadge face={copyFaces[state]} {...rest} />
}
