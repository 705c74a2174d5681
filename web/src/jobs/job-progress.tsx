import { Group, Progress, Stack, Text } from '@mantine/core'
import type { Job } from '../../../src/shared/jobs.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { bytesText } from '../parts/bytes.tsx'
import { durationText } from '../parts/when.tsx'
import { phaseText } from './phases.ts'
import { bytesOf, useSpeed } from './use-speed.ts'

interface JobProgressProps {
  job: Pick<Job, 'kind' | 'progress'>
  /** Also how many bytes, and how long it may take. */
  isDetailed?: boolean
}

/** How far a running job is: its phase, a bar where its end is known, bytes and speed. */
export function JobProgress({ job: { kind, progress }, isDetailed = false }: JobProgressProps) {
  const t = useT()
  const language = useLanguage()
  const speed = useSpeed(progress)
  if (!progress) return null
  const bytes = bytesOf(progress)
  const expected = progress.rawBytes === undefined ? undefined : progress.expectedRawBytes
  // The size of a dump is an estimate: it may turn out larger.
  const percent =
    bytes !== undefined && expected !== undefined && expected > 0
      ? Math.min(99, Math.floor((bytes / expected) * 100))
      : undefined
  const left =
    speed && expected !== undefined && bytes !== undefined && expected > bytes
      ? ((expected - bytes) / speed) * 1000
      : undefined
  const phase = phaseText(t, progress.phase, kind)
  return (
    <Stack gap={4} miw={150}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">{phase}</Text>
        {percent !== undefined && (
          <Text size="sm" fw={500}>
            {t('{{percent}} %', { percent })}
          </Text>
        )}
      </Group>
      <Progress.Root size={isDetailed ? 'md' : 'sm'}>
        <Progress.Section
          value={percent ?? 100}
          striped={percent === undefined}
          animated={percent === undefined}
          aria-label={phase}
        />
      </Progress.Root>
      {bytes !== undefined && (
        <Group gap="xs">
          <Text size="xs" c="dimmed">
            {expected !== undefined && isDetailed
              ? t('{{bytes}} of about {{expected}}', {
                  bytes: bytesText(bytes, language),
                  expected: bytesText(expected, language),
                })
              : bytesText(bytes, language)}
          </Text>
          {speed !== undefined && (
            <Text size="xs" c="dimmed">
              {t('{{bytes}} per second', { bytes: bytesText(speed, language) })}
            </Text>
          )}
          {isDetailed && left !== undefined && (
            <Text size="xs" c="dimmed">
              {t('about {{time}} left', { time: durationText(left, language) })}
            </Text>
          )}
        </Group>
      )}
    </Stack>
  )
}
