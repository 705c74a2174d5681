import { List, Paper, Stack, Text } from '@mantine/core'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import type { NewRule } from '../../../src/shared/schedules.ts'
import { useSpeech, useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { useTrial } from '../trial.ts'
import { RunTime } from './run-time.tsx'

/** What a rule means, asked again while it is changed. */
export function useRulePreview(rule: NewRule) {
  return useTrial('POST /api/v1/schedules/preview', { body: { rule } })
}

interface RulePreviewProps {
  preview: ReturnType<typeof useRulePreview>
  /** What is wrong with the rule is said at its fields already. */
  isShownElsewhere: boolean
}

/** The rule in words, and the next five runs. */
export function RulePreview({ preview: { data, error }, isShownElsewhere }: RulePreviewProps) {
  const t = useT()
  const speech = useSpeech()
  if (error) return isShownElsewhere ? null : <Failed title={t('This cannot run')} error={error} />
  if (!data) return null
  return (
    <Paper withBorder p="md" aria-live="polite">
      <Stack gap="xs">
        <Text size="sm" fw={600}>
          {describeSchedule(data.meaning, speech)}
        </Text>
        {data.nextRuns.length > 0 && (
          <>
            <Text size="sm">{t('The next runs, in your time zone:')}</Text>
            <List size="sm" aria-label={t('Next runs')}>
              {data.nextRuns.map((at) => (
                <List.Item key={at}>
                  <RunTime at={at} />
                </List.Item>
              ))}
            </List>
          </>
        )}
      </Stack>
    </Paper>
  )
}
