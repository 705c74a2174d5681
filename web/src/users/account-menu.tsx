import { Menu, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { Account } from '../../../src/shared/users.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { AccountForm } from './account-form.tsx'
import { AddMember } from './add-member.tsx'
import { DeleteAccount } from './delete-account.tsx'

type Wanted = 'add' | 'change' | 'disable' | 'sign out' | 'remove second factor' | 'delete'

export function AccountMenu({ account }: { account: Account }) {
  const t = useT()
  const me = useMe()
  const [wanted, setWanted] = useState<Wanted>()
  const close = () => setWanted(undefined)
  const { id, name, isDisabled, hasSecondFactor, sessions, organizations } = account
  const { organization } = me
  const isMember = organizations.some((one) => one.id === organization.id)
  const isOneself = id === me.user?.id
  const change = useChange('PATCH /api/v1/accounts/{id}', { onSuccess: close })
  const signOut = useChange('POST /api/v1/accounts/{id}/sign-out', {
    onSuccess: ({ body }) => {
      notifications.show({ message: t('{{count}} sessions ended', { count: body.sessions }), color: 'green' })
      close()
    },
  })
  const removeFactor = useChange('DELETE /api/v1/accounts/{id}/second-factor', { onSuccess: close })
  const enable = () =>
    change.mutate(
      { params: { id }, body: { isDisabled: false } },
      { onError: ({ message }) => notifications.show({ message, color: 'red' }) },
    )
  return (
    <>
      <RowMenu label={t('More for {{name}}', { name })}>
        <Menu.Item onClick={() => setWanted('change')}>{t('Change')}</Menu.Item>
        {!isMember && (
          <Menu.Item onClick={() => setWanted('add')}>
            {t('Add to “{{organization}}”', { organization: organization.name })}
          </Menu.Item>
        )}
        <Menu.Item disabled={sessions === 0} onClick={() => setWanted('sign out')}>
          {t('Sign out everywhere')}
        </Menu.Item>
        {hasSecondFactor && (
          <Menu.Item onClick={() => setWanted('remove second factor')}>{t('Remove second factor')}</Menu.Item>
        )}
        {isDisabled ? (
          <Menu.Item onClick={enable}>{t('Enable')}</Menu.Item>
        ) : (
          <Menu.Item disabled={isOneself} onClick={() => setWanted('disable')}>
            {t('Disable')}
          </Menu.Item>
        )}
        <Menu.Item color="red" disabled={isOneself} onClick={() => setWanted('delete')}>
          {t('Delete')}
        </Menu.Item>
      </RowMenu>
      <Dialog
        isOpen={wanted === 'add'}
        onClose={close}
        title={t('Add {{name}} to “{{organization}}”', { name, organization: organization.name })}
      >
        <AddMember email={account.email} onDone={close} />
      </Dialog>
      <Dialog isOpen={wanted === 'change'} onClose={close} title={t('Account of {{name}}', { name })}>
        <AccountForm account={account} onDone={close} />
      </Dialog>
      <Confirm
        isOpen={wanted === 'sign out'}
        onClose={close}
        title={t('Sign {{name}} out everywhere?', { name })}
        action={t('Sign out everywhere')}
        isPending={signOut.isPending}
        error={signOut.error}
        onConfirm={() => signOut.mutate({ params: { id } })}
      >
        <Text size="sm">{t('{{count}} sessions end.', { count: sessions })}</Text>
      </Confirm>
      <Confirm
        isOpen={wanted === 'remove second factor'}
        onClose={close}
        title={t('Remove the second factor of {{name}}?', { name })}
        action={t('Remove second factor')}
        isPending={removeFactor.isPending}
        error={removeFactor.error}
        onConfirm={() => removeFactor.mutate({ params: { id } })}
      >
        <Text size="sm">
          {t('The authenticator app and the recovery codes are forgotten: the password alone signs in then.')}
        </Text>
      </Confirm>
      <Confirm
        isOpen={wanted === 'disable'}
        onClose={close}
        title={t('Disable the account of {{name}}?', { name })}
        action={t('Disable')}
        isPending={change.isPending}
        error={change.error}
        onConfirm={() => change.mutate({ params: { id }, body: { isDisabled: true } })}
      >
        <Text size="sm">
          {t(
            'It cannot sign in any more, its sessions end, its API tokens are refused as long as it is disabled, and the open invitations that it has sent are deleted.',
          )}
        </Text>
      </Confirm>
      <DeleteAccount account={account} isOpen={wanted === 'delete'} onClose={close} />
    </>
  )
}
