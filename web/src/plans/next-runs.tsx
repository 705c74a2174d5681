import { List, Text } from '@mantine/core'
import type { Plan } from '../../../src/shared/plans.ts'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/section.tsx'
import { RunTime } from '../schedules/run-time.tsx'
import { nextRunsOf } from './plan-text.ts'

const SHOWN = 5

/** When a plan runs next by itself. */
export function NextRuns({ plan }: { plan: Plan }) {
  const t = useT()
  const schedules = useAll('GET /api/v1/schedules')
  return (
    <Section title={t('Next runs')}>
      <Asked question={schedules}>
        {(schedules) => {
          const runs = nextRunsOf(plan, schedules).slice(0, SHOWN)
          if (!plan.isEnabled)
            return <Text c="dimmed">{t('It is switched off, and runs by hand only.')}</Text>
          if (runs.length === 0) return <Text c="dimmed">{t('It runs by hand only.')}</Text>
          return (
            <List size="sm" spacing="xs">
              {runs.map(({ at, schedule }) => (
                <List.Item key={`${schedule.id} ${at}`}>
                  <RunTime at={at} />
                  <Text size="xs" c="dimmed">
                    {schedule.name}
                  </Text>
                </List.Item>
              ))}
            </List>
          )
        }}
      </Asked>
    </Section>
  )
}
