import {
  createSpotlight,
  isActionsGroup,
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
  type SpotlightFilterFunction,
} from '@mantine/spotlight'
import { useDebouncedValue } from '@mantine/hooks'
import {
  IconArchive,
  IconBuilding,
  IconCalendarTime,
  IconDatabase,
  IconPlayerPlay,
  IconRestore,
  IconSearch,
  IconServer,
  IconStack2,
} from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { DatabaseStanding } from '../../../src/shared/overview.ts'
import { asking, useAll } from '../api.ts'
import { databaseTitle } from '../databases/database-title.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay, useMe } from '../me.ts'
import { useSwitchOrganization } from '../organizations/switch-organization.ts'
import { useRun } from '../plans/back-up-now.tsx'
import { configuration, deeds, places } from './places.ts'
import '@mantine/spotlight/styles.css'

const [store, spotlight] = createSpotlight()

/** Databases are many: so many of those that fit are shown. */
const MOST_DATABASES = 12

/** What has each typed word in its name, wherever: “back up accounting” finds Back up “accounting” now. */
const withEveryWord: SpotlightFilterFunction = (query, groups) => {
  const words = query.toLocaleLowerCase().split(/\s+/)
  const isMeant = ({ label = '', keywords = '' }: SpotlightActionData) =>
    words.every((word) => `${label} ${String(keywords)}`.toLocaleLowerCase().includes(word))
  return groups
    .filter(isActionsGroup)
    .map(({ group, actions }) => ({ group, actions: actions.filter(isMeant) }))
    .filter(({ actions }) => actions.length > 0)
}

/** Everything one can go to, and the most usual things to do, by typing. Loaded when it is first wanted. */
export default function Commands({ onClose }: { onClose: () => void }) {
  const t = useT()
  const may = useMay()
  const { organization, organizations } = useMe()
  const navigate = useNavigate()
  const [query, setQuery] = useState('')
  const servers = useAll('GET /api/v1/servers')
  const plans = useAll('GET /api/v1/plans')
  const volumes = useAll('GET /api/v1/volumes')
  const scheduled = useAll('GET /api/v1/scheduled-restores')
  const { databases, isSearching } = useDatabases(query)
  /** What is typed may still find something that stands above: a run that is first as yet is not what Enter means. */
  const isUnsure = isSearching || [servers, volumes, scheduled].some(({ isLoading }) => isLoading)
  /** The Enter key was pressed meanwhile, and waits. */
  const isEntered = useRef(false)
  const choose = useSwitchOrganization()
  const { run } = useRun()
  useEffect(() => spotlight.open(), [])
  useEffect(() => {
    if (query !== '' && store.getState().selected <= 0) selectFirst()
    if (!isEntered.current || isUnsure) return
    isEntered.current = false
    pressSelected()
  }, [query, databases, isUnsure])
  const go = (to: string, search: Record<string, string> = {}) => ({
    onClick: () => void navigate({ to, search }),
  })
  const link = (to: string, Icon: typeof IconServer) => (thing: { id: string; name: string }) => ({
    id: thing.id,
    label: thing.name,
    leftSection: <Icon size={18} aria-hidden />,
    ...go(`${to}/${thing.id}`),
  })
  const shown = (list: typeof places) =>
    list
      .filter(({ requires }) => requires === undefined || may(requires))
      .map(({ title, to, search, icon: Icon }) => ({
        id: `${to} ${title}`,
        label: t(title),
        leftSection: <Icon size={18} aria-hidden />,
        ...go(to, search),
      }))
  const text = query.trim()
  const groups: SpotlightActionGroupData[] = [
    { group: t('Pages'), actions: shown([...places, ...configuration]) },
    {
      group: t('Databases'),
      actions: databases.map(({ planId, planName, serverName, database }) => ({
        id: `${planId} ${database}`,
        label: databaseTitle(database) ?? planName,
        description: `${serverName} · ${planName}`,
        keywords: [database ?? '', serverName, planName],
        leftSection: <IconDatabase size={18} aria-hidden />,
        ...go(`/databases/${planId}`, database === null ? {} : { name: database }),
      })),
    },
    { group: t('Servers'), actions: (servers.data ?? []).map(link('/servers', IconServer)) },
    { group: t('Plans'), actions: (plans.data ?? []).map(link('/plans', IconStack2)) },
    { group: t('Volumes'), actions: (volumes.data ?? []).map(link('/volumes', IconArchive)) },
    {
      group: t('Scheduled restores'),
      actions: (scheduled.data ?? []).map(link('/restores/scheduled', IconCalendarTime)),
    },
    {
      group: t('Back up now'),
      actions: may('run-backups')
        ? (plans.data ?? []).map(({ id, name }) => ({
            id: `run ${id}`,
            label: t('Back up “{{name}}” now', { name }),
            leftSection: <IconPlayerPlay size={18} aria-hidden />,
            closeSpotlightOnTrigger: false,
            onClick: ({ detail }) => {
              const isByKey = detail === 0
              if (isByKey && isUnsure) {
                isEntered.current = true
                return
              }
              spotlight.close()
              run(id)
            },
          }))
        : [],
    },
    { group: t('Actions'), actions: shown(deeds) },
    {
      group: t('Organizations'),
      actions: organizations
        .filter(({ id }) => id !== organization.id)
        .map(({ id, name }) => ({
          id,
          label: t('Switch to “{{name}}”', { name }),
          leftSection: <IconBuilding size={18} aria-hidden />,
          onClick: () => choose.mutate({ body: { id } }),
        })),
    },
    {
      group: t('Snapshots'),
      actions:
        text === ''
          ? []
          : [
              {
                id: 'snapshots',
                label: t('Look for “{{text}}” in the snapshots', { text }),
                leftSection: <IconRestore size={18} aria-hidden />,
                ...go('/snapshots', { search: text }),
              },
            ],
    },
  ]
  return (
    <Spotlight
      store={store}
      actions={groups}
      query={query}
      onQueryChange={(typed) => {
        isEntered.current = false
        setQuery(typed)
      }}
      filter={withEveryWord}
      shortcut={null}
      limit={40}
      scrollable
      maxHeight="min(28rem, 70vh)"
      nothingFound={t('Nothing was found')}
      searchProps={{
        leftSection: <IconSearch size={18} aria-hidden />,
        placeholder: t('Where to, or what to do?'),
        'aria-label': t('Search'),
      }}
      onSpotlightClose={onClose}
    />
  )
}

const none: readonly DatabaseStanding[] = []

/** Those with each typed word in their own name, their plan's or their server's. */
function useDatabases(query: string) {
  const wanted = query.trim().slice(0, 200)
  const [search] = useDebouncedValue(wanted, 200)
  const found = useQuery({
    ...asking('GET /api/v1/overview', { query: { search, limit: MOST_DATABASES } }),
    enabled: search !== '',
    placeholderData: keepPreviousData,
  })
  return {
    databases: search === '' ? none : (found.data?.items ?? none),
    isSearching: search !== wanted || (search !== '' && (found.isLoading || found.isPlaceholderData)),
  }
}

/** What the Enter key means, also when lines have come above those that were there first. */
function selectFirst(): void {
  const lines = document.querySelectorAll(`#${store.getState().listId} [data-action]`)
  for (const line of lines) line.removeAttribute('data-selected')
  lines[0]?.setAttribute('data-selected', 'true')
}

function pressSelected(): void {
  document.querySelector<HTMLElement>(`#${store.getState().listId} [data-selected]`)?.click()
}
