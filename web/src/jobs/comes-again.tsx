import { Text } from '@mantine/core'
import type { Job } from '../../../src/shared/jobs.ts'
import { msg, useT } from '../i18n/i18n.ts'

/** Why what has failed is not done again by hand. */
const reasons: Readonly<Record<string, string>> = {
  'clean-up': msg('The next clean-up, a day later, does what this one has not.'),
  'deliver-notice': msg(
    'A notification is not sent again by hand: what it tells of may have changed since. A test of the channel shows whether it works now.',
  ),
  'run-hooks': msg('Hooks are run once: they may have done a part of what they do.'),
  'run-schedule': msg(
    'A schedule that goes by the clock runs again at its next time. Its plans can be run now.',
  ),
  'sweep-volume': msg('The next backup to the volume sweeps it again.'),
  'tidy-app-backups': msg('It is done again with the next start.'),
  'tidy-restore': msg('The next restore into the database cleans up first.'),
  'weekly-digest': msg('The next digest comes a week later.'),
}

/** Of a job that has failed, also in part, and that nobody starts again. */
export function ComesAgain({ job: { kind, state } }: { job: Job }) {
  const t = useT()
  const reason = reasons[kind]
  if (reason === undefined || (state !== 'failed' && state !== 'partial')) return null
  return (
    <Text size="sm" c="dimmed">
      {t(reason)}
    </Text>
  )
}
