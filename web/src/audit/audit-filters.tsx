import { Autocomplete, Button, Group, Select, SimpleGrid, Stack, Switch, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { MomentFilter } from '../parts/moment-filter.tsx'

/** What actions are about: the first half of their names. */
const things = [
  'account',
  'app-backup-registration',
  'audit',
  'channel',
  'hook',
  'identity-provider',
  'instance-settings',
  'invitation',
  'job',
  'key',
  'me',
  'notification-rule',
  'organization',
  'passkey',
  'password',
  'plan',
  'restore',
  'role',
  'schedule',
  'scheduled-restore',
  'server',
  'settings',
  'sign-in',
  'snapshot',
  'token',
  'totp',
  'user',
  'volume',
]

const names = ['search', 'action', 'actor', 'target', 'outcome', 'from', 'to', 'instance'] as const

export function AuditFilters() {
  const t = useT()
  const may = useMay()
  const [filters, setFilters] = useFilters()
  const search = useTyped('search')
  const action = useTyped('action')
  const actor = useTyped('actor')
  const target = useTyped('target')
  const isFiltered = names.some((name) => filters[name] !== undefined)
  return (
    <Stack gap="sm" role="search" aria-label={t('Filters')}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="sm">
        <TextInput
          label={t('Search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          placeholder={t('In any part of an entry')}
          {...search}
          onChange={({ currentTarget }) => search.onChange(currentTarget.value)}
        />
        <TextInput
          label={t('Who')}
          placeholder={t('A user or a token')}
          {...actor}
          onChange={({ currentTarget }) => actor.onChange(currentTarget.value)}
        />
        <Autocomplete label={t('Action')} placeholder="server.change" data={things} limit={12} {...action} />
        <TextInput
          label={t('Thing')}
          placeholder={t('What it was done to')}
          {...target}
          onChange={({ currentTarget }) => target.onChange(currentTarget.value)}
        />
        <Select
          label={t('Outcome')}
          placeholder={t('Any')}
          clearable
          data={[
            { value: 'succeeded', label: t('succeeded') },
            { value: 'failed', label: t('failed or refused') },
          ]}
          value={filters['outcome'] ?? null}
          onChange={(outcome) => setFilters({ outcome: outcome ?? undefined })}
        />
        <MomentFilter name="from" label={t('From')} />
        <MomentFilter name="to" label={t('To')} />
      </SimpleGrid>
      {(isFiltered || may('administer-instance')) && (
        <Group justify="space-between">
          {may('administer-instance') ? (
            <Switch
              label={t('All organizations, and the instance')}
              checked={filters['instance'] === 'true'}
              onChange={({ currentTarget }) =>
                setFilters({ instance: currentTarget.checked ? 'true' : undefined })
              }
            />
          ) : (
            <span />
          )}
          {isFiltered && (
            <Button
              variant="subtle"
              size="compact-sm"
              onClick={() => setFilters(Object.fromEntries(names.map((name) => [name, undefined])))}
            >
              {t('Take all filters away')}
            </Button>
          )}
        </Group>
      )}
    </Stack>
  )
}

/** A filter that is typed: it stands in the address a moment later. */
function useTyped(name: (typeof names)[number]) {
  const [filters, setFilters] = useFilters()
  const stands = filters[name] ?? ''
  const [value, setValue] = useState(stands)
  const [seen, setSeen] = useState(stands)
  const [sent, setSent] = useState(stands)
  // Another address, by a link or the way back; what this filter has put there itself is older than what is typed.
  if (seen !== stands) {
    setSeen(stands)
    if (stands !== sent) setValue(stands)
  }
  const settle = useDebouncedCallback((typed: string) => {
    setSent(typed)
    setFilters({ [name]: typed })
  }, 300)
  return {
    value,
    onChange: (typed: string) => {
      setValue(typed)
      settle(typed)
    },
  }
}
