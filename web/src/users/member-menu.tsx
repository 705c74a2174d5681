import { Button, Group, List, Menu, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import type { User } from '../../../src/shared/users.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { RowMenu } from '../parts/row-menu.tsx'
import { RoleSelect } from './role-select.tsx'

export function MemberMenu({ user }: { user: User }) {
  const t = useT()
  const { organization } = useMe()
  const { id, name } = user
  const [isChanging, changing] = useDisclosure()
  const [isRemoving, removing] = useDisclosure()
  const remove = useChange('DELETE /api/v1/users/{id}', { onSuccess: removing.close })
  return (
    <>
      <RowMenu label={t('More for {{name}}', { name })}>
        <Menu.Item onClick={changing.open}>{t('Change role')}</Menu.Item>
        <Menu.Item color="red" onClick={removing.open}>
          {t('Remove from the organization')}
        </Menu.Item>
      </RowMenu>
      <Dialog isOpen={isChanging} onClose={changing.close} title={t('Role of {{name}}', { name })}>
        <RoleChange user={user} onDone={changing.close} />
      </Dialog>
      <Confirm
        isOpen={isRemoving}
        onClose={removing.close}
        title={t('Remove {{name}} from “{{organization}}”?', { name, organization: organization.name })}
        action={t('Remove {{name}}', { name })}
        isPending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id } })}
      >
        <Text size="sm">{t('With it goes, in this organization:')}</Text>
        <List size="sm">
          <List.Item>{t('the role “{{role}}”', { role: t(user.role.name) })}</List.Item>
          <List.Item>{t('the API tokens of {{name}}', { name })}</List.Item>
          <List.Item>
            {t('the invitations that {{name}} has sent and nobody has accepted', { name })}
          </List.Item>
        </List>
        <Text size="sm">{t('The account stays, with the other organizations that it is a member of.')}</Text>
      </Confirm>
    </>
  )
}

function RoleChange({ user: { id, role, identityProvider }, onDone }: { user: User; onDone: () => void }) {
  const t = useT()
  const [roleId, setRoleId] = useState<string | null>(role.id)
  const change = useChange('PATCH /api/v1/users/{id}', { onSuccess: onDone })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (roleId !== null) change.mutate({ params: { id }, body: { roleId } })
      }}
    >
      <Stack>
        {identityProvider && (
          <Text size="sm">
            {t('“{{provider}}” gave this role. One that you give is not taken back by it.', {
              provider: identityProvider.name,
            })}
          </Text>
        )}
        <RoleSelect value={roleId} onChange={setRoleId} error={fieldErrors(change.error)['roleId']} />
        <FailedForm error={change.error} shown={['roleId']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={change.isPending} disabled={roleId === null || roleId === role.id}>
            {t('Change role')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
