import { Group, Loader, Text } from '@mantine/core'
import { useEffect } from 'react'
import type { AppBackupRegistration } from '../../../src/shared/app-backups.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { TestReportView } from '../parts/test-report.tsx'

interface TestTargetProps {
  registration: AppBackupRegistration
  onClose: () => void
}

/** Writes and removes one small object, and says how that went. */
export function TestTarget({ registration: { id, name }, onClose }: TestTargetProps) {
  const t = useT()
  const { mutate, data, error, isPending } = useChange('POST /api/v1/app-backup-registrations/{id}/test', {
    changesNothing: true,
  })
  useEffect(() => mutate({ params: { id } }), [mutate, id])
  return (
    <Dialog isOpen onClose={onClose} size="lg" title={t('Test of “{{name}}”', { name })}>
      {isPending && (
        <Group gap="sm">
          <Loader size="sm" aria-hidden />
          <Text size="sm">{t('A small object is written and removed')}</Text>
        </Group>
      )}
      {error && <Failed error={error} />}
      {data && <TestReportView report={data.body} />}
    </Dialog>
  )
}
