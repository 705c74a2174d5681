import { Menu } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { Organization } from '../../../src/shared/organizations.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Dialog } from '../parts/dialog.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { DeleteOrganization } from './delete-organization.tsx'
import { MergeOrganization } from './merge-organization.tsx'
import { NameForm } from './name-form.tsx'
import { useSwitchOrganization } from './switch-organization.ts'

interface OrganizationMenuProps {
  organization: Organization
  all: readonly Organization[]
}

export function OrganizationMenu({ organization, all }: OrganizationMenuProps) {
  const t = useT()
  const me = useMe()
  const [wanted, setWanted] = useState<'rename' | 'merge' | 'delete'>()
  const { id, name } = organization
  const close = () => {
    setWanted(undefined)
    rename.reset()
  }
  const rename = useChange('PATCH /api/v1/organizations/{id}', { onSuccess: () => setWanted(undefined) })
  const choose = useSwitchOrganization()
  const isOnly = all.length === 1
  return (
    <>
      <RowMenu label={t('More for {{name}}', { name })}>
        <Menu.Item
          disabled={id === me.organization.id}
          onClick={() =>
            choose.mutate(
              { body: { id } },
              { onError: ({ message }) => notifications.show({ message, color: 'red' }) },
            )
          }
        >
          {t('Switch to it')}
        </Menu.Item>
        <Menu.Item onClick={() => setWanted('rename')}>{t('Rename')}</Menu.Item>
        <Menu.Item disabled={isOnly} onClick={() => setWanted('merge')}>
          {t('Merge into another one')}
        </Menu.Item>
        <Menu.Item color="red" disabled={isOnly} onClick={() => setWanted('delete')}>
          {t('Delete')}
        </Menu.Item>
      </RowMenu>
      <Dialog isOpen={wanted === 'rename'} onClose={close} title={t('Rename organization')}>
        <NameForm
          name={name}
          action={t('Rename')}
          isPending={rename.isPending}
          error={rename.error}
          onSave={(changed) => rename.mutate({ params: { id }, body: { name: changed } })}
          onCancel={close}
        />
      </Dialog>
      <Dialog
        isOpen={wanted === 'merge'}
        onClose={close}
        title={t('Merge “{{name}}” into another organization', { name })}
        size="lg"
      >
        <MergeOrganization organization={organization} all={all} onDone={close} />
      </Dialog>
      <DeleteOrganization organization={organization} isOpen={wanted === 'delete'} onClose={close} />
    </>
  )
}
