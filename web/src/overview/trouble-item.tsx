import { Anchor, Button, Group, Stack, Text } from '@mantine/core'
import { type Icon, IconFileCheck, IconPlayerPlay } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Trouble, TroubleKind } from '../../../src/shared/overview.ts'
import type { CopyState } from '../../../src/shared/snapshots-api.ts'
import { useChange } from '../api.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Failed } from '../parts/failed.tsx'
import { LinkTo } from '../parts/link.tsx'
import { When } from '../parts/when.tsx'
import classes from './overview.module.css'

interface Face {
  /** What it is about. */
  thing: string
  /** With `count`, if it has one. */
  sentence: string
  /** Of the page that says more. */
  pathOf?: (id: string) => string
}

const volume = { thing: msg('Volume'), pathOf: (id: string) => `/volumes/${id}` }
const appBackup = { thing: msg('DB Backup'), pathOf: () => '/settings/db-backup' }

const faces: Record<TroubleKind, Face> = {
  'loop-stopped': {
    thing: msg('This Holdfast'),
    sentence: msg('This part of Holdfast has stopped. Look at its log, and start it again.'),
  },
  'volume-unreachable': { ...volume, sentence: msg('It could not be reached when it was checked last.') },
  'copies-corrupt': { ...volume, sentence: msg('{{count}} copies are corrupt.') },
  'copies-missing': { ...volume, sentence: msg('{{count}} copies are missing.') },
  'copies-not-stored': { ...volume, sentence: msg('{{count}} copies are not stored there yet.') },
  'volume-nearly-full': { ...volume, sentence: msg('It is nearly full, or has reached its quota.') },
  'deletion-failed': { ...volume, sentence: msg('Copies that are to go could not be deleted.') },
  'key-missing': {
    thing: msg('Key'),
    sentence: msg('{{count}} snapshots cannot be opened here without this key.'),
    pathOf: () => '/settings/keys',
  },
  'app-backup-failed': { ...appBackup, sentence: msg('The last backup of Holdfast’s own database failed.') },
  'app-backup-overdue': {
    ...appBackup,
    sentence: msg('A backup of Holdfast’s own database is missing.'),
  },
  'scheduled-restore-failed': {
    thing: msg('Scheduled restore'),
    sentence: msg('Its last run failed.'),
    pathOf: (id) => `/restores/scheduled/${id}`,
  },
  'channel-failing': {
    thing: msg('Channel'),
    sentence: msg('The last notice could not be delivered.'),
    pathOf: () => '/settings/notifications',
  },
}

/** Something besides the databases that needs attention, with what helps beside it. */
export function TroubleItem({ trouble }: { trouble: Trouble }) {
  const t = useT()
  const { kind, id, name, since, count, message } = trouble
  const { thing, sentence, pathOf } = faces[kind]
  const { buttons, error } = useHelp(trouble)
  return (
    <Stack gap="xs" px="lg" py="md" className={classes.row}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <Stack gap={4} maw="46rem" style={{ flex: '1 1 18rem', minWidth: 0 }}>
          <Group gap="xs">
            {pathOf ? (
              <Anchor component={LinkTo} to={pathOf(id)} fw={600}>
                {name}
              </Anchor>
            ) : (
              <Text span fw={600}>
                {name}
              </Text>
            )}
            <Text span c="dimmed" size="sm">
              {t(thing)}
            </Text>
          </Group>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {t(sentence, { count: count ?? undefined })} {message}{' '}
            {since !== null && (
              <Text span size="sm" c="dimmed">
                {t('Since:')} <When at={since} />
              </Text>
            )}
          </Text>
        </Stack>
        <Group gap="xs">{buttons}</Group>
      </Group>
      {error && <Failed error={error} />}
    </Stack>
  )
}

/** What can be done about it by who looks. */
function useHelp({ kind, id, jobId }: Trouble) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const check = useChange('POST /api/v1/volumes/{id}/check', {
    onSuccess: ({ body }) => navigate({ to: `/jobs/${body.jobIds[0]}` }),
  })
  const backUp = useChange('POST /api/v1/app-backup-registrations/{id}/run', {
    onSuccess: ({ body }) => navigate({ to: `/jobs/${body.id}` }),
  })
  const restore = useChange('POST /api/v1/scheduled-restores/{id}/run', {
    onSuccess: ({ body }) => navigate({ to: `/restores/${body.jobId}` }),
  })
  const lead = (label: string, to: string, search?: Record<string, string>) => (
    <Button key={label} component={LinkTo} to={to} {...(search && { search })} size="xs" variant="default">
      {label}
    </Button>
  )
  const act = (label: string, { isPending }: { isPending: boolean }, Icon: Icon, order: () => void) => (
    <Button
      key={label}
      size="xs"
      variant="light"
      loading={isPending}
      leftSection={<Icon size={14} aria-hidden />}
      onClick={order}
    >
      {label}
    </Button>
  )
  const params = { id }
  const checkNow = (label: string) =>
    may('run-backups') && act(label, check, IconFileCheck, () => check.mutate({ params, body: {} }))
  const copies = (state: CopyState) => lead(t('Show copies'), '/snapshots', { volume: id, copy: state })
  const buttons = (): ReactNode[] => {
    switch (kind) {
      case 'volume-unreachable':
        return [jobId !== null && lead(t('See what went wrong'), `/jobs/${jobId}`), checkNow(t('Check now'))]
      case 'copies-corrupt':
        return [copies('corrupt'), checkNow(t('Check and repair'))]
      case 'copies-missing':
        return [copies('missing'), checkNow(t('Check and repair'))]
      case 'copies-not-stored':
        return [copies('failed'), checkNow(t('Check and repair'))]
      case 'deletion-failed':
        return [copies('delete_pending')]
      case 'volume-nearly-full':
        return [
          may('manage-volumes') && lead(t('Edit volume'), `/volumes/${id}/edit`),
          checkNow(t('Check now')),
        ]
      case 'key-missing':
        return [may('manage-keys') && lead(t('Add key'), '/settings/keys', { add: 'key' })]
      case 'app-backup-failed':
      case 'app-backup-overdue':
        return [
          may('administer-instance') &&
            act(t('Back up now'), backUp, IconPlayerPlay, () => backUp.mutate({ params })),
        ]
      case 'scheduled-restore-failed':
        return [
          jobId !== null && lead(t('See what went wrong'), `/restores/${jobId}`),
          may('restore') && act(t('Run now'), restore, IconPlayerPlay, () => restore.mutate({ params })),
        ]
      case 'channel-failing':
        return [may('manage-channels') && lead(t('Edit channel'), '/settings/notifications', { edit: id })]
      case 'loop-stopped':
        return []
      default: {
        const never: never = kind
        throw never
      }
    }
  }
  return { buttons: buttons(), error: check.error ?? backUp.error ?? restore.error }
}
