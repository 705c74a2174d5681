import { Alert, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { VolumeLosses } from '../../../src/shared/volumes.ts'
import { asking, useChange, useSure } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { bytesText } from '../parts/bytes.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { exactTime } from '../parts/when.tsx'

interface ForgetVolumeProps {
  id: string
  name: string
  isOpen: boolean
  onClose: () => void
}

/** Asks before a volume is forgotten, with exactly what the catalogue would lose sight of. */
export function ForgetVolume({ id, name, isOpen, onClose }: ForgetVolumeProps) {
  const t = useT()
  const navigate = useNavigate()
  const losses = useSure(asking('GET /api/v1/volumes/{id}/losses', { params: { id } }), isOpen)
  const forget = useChange('DELETE /api/v1/volumes/{id}', { onSuccess: () => navigate({ to: '/volumes' }) })
  const { copies = 0, plans = [], appBackupRegistrations = [] } = losses.data ?? {}
  const isUsed = plans.length + appBackupRegistrations.length > 0
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t('Forget volume “{{name}}”?', { name })}
      action={t('Forget volume')}
      typed={copies > 0 && !isUsed ? name : undefined}
      isDisabled={!losses.isSure || isUsed}
      isPending={forget.isPending}
      error={forget.error}
      onConfirm={() => forget.mutate({ params: { id }, ...(copies > 0 && { query: { copies: 'forget' } }) })}
    >
      <Asked question={losses} lines={2}>
        {(losses) => (isUsed ? <InUse losses={losses} /> : <Losses losses={losses} />)}
      </Asked>
    </Confirm>
  )
}

function InUse({ losses: { plans, appBackupRegistrations } }: { losses: VolumeLosses }) {
  const t = useT()
  return (
    <Alert
      variant="light"
      color="orange"
      icon={<IconAlertTriangle aria-hidden />}
      title={t('It is still used')}
    >
      <Text size="sm">{t('Give these another volume first:')}</Text>
      <List size="sm">
        {plans.map((name) => (
          <List.Item key={name}>{t('Plan “{{name}}”', { name })}</List.Item>
        ))}
        {appBackupRegistrations.map((name) => (
          <List.Item key={name}>{t('DB backup “{{name}}”', { name })}</List.Item>
        ))}
      </List>
    </Alert>
  )
}

function Losses({ losses: { copies, bytes, newest, snapshots } }: { losses: VolumeLosses }) {
  const t = useT()
  const language = useLanguage()
  if (copies === 0) {
    return <Text size="sm">{t('It keeps no copies. Nothing is lost with it.')}</Text>
  }
  return (
    <Stack gap="sm">
      <Text size="sm">{t('The catalogue forgets:')}</Text>
      <List size="sm">
        <List.Item>
          {t('{{count}} copies, {{bytes}}, the newest of {{newest}}', {
            count: copies,
            bytes: bytesText(bytes, language),
            newest: newest === null ? '–' : exactTime(newest, language),
          })}
        </List.Item>
        <List.Item>
          {snapshots === 0
            ? t('no snapshot: each has a copy elsewhere, too')
            : t('{{count}} snapshots that have a copy nowhere else', { count: snapshots })}
        </List.Item>
      </List>
      <Text size="sm">
        {t(
          'The objects stay where they are, each with its manifest: who adds the volume again and scans it has them back.',
        )}
      </Text>
    </Stack>
  )
}
