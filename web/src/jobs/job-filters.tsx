import { Button, Group, MultiSelect, Select } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { jobStates } from '../../../src/shared/job-states.ts'
import { useFilters } from '../filters.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { jobKinds } from './job-kinds.ts'
import { momentOf } from '../parts/local-minute.ts'
import { MomentFilter } from '../parts/moment-filter.tsx'
import { useNames } from './names.ts'

const names = [
  'state',
  'kind',
  'server',
  'plan',
  'volume',
  'database',
  'snapshot',
  'parent',
  'from',
  'to',
] as const

/** What the states of jobs are called. */
export const stateWords: Record<(typeof jobStates)[number], string> = {
  queued: msg('queued'),
  running: msg('running'),
  succeeded: msg('succeeded'),
  partial: msg('partial'),
  failed: msg('failed'),
  cancelled: msg('cancelled'),
}

/** What the list of jobs is limited to, as it stands in the address. */
export function useJobFilters() {
  const [filters, setFilters] = useFilters()
  const given = Object.fromEntries(names.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])))
  const query = { ...given, from: momentOf(given['from']), to: momentOf(given['to']) }
  const clear = () => setFilters(Object.fromEntries(names.map((name) => [name, undefined])))
  return { filters, setFilters, query, clear, isFiltered: Object.keys(given).length > 0 }
}

export function JobFilters({ filters, setFilters, clear, isFiltered }: ReturnType<typeof useJobFilters>) {
  const t = useT()
  const { servers, plans } = useNames()
  const listOf = (text: string | undefined) => (text ? text.split(',') : [])
  const options = (things: { id: string; name: string }[]) =>
    things.map(({ id, name }) => ({ value: id, label: name }))
  const kinds = Object.entries(jobKinds)
    .map(([value, words]) => ({ value, label: t(words) }))
    .sort((a, b) => a.label.localeCompare(b.label))
  const states = jobStates.map((value) => ({ value, label: t(stateWords[value]) }))
  return (
    <Group gap="sm" align="flex-end">
      <MultiSelect
        label={t('State')}
        placeholder={filters['state'] ? undefined : t('Any')}
        data={states}
        value={listOf(filters['state'])}
        onChange={(chosen) => setFilters({ state: chosen.join(',') })}
        w={{ base: '100%', xs: 210 }}
        clearable
      />
      <MultiSelect
        label={t('Kind')}
        placeholder={filters['kind'] ? undefined : t('Any')}
        data={kinds}
        value={listOf(filters['kind'])}
        onChange={(chosen) => setFilters({ kind: chosen.join(',') })}
        w={{ base: '100%', xs: 240 }}
        searchable
        clearable
      />
      <Select
        label={t('Server')}
        placeholder={t('Any')}
        data={options(servers)}
        value={filters['server'] ?? null}
        onChange={(server) => setFilters({ server: server ?? undefined })}
        w={{ base: '100%', xs: 190 }}
        searchable
        clearable
      />
      <Select
        label={t('Plan')}
        placeholder={t('Any')}
        data={options(plans)}
        value={filters['plan'] ?? null}
        onChange={(plan) => setFilters({ plan: plan ?? undefined })}
        w={{ base: '100%', xs: 190 }}
        searchable
        clearable
      />
      <MomentFilter name="from" label={t('Ended from')} w={{ base: '100%', xs: 210 }} />
      <MomentFilter name="to" label={t('Ended before')} w={{ base: '100%', xs: 210 }} />
      {isFiltered && (
        <Button variant="subtle" leftSection={<IconX size={16} aria-hidden />} onClick={clear}>
          {t('Clear filters')}
        </Button>
      )}
    </Group>
  )
}
