import { Button, Group, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { InvitationLink } from './invitation-link.tsx'
import { RoleSelect } from './role-select.tsx'

interface InviteDialogProps {
  isOpen: boolean
  onClose: () => void
}

export function InviteDialog({ isOpen, onClose }: InviteDialogProps) {
  const t = useT()
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t('Invite somebody')} closeOnClickOutside={false}>
      <InviteForm onDone={onClose} />
    </Dialog>
  )
}

function InviteForm({ onDone }: { onDone: () => void }) {
  const t = useT()
  const [email, setEmail] = useState('')
  const [roleId, setRoleId] = useState<string | null>(null)
  const invite = useChange('POST /api/v1/invitations')
  if (invite.data) return <InvitationLink invitation={invite.data.body} onDone={onDone} />
  const errors = fieldErrors(invite.error)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (roleId !== null) invite.mutate({ body: { email, roleId } })
      }}
    >
      <Stack>
        <TextInput
          label={t('E-mail')}
          type="email"
          autoComplete="off"
          data-autofocus
          required
          withAsterisk={false}
          value={email}
          error={errors['email']}
          onChange={({ currentTarget }) => setEmail(currentTarget.value)}
        />
        <RoleSelect value={roleId} onChange={setRoleId} error={errors['roleId']} />
        <FailedForm error={invite.error} shown={['email', 'roleId']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={invite.isPending} disabled={roleId === null}>
            {t('Invite')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
