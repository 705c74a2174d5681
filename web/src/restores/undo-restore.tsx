import { Button, Stack, Switch, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconArrowBackUp } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Restore, RestoreKeys } from '../../../src/shared/restores.ts'
import { useAsk, useChange } from '../api.ts'
import { useLanguage, useT } from '../i18n/i18n.ts'
import { useNames } from '../jobs/names.ts'
import { Confirm } from '../parts/confirm.tsx'
import { shortName } from '../parts/database-name.tsx'
import { exactTime } from '../parts/when.tsx'
import { givenKeys, KeyFields, useIsKeyAtHand } from './key-fields.tsx'

interface UndoRestoreProps {
  restore: Restore
  safetySnapshotId: string
  database: string
}

/** Puts back what a restore has replaced, and says what that does. */
export function UndoRestore({ restore: { id, serverId }, safetySnapshotId, database }: UndoRestoreProps) {
  const t = useT()
  const language = useLanguage()
  const navigate = useNavigate()
  const names = useNames()
  const [isOpen, { open, close }] = useDisclosure(false)
  const [safetySnapshot, setSafetySnapshot] = useState(true)
  const [endSessions, setEndSessions] = useState(false)
  const [keys, setKeys] = useState<RestoreKeys>({})
  const { data: safety } = useAsk('GET /api/v1/snapshots/{id}', { params: { id: safetySnapshotId } })
  const isKeyAtHand = useIsKeyAtHand(safety?.keyId)
  const undo = useChange('POST /api/v1/restores/{id}/undo', {
    onSuccess: ({ body }) => navigate({ to: `/restores/${body.jobId}` }),
  })
  const server = names.servers.find((one) => one.id === serverId)
  const name = shortName(database)
  return (
    <>
      <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={open}>
        {t('Undo this restore')}
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => {
          undo.reset()
          close()
        }}
        title={t('Undo this restore')}
        action={t('Put the former database back')}
        typed={server?.isProduction ? name : undefined}
        isPending={undo.isPending}
        error={undo.error}
        onConfirm={() =>
          undo.mutate({
            params: { id },
            body: {
              safetySnapshot,
              endSessions,
              ...givenKeys(keys),
              ...(server?.isProduction && { confirmation: database }),
            },
          })
        }
      >
        <Stack gap="sm">
          <Text size="sm">
            {t(
              '“{{database}}” on “{{server}}” becomes what it was before this restore, as it was at {{time}}.',
              {
                database: name,
                server: server?.name ?? '…',
                time: safety ? exactTime(safety.takenAt, language) : '…',
              },
            )}
          </Text>
          <Text size="sm" fw={500}>
            {safetySnapshot
              ? t(
                  'All that is in it now goes. It is kept in a safety snapshot, so that this can be undone, too.',
                )
              : t('All that is in it now is gone for good.')}
          </Text>
          <Switch
            label={t('Take a safety snapshot first')}
            checked={safetySnapshot}
            onChange={({ currentTarget }) => setSafetySnapshot(currentTarget.checked)}
          />
          <Switch
            label={t('End other people’s sessions')}
            description={t('Else the restore fails while somebody uses the database')}
            checked={endSessions}
            onChange={({ currentTarget }) => setEndSessions(currentTarget.checked)}
          />
          {isKeyAtHand === false && <KeyFields value={keys} onChange={setKeys} />}
        </Stack>
      </Confirm>
    </>
  )
}
