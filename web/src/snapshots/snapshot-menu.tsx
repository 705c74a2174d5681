import { Button, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconChevronDown, IconLock, IconLockOpen, IconShieldCheck, IconTrash } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { Snapshot } from '../../../src/shared/snapshots-api.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { DeleteSnapshots } from './delete-snapshots.tsx'
import { LockForm } from './lock-form.tsx'

/** What else can be done with a snapshot: verify, lock, delete. */
export function SnapshotMenu({ snapshot: { id, locked } }: { snapshot: Pick<Snapshot, 'id' | 'locked'> }) {
  const t = useT()
  const may = useMay()
  const navigate = useNavigate()
  const [isLocking, locking] = useDisclosure(false)
  const [isDeleting, deleting] = useDisclosure(false)
  const lock = useChange('PATCH /api/v1/snapshots/{id}', { onSuccess: locking.close })
  const verify = useChange('POST /api/v1/snapshots/{id}/verify', {
    onSuccess: ({ body }) => navigate({ to: `/jobs/${body.jobId}` }),
  })
  if (!may('edit-snapshots') && !may('delete-snapshots') && !may('run-backups')) return null
  const stopLocking = () => {
    lock.reset()
    locking.close()
  }
  const problem = verify.error ?? (isLocking ? null : lock.error)
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<IconChevronDown size={14} aria-hidden />}>
            {t('More')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {may('run-backups') && (
            <Menu.Item
              leftSection={<IconShieldCheck size={16} aria-hidden />}
              onClick={() => verify.mutate({ params: { id }, body: {} })}
            >
              {t('Verify all copies')}
            </Menu.Item>
          )}
          {may('edit-snapshots') && (
            <Menu.Item leftSection={<IconLock size={16} aria-hidden />} onClick={locking.open}>
              {locked === false ? t('Lock') : t('Change the lock')}
            </Menu.Item>
          )}
          {may('edit-snapshots') && locked !== false && (
            <Menu.Item
              leftSection={<IconLockOpen size={16} aria-hidden />}
              onClick={() => lock.mutate({ params: { id }, body: { locked: false } })}
            >
              {t('Unlock')}
            </Menu.Item>
          )}
          {may('delete-snapshots') && (
            <>
              <Menu.Divider />
              <Menu.Item
                color="red"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={deleting.open}
              >
                {t('Delete')}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Dialog isOpen={isLocking} onClose={stopLocking} title={t('Lock this snapshot')}>
        <LockForm
          isPending={lock.isPending}
          error={lock.error}
          onCancel={stopLocking}
          onLock={(until) => lock.mutate({ params: { id }, body: { locked: until } })}
        />
      </Dialog>
      <Dialog
        isOpen={problem !== null}
        onClose={() => {
          verify.reset()
          lock.reset()
        }}
        title={t('That did not work')}
      >
        {problem && <Failed error={problem} />}
      </Dialog>
      <DeleteSnapshots
        ids={isDeleting ? [id] : []}
        onClose={deleting.close}
        onDeleted={() => navigate({ to: '/snapshots' })}
      />
    </>
  )
}
