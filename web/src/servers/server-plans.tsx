import { Button, Text } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { LinkTo } from '../parts/link.tsx'
import { TitledList } from '../parts/titled-list.tsx'
import { PlanList } from '../plans/plan-list.tsx'

/** What is backed up of a server, and when. */
export function ServerPlans({ serverId }: { serverId: string }) {
  const t = useT()
  const may = useMay()
  const plans = useAll('GET /api/v1/plans', { query: { server: serverId } })
  return (
    <TitledList
      title={t('Plans')}
      actions={
        may('manage-plans') && (
          <Button
            variant="default"
            size="xs"
            component={LinkTo}
            to="/plans/new"
            search={{ server: serverId }}
            leftSection={<IconPlus size={16} aria-hidden />}
          >
            {t('Add plan')}
          </Button>
        )
      }
    >
      <Asked question={plans}>
        {(plans) =>
          plans.length === 0 ? (
            <Text c="dimmed">{t('No plan backs up anything of this server yet.')}</Text>
          ) : (
            <PlanList plans={plans} isOfOneServer />
          )
        }
      </Asked>
    </TitledList>
  )
}
