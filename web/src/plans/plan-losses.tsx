import { Alert, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconTrash } from '@tabler/icons-react'
import type { PlanLosses as Losses } from '../../../src/shared/plans.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Bytes, bytesText } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { DatabaseName } from '../parts/database-name.tsx'
import { Moment, shortTime } from '../parts/when.tsx'
import { StayingSnapshots } from '../snapshots/staying-snapshots.tsx'

type Share = Losses['databases'][number]

/** The snapshots that go with a plan, database by database, and those that stay all the same. */
export function PlanLosses({ losses }: { losses: Losses }) {
  const t = useT()
  const language = useLanguage()
  const { snapshots, bytes, newest, databases, kept, keptCount } = losses
  const columns: Column<Share>[] = [
    { title: t('Database'), isWide: true, cell: ({ database }) => <DatabaseName name={database} /> },
    { title: t('Snapshots'), align: 'right', cell: ({ snapshots }) => snapshots },
    { title: t('Size'), align: 'right', cell: ({ bytes }) => <Bytes of={bytes} /> },
    { title: t('Newest'), cell: ({ newest }) => <Moment at={newest} /> },
  ]
  return (
    <Stack gap="md">
      {newest !== null && (
        <>
          <Alert
            color="red"
            variant="light"
            icon={<IconTrash aria-hidden />}
            title={t('{{count}} snapshots are lost: {{size}}, the newest of {{newest}}', {
              count: snapshots,
              size: bytesText(bytes, language),
              newest: shortTime(newest, language),
            })}
          />
          <DataTable
            label={t('What goes')}
            columns={columns}
            rows={databases}
            idOf={({ database }) => database}
          />
        </>
      )}
      {keptCount > 0 && <StayingSnapshots snapshots={kept} count={keptCount} />}
    </Stack>
  )
}

/** Why a plan cannot be deleted as things are. */
export function PlanInUse({ losses: { scheduledRestores, runningBackups } }: { losses: Losses }) {
  const t = useT()
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('It is still used')}
    >
      {runningBackups > 0 && (
        <Text size="sm">{t('A backup of it is running. Wait until it is over, or cancel it.')}</Text>
      )}
      {scheduledRestores.length > 0 && (
        <>
          <Text size="sm">{t('These take its snapshots. Give them another plan first, or none:')}</Text>
          <List size="sm">
            {scheduledRestores.map((name) => (
              <List.Item key={name}>{t('Scheduled restore “{{name}}”', { name })}</List.Item>
            ))}
          </List>
        </>
      )}
    </Alert>
  )
}
