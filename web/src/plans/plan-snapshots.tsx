import { Anchor, Text } from '@mantine/core'
import { useListed } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { LinkTo } from '../parts/link.tsx'
import { TitledList } from '../parts/titled-list.tsx'
import { SnapshotTable } from '../snapshots/snapshot-table.tsx'

const SHOWN = 6

/** The latest snapshots of a plan. */
export function PlanSnapshots({ planId }: { planId: string }) {
  const t = useT()
  const snapshots = useListed('GET /api/v1/snapshots', { plan: planId, limit: SHOWN })
  return (
    <TitledList
      title={t('Latest snapshots')}
      actions={
        <Anchor component={LinkTo} to="/snapshots" search={{ plan: planId }} size="sm">
          {t('All snapshots of this plan')}
        </Anchor>
      }
    >
      <Asked question={{ data: snapshots.items, error: snapshots.error, refetch: snapshots.refetch }}>
        {(items) =>
          items.length === 0 ? (
            <Text c="dimmed">{t('There are no snapshots of this plan yet.')}</Text>
          ) : (
            <SnapshotTable label={t('Latest snapshots')} snapshots={items.slice(0, SHOWN)} />
          )
        }
      </Asked>
    </TitledList>
  )
}
