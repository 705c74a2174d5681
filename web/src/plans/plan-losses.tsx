import { Alert, Text } from '@mantine/core'
import { IconInfoCircle, IconTrash } from '@tabler/icons-react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Bytes, bytesText } from '../parts/bytes.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { DatabaseName } from '../parts/database-name.tsx'
import { Moment, shortTime } from '../parts/when.tsx'

interface PlanLossesProps {
  snapshots: readonly Snapshot[]
  fate: 'keep' | 'delete'
}

interface Share {
  database: string
  count: number
  bytes: number
  newest: string
}

/** How many snapshots a plan has, how large, and the newest, database by database. */
export function PlanLosses({ snapshots, fate }: PlanLossesProps) {
  const t = useT()
  const language = useLanguage()
  const locked = snapshots.filter(({ locked }) => locked !== false).length
  // Those that are locked stay whatever is chosen.
  const concerned = fate === 'keep' ? snapshots : snapshots.filter(({ locked }) => locked === false)
  const shares = sharesOf(concerned)
  const bytes = shares.reduce((sum, { bytes }) => sum + bytes, 0)
  const newest =
    shares
      .map(({ newest }) => newest)
      .sort()
      .at(-1) ?? ''
  const columns: Column<Share>[] = [
    { title: t('Database'), isWide: true, cell: ({ database }) => <DatabaseName name={database} /> },
    { title: t('Snapshots'), align: 'right', cell: ({ count }) => count },
    { title: t('Size'), align: 'right', cell: ({ bytes }) => <Bytes of={bytes} /> },
    { title: t('Newest'), cell: ({ newest }) => <Moment at={newest} /> },
  ]
  const facts = {
    count: concerned.length,
    size: bytesText(bytes, language),
    newest: newest === '' ? '–' : shortTime(newest, language),
  }
  return (
    <>
      <Alert
        color={fate === 'delete' ? 'red' : 'blue'}
        variant="light"
        icon={fate === 'delete' ? <IconTrash aria-hidden /> : <IconInfoCircle aria-hidden />}
        title={
          fate === 'delete'
            ? t('{{count}} snapshots are lost: {{size}}, the newest of {{newest}}', facts)
            : t('{{count}} snapshots stay: {{size}}, the newest of {{newest}}', facts)
        }
      >
        {fate === 'delete' && locked > 0 && (
          <Text size="sm">{t('{{count}} more are locked, and stay.', { count: locked })}</Text>
        )}
        {fate === 'delete' && (
          <Text size="sm">
            {t('Those stay, too, that a job reads or that are on a volume which is only read.')}
          </Text>
        )}
      </Alert>
      <DataTable label={t('Snapshots')} columns={columns} rows={shares} idOf={({ database }) => database} />
    </>
  )
}

function sharesOf(snapshots: readonly Snapshot[]): Share[] {
  const shares = new Map<string, Share>()
  for (const { database, takenAt, copies } of snapshots) {
    const share = shares.get(database) ?? { database, count: 0, bytes: 0, newest: '' }
    const there = copies.filter(({ state }) => state !== 'failed' && state !== 'missing')
    share.count++
    share.bytes += there.reduce((sum, copy) => sum + copy.bytes, 0)
    if (takenAt > share.newest) share.newest = takenAt
    shares.set(database, share)
  }
  return [...shares.values()].sort((a, b) => a.database.localeCompare(b.database))
}
