import { Button, Group, Select, Stack } from '@mantine/core'
import { IconRestore, IconX } from '@tabler/icons-react'
import { jobStates } from '../../../src/shared/job-states.ts'
import { useListed } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { stateWords } from '../jobs/job-filters.tsx'
import { useNames } from '../jobs/names.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { LinkTo } from '../parts/link.tsx'
import { Page } from '../parts/page.tsx'
import { More } from '../parts/more.tsx'
import { NoMatch } from '../parts/no-match.tsx'
import { RestoreTable } from './restore-table.tsx'
import { RestoresTabs } from './restores-tabs.tsx'

const names = ['server', 'database', 'snapshot', 'state'] as const

export function RestoresPage() {
  const t = useT()
  return (
    <Page
      title={t('Restores')}
      about={t('What was written back into databases. A snapshot that was never restored is only a hope.')}
      actions={<NewRestoreButton />}
    >
      <RestoresTabs value="history">
        <History />
      </RestoresTabs>
    </Page>
  )
}

function NewRestoreButton() {
  const t = useT()
  const may = useMay()
  if (!may('restore')) return null
  return (
    <Button component={LinkTo} to="/restores/new" leftSection={<IconRestore size={16} aria-hidden />}>
      {t('Restore a snapshot')}
    </Button>
  )
}

function History() {
  const t = useT()
  const { servers } = useNames()
  const [filters, setFilters] = useFilters()
  const query = Object.fromEntries(names.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])))
  const isFiltered = Object.keys(query).length > 0
  const restores = useListed('GET /api/v1/restores', query)
  const clear = () => setFilters(Object.fromEntries(names.map((name) => [name, undefined])))
  return (
    <Stack gap="lg">
      <Group gap="sm" align="flex-end">
        <Select
          label={t('State')}
          placeholder={t('Any')}
          data={jobStates.map((value) => ({ value, label: t(stateWords[value]) }))}
          value={filters['state'] ?? null}
          onChange={(state) => setFilters({ state: state ?? undefined })}
          w={{ base: '100%', xs: 190 }}
          clearable
        />
        <Select
          label={t('Into the server')}
          placeholder={t('Any')}
          data={servers.map(({ id, name }) => ({ value: id, label: name }))}
          value={filters['server'] ?? null}
          onChange={(server) => setFilters({ server: server ?? undefined })}
          w={{ base: '100%', xs: 220 }}
          searchable
          clearable
        />
        {isFiltered && (
          <Button variant="subtle" leftSection={<IconX size={16} aria-hidden />} onClick={clear}>
            {t('Clear filters')}
          </Button>
        )}
      </Group>
      <Asked question={{ ...restores, data: restores.items }} lines={6}>
        {(items) =>
          items.length === 0 ? (
            <NoRestores isFiltered={isFiltered} onClear={clear} />
          ) : (
            <Stack gap="lg">
              <RestoreTable label={t('Restores')} restores={items} />
              <More of={restores} />
            </Stack>
          )
        }
      </Asked>
    </Stack>
  )
}

function NoRestores({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useT()
  const icon = <IconRestore size={26} />
  if (isFiltered) return <NoMatch icon={icon} title={t('No such restore')} onClear={onClear} />
  return (
    <Empty icon={icon} title={t('Nothing was restored yet')} action={<NewRestoreButton />}>
      {t('Restore a snapshot beside its database to see that it works. Nothing is overwritten by that.')}
    </Empty>
  )
}
