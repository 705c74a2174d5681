import { Badge, Group, Menu, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconAlertTriangle, IconPencil, IconPlayerPlay, IconTestPipe, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { AppBackupRegistration } from '../../../src/shared/app-backups.ts'
import { describeSchedule } from '../../../src/shared/schedule-words.ts'
import { useChange } from '../api.ts'
import { useLanguage, useSpeech, useT } from '../i18n/i18n.ts'
import { numberText } from '../parts/bytes.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { type Column, DataTable } from '../parts/data-table.tsx'
import { Failed } from '../parts/failed.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { JobStateBadge } from '../parts/state-badge.tsx'
import { When } from '../parts/when.tsx'
import { VolumeIcon } from '../volumes/volume-icon.tsx'
import { providerText } from './target-words.ts'
import { TestTarget } from './test-target.tsx'

interface RegistrationTableProps {
  registrations: AppBackupRegistration[]
  onEdit: (id: string) => void
}

/** Where and when Holdfast's own database is backed up. */
export function RegistrationTable({ registrations, onEdit }: RegistrationTableProps) {
  const t = useT()
  const language = useLanguage()
  const [deleted, setDeleted] = useState<AppBackupRegistration>()
  const [tested, setTested] = useState<AppBackupRegistration>()
  const run = useChange('POST /api/v1/app-backup-registrations/{id}/run', {
    onSuccess: () => {
      notifications.show({ message: t('The backup has been ordered'), color: 'green' })
    },
  })
  const remove = useChange('DELETE /api/v1/app-backup-registrations/{id}', {
    onSuccess: () => setDeleted(undefined),
  })
  const columns: Column<AppBackupRegistration>[] = [
    { title: t('Target'), isWide: true, cell: (one) => <Target registration={one} /> },
    { title: t('Schedule'), isWide: true, cell: (one) => <Schedules registration={one} /> },
    { title: t('Last result'), isWide: true, cell: (one) => <LastResult registration={one} /> },
    { title: t('Next run'), cell: (one) => <NextRun registration={one} /> },
    {
      title: '',
      align: 'right',
      cell: (one) => (
        <RowMenu label={t('More for “{{name}}”', { name: one.name })}>
          <Menu.Item
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            onClick={() => run.mutate({ params: { id: one.id } })}
          >
            {t('Back up now')}
          </Menu.Item>
          <Menu.Item leftSection={<IconTestPipe size={16} aria-hidden />} onClick={() => setTested(one)}>
            {t('Test')}
          </Menu.Item>
          {!one.isManaged && (
            <>
              <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => onEdit(one.id)}>
                {t('Edit')}
              </Menu.Item>
              <Menu.Item
                color="red"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => setDeleted(one)}
              >
                {t('Delete')}
              </Menu.Item>
            </>
          )}
        </RowMenu>
      ),
    },
  ]
  return (
    <>
      {run.error && <Failed error={run.error} />}
      <DataTable label={t('DB backups')} rows={registrations} idOf={({ id }) => id} columns={columns} />
      {tested && <TestTarget registration={tested} onClose={() => setTested(undefined)} />}
      <Confirm
        isOpen={deleted !== undefined}
        onClose={() => setDeleted(undefined)}
        title={t('Delete “{{name}}”?', { name: deleted?.name })}
        action={t('Delete')}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => deleted && remove.mutate({ params: { id: deleted.id } })}
      >
        <Text size="sm">
          {t('No more backups are made there. Those that it has made stay where they are: {{number}}.', {
            number: numberText(deleted?.backups ?? 0, language),
          })}
        </Text>
      </Confirm>
    </>
  )
}

function Target({ registration }: { registration: AppBackupRegistration }) {
  const t = useT()
  const { name, kind, volumeName, location, isEnabled, isManaged } = registration
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <VolumeIcon kind={kind} />
      <Stack gap={2}>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {name}
          </Text>
          {isManaged && (
            <Badge variant="light" color="gray" tt="none">
              {t('set by the environment')}
            </Badge>
          )}
          {!isEnabled && (
            <Badge variant="light" color="gray" tt="none">
              {t('off')}
            </Badge>
          )}
        </Group>
        <Text size="xs" fw={500}>
          {volumeName === null ? providerText(t, registration) : t('Volume “{{name}}”', { name: volumeName })}
        </Text>
        <Text size="xs" fw={400} c={location === null ? 'red' : 'dimmed'}>
          {location ?? t('Its settings are not valid any more')}
        </Text>
      </Stack>
    </Group>
  )
}

function Schedules({ registration: { schedules } }: { registration: AppBackupRegistration }) {
  const t = useT()
  const speech = useSpeech()
  if (schedules.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t('By hand only')}
      </Text>
    )
  }
  return (
    <Stack gap={2}>
      {schedules.map((rule) => (
        <Text key={JSON.stringify(rule)} size="sm">
          {describeSchedule(rule, speech)}
        </Text>
      ))}
    </Stack>
  )
}

function LastResult({ registration: { lastBackup, warnings } }: { registration: AppBackupRegistration }) {
  const t = useT()
  return (
    <Stack gap={4}>
      {lastBackup === null ? (
        <Text size="sm" c="dimmed">
          {t('No backup yet')}
        </Text>
      ) : (
        <>
          <Group gap="xs">
            <JobStateBadge state={lastBackup.state} />
            <Text size="sm">
              <When at={lastBackup.finishedAt ?? lastBackup.startedAt} />
            </Text>
          </Group>
          {lastBackup.state === 'failed' && lastBackup.error && (
            <Text size="sm">{lastBackup.error.message}</Text>
          )}
        </>
      )}
      {warnings.map((warning) => (
        <Group key={warning} gap={6} wrap="nowrap" align="flex-start">
          <IconAlertTriangle size={16} color="var(--mantine-color-orange-filled)" aria-hidden />
          <Text size="xs">{t(warning)}</Text>
        </Group>
      ))}
    </Stack>
  )
}

function NextRun({
  registration: { nextRun, schedules, isEnabled },
}: {
  registration: AppBackupRegistration
}) {
  const t = useT()
  if (nextRun !== null) {
    return (
      <Text size="sm">
        <When at={nextRun} />
      </Text>
    )
  }
  const isForMigrations = isEnabled && schedules.some(({ type }) => type === 'migration')
  return (
    <Text size="sm" c="dimmed">
      {isForMigrations ? t('at the next migration') : t('none')}
    </Text>
  )
}
