import { Button, Group, Stack } from '@mantine/core'
import { useState } from 'react'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { RoleSelect } from './role-select.tsx'

/** Makes somebody who has an account a member of the organization, without a link. */
export function AddMember({ email, onDone }: { email: string; onDone: () => void }) {
  const t = useT()
  const [roleId, setRoleId] = useState<string | null>(null)
  const add = useChange('POST /api/v1/users', { onSuccess: onDone })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (roleId !== null) add.mutate({ body: { email, roleId } })
      }}
    >
      <Stack>
        <RoleSelect value={roleId} onChange={setRoleId} error={fieldErrors(add.error)['roleId']} />
        <FailedForm error={add.error} shown={['roleId']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={roleId === null}>
            {t('Add member')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
