import {
  isActionsGroup,
  Spotlight,
  type SpotlightActionGroupData,
  type SpotlightFilterFunction,
  spotlight,
} from '@mantine/spotlight'
import { IconArchive, IconPlayerPlay, IconSearch, IconServer } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useAll, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { configuration, places } from './places.ts'
import '@mantine/spotlight/styles.css'

/** What has each typed word in its name, wherever: “back up accounting” finds Back up “accounting” now. */
const withEveryWord: SpotlightFilterFunction = (query, groups) => {
  const words = query.toLocaleLowerCase().split(/\s+/)
  const isMeant = (label = '') => words.every((word) => label.toLocaleLowerCase().includes(word))
  return groups
    .filter(isActionsGroup)
    .map(({ group, actions }) => ({ group, actions: actions.filter(({ label }) => isMeant(label)) }))
    .filter(({ actions }) => actions.length > 0)
}

/** Everything one can go to, and the most usual things to do, by typing. Loaded when it is first wanted. */
export default function Commands({ onClose }: { onClose: () => void }) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const servers = useAll('GET /api/v1/servers')
  const plans = useAll('GET /api/v1/plans')
  const volumes = useAll('GET /api/v1/volumes')
  const run = useChange('POST /api/v1/plans/{id}/run', {
    onSuccess: ({ body }) => 'jobId' in body && navigate({ to: `/jobs/${body.jobId}` }),
  })
  useEffect(() => spotlight.open(), [])
  const go = (to: string) => () => void navigate({ to })
  const groups: SpotlightActionGroupData[] = [
    {
      group: t('Pages'),
      actions: [...places, ...configuration]
        .filter(({ requires }) => requires === undefined || may(requires))
        .map(({ title, to, icon: Icon }) => ({
          id: to,
          label: t(title),
          leftSection: <Icon size={18} aria-hidden />,
          onClick: go(to),
        })),
    },
    {
      group: t('Back up now'),
      actions: may('run-backups')
        ? (plans.data ?? []).map(({ id, name }) => ({
            id: `run ${id}`,
            label: t('Back up “{{name}}” now', { name }),
            leftSection: <IconPlayerPlay size={18} aria-hidden />,
            onClick: () => run.mutate({ params: { id }, body: {} }),
          }))
        : [],
    },
    {
      group: t('Servers'),
      actions: (servers.data ?? []).map(({ id, name }) => ({
        id,
        label: name,
        leftSection: <IconServer size={18} aria-hidden />,
        onClick: go(`/servers/${id}`),
      })),
    },
    {
      group: t('Volumes'),
      actions: (volumes.data ?? []).map(({ id, name }) => ({
        id,
        label: name,
        leftSection: <IconArchive size={18} aria-hidden />,
        onClick: go(`/volumes/${id}`),
      })),
    },
  ]
  return (
    <Spotlight
      actions={groups}
      filter={withEveryWord}
      shortcut={null}
      limit={30}
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
