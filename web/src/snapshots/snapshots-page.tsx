import { Button } from '@mantine/core'
import { IconArchive } from '@tabler/icons-react'
import { useState } from 'react'
import { useListed } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { More } from '../parts/more.tsx'
import { NoMatch } from '../parts/no-match.tsx'
import { SelectionBar } from './selection-bar.tsx'
import { SnapshotFilters, useSnapshotFilters } from './snapshot-filters.tsx'
import { SnapshotTable } from './snapshot-table.tsx'

export function SnapshotsPage() {
  const t = useT()
  const may = useMay()
  const given = useSnapshotFilters()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const snapshots = useListed('GET /api/v1/snapshots', given.query)
  const mayChoose = may('edit-snapshots') || may('delete-snapshots')
  const choose = (id: string, isChosen: boolean) => {
    const next = new Set(chosen)
    if (isChosen) next.add(id)
    else next.delete(id)
    setChosen(next)
  }
  return (
    <Page
      title={t('Snapshots')}
      about={t('Each is one database as it was at one moment, with a copy on each volume of its plan.')}
    >
      <SnapshotFilters {...given} />
      <Asked question={{ ...snapshots, data: snapshots.items }} lines={8}>
        {(items) => (
          <>
            {items.length === 0 && !snapshots.hasNextPage ? (
              <NoSnapshots isFiltered={given.isFiltered} onClear={given.clear} />
            ) : (
              <>
                {mayChoose && <SelectionBar snapshots={items} chosen={chosen} onChange={setChosen} />}
                <SnapshotTable
                  label={t('Snapshots')}
                  snapshots={items}
                  sorting={given.sorting}
                  {...(mayChoose && { chosen, onChoose: choose })}
                />
              </>
            )}
            <More of={snapshots} />
          </>
        )}
      </Asked>
    </Page>
  )
}

function NoSnapshots({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useT()
  const icon = <IconArchive size={26} />
  if (isFiltered) return <NoMatch icon={icon} title={t('No such snapshot')} onClear={onClear} />
  return (
    <Empty
      icon={icon}
      title={t('No snapshot yet')}
      action={
        <Button component={LinkTo} to="/plans">
          {t('To the plans')}
        </Button>
      }
    >
      {t(
        'The first one is there when a plan has run. Snapshots that lie on a volume already are found by a scan of that volume.',
      )}
    </Empty>
  )
}
