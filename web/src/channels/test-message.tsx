import { Loader, Group, Text } from '@mantine/core'
import { useEffect } from 'react'
import type { Channel } from '../../../src/shared/channels.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { TestReportView } from '../parts/test-report.tsx'

/** Sends a real message, and says what the receiver has answered. */
export function TestMessage({ channel: { id, name }, onClose }: { channel: Channel; onClose: () => void }) {
  const t = useT()
  // A test counts as a delivery, which the list shows.
  const { mutate, data, error, isPending } = useChange('POST /api/v1/channels/{id}/test')
  useEffect(() => mutate({ params: { id } }), [mutate, id])
  return (
    <Dialog isOpen onClose={onClose} size="lg" title={t('Test message to “{{name}}”', { name })}>
      {isPending && (
        <Group gap="sm">
          <Loader size="sm" aria-hidden />
          <Text size="sm">{t('The message is on its way')}</Text>
        </Group>
      )}
      {error && <Failed error={error} />}
      {data && <TestReportView report={data.body} />}
    </Dialog>
  )
}
