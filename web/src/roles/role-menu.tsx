import { Menu, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import type { Role } from '../../../src/shared/roles.ts'
import { useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Confirm } from '../parts/confirm.tsx'
import { RowMenu } from '../parts/row-menu.tsx'

export function RoleMenu({ role, onEdit }: { role: Role; onEdit: () => void }) {
  const t = useT()
  const may = useMay()
  const [isDeleting, deleting] = useDisclosure()
  const remove = useChange('DELETE /api/v1/roles/{id}', { onSuccess: deleting.close })
  if (!may('manage-roles')) return null
  const { id, isBuiltIn, members, invitations } = role
  const name = t(role.name)
  const isUsed = members + invitations > 0
  return (
    <>
      <RowMenu label={t('More for {{name}}', { name })}>
        <Menu.Item onClick={onEdit}>{t('Edit')}</Menu.Item>
        {!isBuiltIn && (
          <Menu.Item color="red" onClick={deleting.open}>
            {t('Delete')}
          </Menu.Item>
        )}
      </RowMenu>
      <Confirm
        isOpen={isDeleting}
        onClose={deleting.close}
        title={t('Delete the role “{{name}}”?', { name })}
        action={t('Delete role')}
        isPending={remove.isPending}
        isDisabled={isUsed}
        error={remove.error}
        onConfirm={() => remove.mutate({ params: { id } })}
      >
        <Text size="sm">
          {isUsed
            ? t('{{count}} users and open invitations have it. Give them another role first.', {
                count: members + invitations,
              })
            : t('Nobody has it, so nobody loses anything.')}
        </Text>
      </Confirm>
    </>
  )
}
