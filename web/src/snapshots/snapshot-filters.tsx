import { Button, Collapse, Group, Indicator, Select, Stack, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconAdjustments, IconX } from '@tabler/icons-react'
import { copyStates, type SnapshotSort, type SortOrder } from '../../../src/shared/snapshots-api.ts'
import { useFilters } from '../filters.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { DayInput } from '../parts/day-input.tsx'
import { SearchField, useTyped } from '../parts/search-field.tsx'
import { copyFaces } from '../parts/state-badge.tsx'
import { useEngines } from '../servers/use-engines.ts'
import { useSnapshotSorting } from './snapshot-sorting.ts'

const names = [
  'server',
  'plan',
  'database',
  'volume',
  'engine',
  'copy',
  'locked',
  'proven',
  'from',
  'to',
  'search',
] as const
/** Those that always stand there; the others are behind a button. */
const shown: readonly string[] = ['server', 'plan', 'search']

const sortings: { sort: SnapshotSort; order: SortOrder; words: string }[] = [
  { sort: 'takenAt', order: 'desc', words: msg('Newest first') },
  { sort: 'takenAt', order: 'asc', words: msg('Oldest first') },
  { sort: 'storedBytes', order: 'desc', words: msg('Largest first') },
  { sort: 'storedBytes', order: 'asc', words: msg('Smallest first') },
  { sort: 'database', order: 'asc', words: msg('By name') },
  { sort: 'database', order: 'desc', words: msg('By name, from Z to A') },
]

/** What the list of snapshots is limited to, as it stands in the address; days are those of who looks. */
export function useSnapshotFilters() {
  const [filters, setFilters] = useFilters()
  const given = Object.fromEntries(names.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])))
  const { from, to } = given
  const sorting = useSnapshotSorting()
  const query = {
    ...given,
    ...(from !== undefined && { from: startOf(from, 0) }),
    ...(to !== undefined && { to: startOf(to, 1) }),
    sort: sorting.sort,
    order: sorting.order,
  }
  const clear = () => setFilters(Object.fromEntries(names.map((name) => [name, undefined])))
  return { filters, setFilters, sorting, query, clear, isFiltered: Object.keys(given).length > 0 }
}

/** The first moment of a day, or of the one so many days later. */
function startOf(day: string, later: number): string | undefined {
  const date = new Date(`${day}T00:00:00`)
  if (Number.isNaN(date.getTime())) return undefined
  date.setDate(date.getDate() + later)
  return date.toISOString()
}

export function SnapshotFilters({
  filters,
  setFilters,
  sorting: { sort, order, setSorting },
  clear,
  isFiltered,
}: ReturnType<typeof useSnapshotFilters>) {
  const t = useT()
  const { servers, plans, volumes } = useNames()
  const { data: engines } = useEngines()
  const hidden = names.filter((name) => !shown.includes(name) && filters[name])
  const [isOpen, { toggle }] = useDisclosure(hidden.length > 0)
  const options = (things: readonly { id: string; name: string }[]) =>
    things.map(({ id, name }) => ({ value: id, label: name }))
  const choose = (name: string, label: string, data: { value: string; label: string }[]) => (
    <Select
      label={label}
      placeholder={t('Any')}
      data={data}
      value={filters[name] ?? null}
      onChange={(chosen) => setFilters({ [name]: chosen ?? undefined })}
      w={{ base: '100%', xs: 190 }}
      searchable={data.length > 6}
      clearable
    />
  )
  const yesOrNo = (yes: string, no: string) => [
    { value: 'true', label: yes },
    { value: 'false', label: no },
  ]
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <SearchField
          placeholder={t('Database, comment, server, key')}
          value={filters['search'] ?? ''}
          onChange={(search) => setFilters({ search })}
        />
        {choose('server', t('Server'), options(servers))}
        {choose('plan', t('Plan'), [...options(plans), { value: 'none', label: t('Of no plan') }])}
        {/* Where the list is a table, its heads sort it. */}
        <Select
          label={t('Order')}
          data={sortings.map(({ sort, order, words }) => ({ value: `${sort} ${order}`, label: t(words) }))}
          value={`${sort} ${order}`}
          allowDeselect={false}
          onChange={(chosen) => {
            const found = sortings.find(({ sort, order }) => `${sort} ${order}` === chosen)
            if (found) setSorting(found.sort, found.order)
          }}
          w={{ base: '100%', xs: 190 }}
          hiddenFrom="sm"
        />
        <Indicator disabled={hidden.length === 0} color="blue">
          <Button
            variant="default"
            aria-expanded={isOpen}
            leftSection={<IconAdjustments size={16} aria-hidden />}
            onClick={toggle}
          >
            {t('More filters')}
          </Button>
        </Indicator>
        {isFiltered && (
          <Button variant="subtle" leftSection={<IconX size={16} aria-hidden />} onClick={clear}>
            {t('Clear filters')}
          </Button>
        )}
      </Group>
      <Collapse expanded={isOpen}>
        <Group gap="sm" align="flex-end">
          <Typed
            label={t('Database')}
            value={filters['database'] ?? ''}
            onChange={(database) => setFilters({ database })}
          />
          {choose('volume', t('Volume'), options(volumes))}
          {choose(
            'engine',
            t('Engine'),
            (engines?.items ?? []).map(({ name, label }) => ({ value: name, label })),
          )}
          {choose(
            'copy',
            t('Copies'),
            copyStates.map((state) => ({ value: state, label: t(copyFaces[state].word) })),
          )}
          {choose('locked', t('Lock'), yesOrNo(t('locked'), t('not locked')))}
          {choose('proven', t('Proven by a restore'), yesOrNo(t('proven'), t('not proven')))}
          <DayInput
            label={t('Taken from')}
            placeholder={t('Any day')}
            value={filters['from'] ?? null}
            onChange={(from) => setFilters({ from: from ?? undefined })}
            w={{ base: '100%', xs: 150 }}
            clearable
          />
          <DayInput
            label={t('Taken until')}
            placeholder={t('Any day')}
            value={filters['to'] ?? null}
            onChange={(to) => setFilters({ to: to ?? undefined })}
            w={{ base: '100%', xs: 150 }}
            clearable
          />
        </Group>
      </Collapse>
    </Stack>
  )
}

interface TypedProps {
  label: string
  value: string
  onChange: (value: string | undefined) => void
}

function Typed({ label, value, onChange }: TypedProps) {
  const t = useT()
  const typed = useTyped(value, onChange)
  return (
    <TextInput label={label} placeholder={t('Its whole name')} w={{ base: '100%', xs: 190 }} {...typed} />
  )
}
