import { Alert, List } from '@mantine/core'
import { IconLock } from '@tabler/icons-react'
import type { PlanLosses } from '../../../src/shared/plans.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { shortName } from '../parts/database-name.tsx'
import { exactTime } from '../parts/when.tsx'

interface StayingSnapshotsProps {
  snapshots: PlanLosses['kept']
  /** Absent: those that are named. */
  count?: number
}

/** The snapshots that are not deleted, each with its reason. */
export function StayingSnapshots({ snapshots, count = snapshots.length }: StayingSnapshotsProps) {
  const t = useT()
  const language = useLanguage()
  return (
    <Alert
      color="gray"
      variant="light"
      icon={<IconLock aria-hidden />}
      title={t('{{count}} snapshots stay', { count })}
    >
      <List size="sm">
        {snapshots.map(({ id, database, takenAt, reason }) => (
          <List.Item key={id}>
            {t('{{database}} of {{time}}: {{reason}}', {
              database: shortName(database),
              time: exactTime(takenAt, language),
              reason,
            })}
          </List.Item>
        ))}
        {count > snapshots.length && (
          <List.Item>{t('and {{count}} more', { count: count - snapshots.length })}</List.Item>
        )}
      </List>
    </Alert>
  )
}
