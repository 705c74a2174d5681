import { Checkbox, Menu, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { IdentityProvider } from '../../../src/shared/identity-providers.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { ProviderTest } from './provider-test.tsx'

export function ProviderMenu({ provider, onEdit }: { provider: IdentityProvider; onEdit: () => void }) {
  const t = useT()
  const { id, name, isEnabled, isFromEnvironment, users } = provider
  const [wanted, setWanted] = useState<'test' | 'delete'>()
  const [isForced, setForced] = useState(false)
  const close = () => {
    setWanted(undefined)
    setForced(false)
  }
  const change = useChange('PATCH /api/v1/identity-providers/{id}')
  const remove = useChange('DELETE /api/v1/identity-providers/{id}', { onSuccess: close })
  return (
    <>
      <RowMenu label={t('More for {{name}}', { name })}>
        <Menu.Item onClick={onEdit}>{isFromEnvironment ? t('Look at it') : t('Edit')}</Menu.Item>
        <Menu.Item onClick={() => setWanted('test')}>{t('Test')}</Menu.Item>
        {!isFromEnvironment && (
          <>
            <Menu.Item
              onClick={() =>
                change.mutate(
                  { params: { id }, body: { isEnabled: !isEnabled } },
                  { onError: ({ message }) => notifications.show({ message, color: 'red' }) },
                )
              }
            >
              {isEnabled ? t('Switch off') : t('Switch on')}
            </Menu.Item>
            <Menu.Item color="red" onClick={() => setWanted('delete')}>
              {t('Delete')}
            </Menu.Item>
          </>
        )}
      </RowMenu>
      <Dialog isOpen={wanted === 'test'} onClose={close} title={t('Test of “{{name}}”', { name })} size="lg">
        <ProviderTest id={id} />
      </Dialog>
      <Confirm
        isOpen={wanted === 'delete'}
        onClose={close}
        title={t('Delete the identity provider “{{name}}”?', { name })}
        action={t('Delete provider')}
        typed={name}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id }, query: { force: String(isForced) } })}
      >
        <Stack gap="sm">
          <Text size="sm">
            {t('Nobody signs in by it any more. {{count}} accounts are linked with it, and these links go.', {
              count: users,
            })}{' '}
            {t('Accounts, and roles that it gave, stay.')}
          </Text>
          {remove.error?.code === 'in_use' && (
            <Checkbox
              label={t('Also where it is the only way to sign in for somebody')}
              checked={isForced}
              onChange={({ currentTarget }) => setForced(currentTarget.checked)}
            />
          )}
        </Stack>
      </Confirm>
    </>
  )
}
