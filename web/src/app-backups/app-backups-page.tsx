import { Alert, Button, Stack } from '@mantine/core'
import { IconAlertTriangle, IconHistory, IconLock, IconPlus } from '@tabler/icons-react'
import { useAsk } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { AppBackupHistory } from './app-backup-history.tsx'
import { RegistrationDrawer } from './registration-drawer.tsx'
import { RegistrationTable } from './registration-table.tsx'
import { RestoreHelp } from './restore-help.tsx'
import { RetainedBackups } from './retained-backups.tsx'

export function AppBackupsPage() {
  const t = useT()
  const may = useMay()
  if (may('administer-instance')) return <AppBackups />
  return (
    <Page title={t('DB Backup')}>
      <Empty icon={<IconLock size={26} />} title={t('This is for instance administrators')}>
        {t('They say where Holdfast’s own database is backed up, and when.')}
      </Empty>
    </Page>
  )
}

function AppBackups() {
  const t = useT()
  const [{ edit }, filter] = useFilters()
  const registrations = useAsk('GET /api/v1/app-backup-registrations', { query: { limit: 200 } })
  const add = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => filter({ edit: 'new' })}>
      {t('Create new')}
    </Button>
  )
  return (
    <Page
      title={t('DB Backup')}
      about={t(
        'Holdfast’s own database is the catalogue of everybody’s backups, so it is backed up, too. Each entry says where to and when.',
      )}
      actions={add}
    >
      <Asked question={registrations}>
        {({ items, recommendation }) => (
          <Stack gap="lg">
            {recommendation !== null && (
              <Alert color="orange" variant="light" icon={<IconAlertTriangle aria-hidden />}>
                {t(recommendation)}
              </Alert>
            )}
            {items.length === 0 ? (
              <Empty
                icon={<IconHistory size={26} />}
                title={t('The catalogue is not backed up')}
                action={add}
              >
                {t('If it is lost, Holdfast has to be set up anew and every volume scanned.')}
              </Empty>
            ) : (
              <RegistrationTable registrations={items} onEdit={(id) => filter({ edit: id })} />
            )}
            <RetainedBackups />
            <AppBackupHistory />
            <RestoreHelp registration={items[0]} />
          </Stack>
        )}
      </Asked>
      <RegistrationDrawer edited={edit} onClose={() => filter({ edit: undefined })} />
    </Page>
  )
}
