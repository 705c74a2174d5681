import { Button, Group, Menu, Stack, Text, TextInput } from '@mantine/core'
import { IconArchive, IconArchiveOff, IconPencil, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { KeyCheck } from '../../../src/shared/encryption-keys.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Failed } from '../parts/failed.tsx'
import { RowMenu } from '../parts/row-menu.tsx'

type Open = 'rename' | 'retire' | 'delete' | null

/** What can be done with a key that somebody has added: the environment's own is changed there. */
export function KeyMenu({ checked }: { checked: KeyCheck }) {
  const t = useT()
  const [open, setOpen] = useState<Open>(null)
  const { keyId: id, name, kind, state, snapshots } = checked
  const activate = useChange('PATCH /api/v1/keys/{id}')
  if (name === null || kind === 'instance' || kind === 'unknown') return null
  const close = () => setOpen(null)
  return (
    <>
      <RowMenu label={t('More for “{{name}}”', { name })}>
        <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setOpen('rename')}>
          {t('Rename')}
        </Menu.Item>
        {state === 'active' ? (
          <Menu.Item leftSection={<IconArchive size={16} aria-hidden />} onClick={() => setOpen('retire')}>
            {t('Retire')}
          </Menu.Item>
        ) : (
          <Menu.Item
            leftSection={<IconArchiveOff size={16} aria-hidden />}
            onClick={() => activate.mutate({ params: { id }, body: { state: 'active' } })}
          >
            {t('Use again')}
          </Menu.Item>
        )}
        <Menu.Item
          color="red"
          leftSection={<IconTrash size={16} aria-hidden />}
          disabled={snapshots > 0}
          onClick={() => setOpen('delete')}
        >
          {snapshots > 0 ? t('Protects snapshots, cannot be deleted') : t('Delete')}
        </Menu.Item>
      </RowMenu>
      {activate.error && <Failed error={activate.error} />}
      {open === 'rename' && <Rename id={id} name={name} onClose={close} />}
      <Retire id={id} name={name} isOpen={open === 'retire'} onClose={close} />
      <Delete id={id} name={name} isOpen={open === 'delete'} onClose={close} />
    </>
  )
}

function Rename({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const t = useT()
  const [given, setGiven] = useState(name)
  const rename = useChange('PATCH /api/v1/keys/{id}', { onSuccess: onClose })
  return (
    <Dialog isOpen onClose={onClose} title={t('Rename “{{name}}”', { name })}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate({ params: { id }, body: { name: given } })
        }}
      >
        <Stack>
          <TextInput
            label={t('Name')}
            data-autofocus
            maxLength={100}
            value={given}
            error={fieldErrors(rename.error)['name']}
            onChange={({ currentTarget }) => setGiven(currentTarget.value)}
          />
          {rename.error && <Failed error={rename.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('Cancel')}
            </Button>
            <Button type="submit" loading={rename.isPending} disabled={given.trim() === ''}>
              {t('Rename')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}

interface AskProps {
  id: string
  name: string
  isOpen: boolean
  onClose: () => void
}

function Retire({ id, name, isOpen, onClose }: AskProps) {
  const t = useT()
  const retire = useChange('PATCH /api/v1/keys/{id}', { onSuccess: onClose })
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t('Retire “{{name}}”?', { name })}
      action={t('Retire key')}
      isPending={retire.isPending}
      error={retire.error}
      onConfirm={() => retire.mutate({ params: { id }, body: { state: 'retired' } })}
    >
      <Text size="sm">
        {t('It encrypts nothing more, and still opens what it has encrypted. Plans need another key first.')}
      </Text>
    </Confirm>
  )
}

function Delete({ id, name, isOpen, onClose }: AskProps) {
  const t = useT()
  const remove = useChange('DELETE /api/v1/keys/{id}', { onSuccess: onClose })
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={t('Delete “{{name}}”?', { name })}
      action={t('Delete key')}
      isPending={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate({ params: { id } })}
    >
      <Text size="sm">
        {t(
          'No snapshot of the catalogue is encrypted with it. What lies on volumes that the catalogue does not know may still need it.',
        )}
      </Text>
    </Confirm>
  )
}
