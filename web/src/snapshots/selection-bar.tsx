import { Button, Checkbox, Group, Paper, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconLock, IconLockOpen, IconTrash } from '@tabler/icons-react'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { useChangeLocks } from './change-locks.ts'
import { DeleteSnapshots } from './delete-snapshots.tsx'
import { LockForm } from './lock-form.tsx'

interface SelectionBarProps {
  snapshots: readonly Snapshot[]
  chosen: ReadonlySet<string>
  onChange: (chosen: ReadonlySet<string>) => void
}

/** So many can be deleted at once. */
const MOST = 1000

/** What can be done with all snapshots that are chosen. */
export function SelectionBar({ snapshots, chosen, onChange }: SelectionBarProps) {
  const t = useT()
  const may = useMay()
  const [isLocking, locking] = useDisclosure(false)
  const [isDeleting, deleting] = useDisclosure(false)
  const ids = snapshots.filter(({ id }) => chosen.has(id)).map(({ id }) => id)
  const clear = () => onChange(new Set())
  const locks = useChangeLocks((count) => {
    notifications.show({ message: t('{{count}} snapshots were changed', { count }), color: 'green' })
    locking.close()
    clear()
  })
  const stopLocking = () => {
    locks.reset()
    locking.close()
  }
  const areAll = snapshots.length > 0 && ids.length === Math.min(snapshots.length, MOST)
  const none = ids.length === 0
  return (
    <Paper withBorder p="sm">
      <Group gap="sm">
        <Checkbox
          label={
            none ? t('Choose all that are shown') : t('{{count}} snapshots chosen', { count: ids.length })
          }
          checked={areAll}
          indeterminate={!none && !areAll}
          onChange={() =>
            areAll ? clear() : onChange(new Set(snapshots.slice(0, MOST).map(({ id }) => id)))
          }
        />
        {!none && (
          <Group gap="xs">
            {may('edit-snapshots') && (
              <>
                <Button
                  size="compact-sm"
                  variant="default"
                  leftSection={<IconLock size={14} aria-hidden />}
                  onClick={locking.open}
                >
                  {t('Lock')}
                </Button>
                <Button
                  size="compact-sm"
                  variant="default"
                  leftSection={<IconLockOpen size={14} aria-hidden />}
                  loading={locks.isPending && !isLocking}
                  onClick={() => locks.mutate({ ids, locked: false })}
                >
                  {t('Unlock')}
                </Button>
              </>
            )}
            {may('delete-snapshots') && (
              <Button
                size="compact-sm"
                variant="light"
                color="red"
                leftSection={<IconTrash size={14} aria-hidden />}
                onClick={deleting.open}
              >
                {t('Delete')}
              </Button>
            )}
            <Button size="compact-sm" variant="subtle" onClick={clear}>
              {t('Choose none')}
            </Button>
          </Group>
        )}
        {ids.length === MOST && <Text size="xs">{t('No more than a thousand at once.')}</Text>}
      </Group>
      {locks.error && !isLocking && <Failed error={locks.error} />}
      <Dialog
        isOpen={isLocking}
        onClose={stopLocking}
        title={t('Lock {{count}} snapshots', { count: ids.length })}
      >
        <LockForm
          isPending={locks.isPending}
          error={locks.error}
          onCancel={stopLocking}
          onLock={(locked) => locks.mutate({ ids, locked })}
        />
      </Dialog>
      <DeleteSnapshots
        ids={isDeleting ? ids : []}
        onClose={deleting.close}
        onDeleted={() => {
          deleting.close()
          clear()
        }}
      />
    </Paper>
  )
}
