import { Anchor, Stack, Text } from '@mantine/core'
import type { Plan } from '../../../src/shared/plans.ts'
import { useAll } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { LinkTo } from '../parts/link.tsx'
import { listText } from '../parts/list-text.ts'
import { When } from '../parts/when.tsx'
import { useNames } from '../jobs/names.ts'
import { BackUpNow } from './back-up-now.tsx'
import { PlanSwitch } from './plan-switch.tsx'
import { choiceText, nextRunsOf } from './plan-text.ts'
import { policyText } from './retention-text.ts'

interface PlanListProps {
  plans: readonly Plan[]
  /** Then which one need not be said. */
  isOfOneServer?: boolean
}

export function PlanList({ plans, isOfOneServer = false }: PlanListProps) {
  const t = useT()
  const language = useLanguage()
  const names = useNames()
  const schedules = useAll('GET /api/v1/schedules').data
  const columns: Column<Plan>[] = [
    {
      title: t('Plan'),
      isWide: true,
      cell: ({ id, name, serverId }) => (
        <Stack gap={2}>
          <Anchor component={LinkTo} to={`/plans/${id}`} fw={600}>
            {name}
          </Anchor>
          {!isOfOneServer && (
            <Text size="xs" fw={400} c="dimmed">
              {names.server(serverId)}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      title: t('What'),
      isWide: true,
      cell: ({ databases, excludedDatabases }) => (
        <Stack gap={2}>
          <Text size="sm">{choiceText(databases, t, language)}</Text>
          {excludedDatabases.length > 0 && (
            <Text size="xs" c="dimmed">
              {t('without {{names}}', { names: listText(excludedDatabases, language) })}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      title: t('When'),
      cell: (plan) => {
        const chosen = schedules?.filter(({ id }) => plan.schedules.includes(id)) ?? []
        const next = nextRunsOf(plan, chosen)[0]
        return (
          <Stack gap={2}>
            <Text size="sm">
              {plan.schedules.length === 0
                ? t('by hand only')
                : listText(
                    chosen.map(({ name }) => name),
                    language,
                  )}
            </Text>
            {next && <When at={next.at} size="xs" c="dimmed" />}
          </Stack>
        )
      },
    },
    {
      title: t('Where and how long'),
      cell: ({ volumes, retention }) => (
        <Stack gap={2}>
          <Text size="sm">
            {listText(
              volumes.map(({ id }) => names.volume(id)),
              language,
            )}
          </Text>
          <Text size="xs" c="dimmed">
            {t('keeps {{policy}}', { policy: policyText(retention, t, language) })}
          </Text>
        </Stack>
      ),
    },
    { title: t('By itself'), cell: (plan) => <PlanSwitch plan={plan} /> },
    { title: '', align: 'right', cell: (plan) => <BackUpNow plans={[plan]} variant="default" size="xs" /> },
  ]
  return <DataTable label={t('Plans')} columns={columns} rows={plans} idOf={({ id }) => id} />
}
