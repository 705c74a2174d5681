import { Button, Checkbox, Group, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { isLongEnough, NewPassword } from '../sign-in/new-password.tsx'
import { InvitationLink } from './invitation-link.tsx'
import { RoleSelect } from './role-select.tsx'

interface NewAccountDialogProps {
  isOpen: boolean
  onClose: () => void
}

export function NewAccountDialog({ isOpen, onClose }: NewAccountDialogProps) {
  const t = useT()
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t('Make an account')} closeOnClickOutside={false}>
      <NewAccountForm onDone={onClose} />
    </Dialog>
  )
}

/** With a password at once, or by a link with which its owner chooses one. */
function NewAccountForm({ onDone }: { onDone: () => void }) {
  const t = useT()
  const { organization } = useMe()
  const [way, setWay] = useState<'link' | 'password'>('link')
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [roleId, setRoleId] = useState<string | null>(null)
  const [isInstanceAdministrator, setAdministrator] = useState(false)
  const make = useChange('POST /api/v1/accounts', {
    onSuccess: ({ body: { account } }) => {
      if (!account) return
      notifications.show({ message: t('{{name}} can sign in now', { name: account.name }), color: 'green' })
      onDone()
    },
  })
  if (make.data?.body.invitation) {
    return <InvitationLink invitation={make.data.body.invitation} onDone={onDone} />
  }
  const errors = fieldErrors(make.error)
  const hasPassword = way === 'password'
  const isReady = hasPassword ? name.trim() !== '' && isLongEnough(password) : roleId !== null
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        make.mutate({
          body: {
            email,
            ...(roleId !== null && { organizationId: organization.id, roleId }),
            ...(hasPassword && { name, password, isInstanceAdministrator }),
          },
        })
      }}
    >
      <Stack>
        <SegmentedControl
          fullWidth
          aria-label={t('How it is made')}
          value={way}
          onChange={(chosen) => setWay(chosen)}
          data={[
            { value: 'link', label: t('By a link') },
            { value: 'password', label: t('With a password') },
          ]}
        />
        <Text size="sm" c="dimmed">
          {hasPassword
            ? t('It can sign in at once. Tell its owner to choose another password.')
            : t('Its owner chooses the name and the password.')}
        </Text>
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
        {hasPassword && (
          <>
            <TextInput
              label={t('Name')}
              autoComplete="off"
              required
              withAsterisk={false}
              value={name}
              error={errors['name']}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
            />
            <NewPassword value={password} onChange={setPassword} error={errors['password']} />
          </>
        )}
        <RoleSelect
          label={t('Role in “{{organization}}”', { organization: organization.name })}
          isOptional={hasPassword}
          value={roleId}
          onChange={setRoleId}
          error={errors['roleId'] ?? errors['organizationId']}
        />
        {hasPassword && (
          <Checkbox
            label={t('Administers the instance')}
            description={t('May do everything in every organization.')}
            checked={isInstanceAdministrator}
            onChange={({ currentTarget }) => setAdministrator(currentTarget.checked)}
          />
        )}
        <FailedForm error={make.error} shown={['email', 'name', 'password', 'roleId', 'organizationId']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={make.isPending} disabled={!isReady}>
            {hasPassword ? t('Make account') : t('Make the link')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
