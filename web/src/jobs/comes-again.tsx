import { Text } from '@mantine/core'
import { isOver, type Job } from '../../../src/shared/jobs.ts'
import { msg, useT } from '../i18n/i18n.ts'

/** Why what has failed is not done again by hand. */
const reasons: Readonly<Record<string, string>> = {
  'clean-up': msg('The next clean-up, a day later, does what this one has not.'),
  'deliver-notice': msg(
    'A notification is not sent again by hand: it was tried for about an hour, and what it tells of may have changed since. A test of the channel shows whether it works now.',
  ),
  'run-hooks': msg('Hooks are run once: they may have done a part of what they do.'),
  'run-schedule': msg('The schedule runs again at its next time. Its plans can be run now, each by itself.'),
  'sweep-volume': msg('The next backup to the volume sweeps it again.'),
  'tidy-app-backups': msg('It is done again with the next start.'),
  'tidy-restore': msg('The next restore into the database cleans up first.'),
  'weekly-digest': msg('The next digest comes in a week.'),
}

/** Of a job that has not done what it was for, and that nobody need start again. */
export function ComesAgain({ job: { kind, state } }: { job: Job }) {
  const t = useT()
  const reason = reasons[kind]
  if (reason === undefined || !isOver(state) || state === 'succeeded') return null
  return (
    <Text size="sm" c="dimmed">
      {t(reason)}
    </Text>
  )
}
