import { Button, Group, PasswordInput, Stack } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Dialog } from '../parts/dialog.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { Section } from '../parts/section.tsx'
import { isLongEnough, NewPassword } from '../sign-in/new-password.tsx'
import { useTry } from '../sign-in/use-try.ts'

export function Password() {
  const t = useT()
  const [isOpen, dialog] = useDisclosure()
  return (
    <Section
      title={t('Password')}
      about={t('A new one signs you out in all other browsers.')}
      actions={
        <Button variant="default" size="xs" onClick={dialog.open}>
          {t('Change password')}
        </Button>
      }
    >
      <Dialog isOpen={isOpen} onClose={dialog.close} title={t('Change password')}>
        <PasswordChange onDone={dialog.close} />
      </Dialog>
    </Section>
  )
}

function PasswordChange({ onDone }: { onDone: () => void }) {
  const t = useT()
  const { user } = useMe()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useTry('POST /api/v1/me/password', {
    onSuccess: () => {
      notifications.show({ message: t('The password is changed'), color: 'green' })
      onDone()
    },
  })
  const errors = fieldErrors(change.error)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({ body: { current, new: next } })
      }}
    >
      <Stack>
        {/* So that a password manager knows whose passwords these are. */}
        <input type="hidden" autoComplete="username" value={user?.email} readOnly />
        <PasswordInput
          label={t('Current password')}
          autoComplete="current-password"
          data-autofocus
          required
          withAsterisk={false}
          value={current}
          error={errors['current']}
          visibilityToggleButtonProps={{ 'aria-label': t('Show the password') }}
          onChange={({ currentTarget }) => setCurrent(currentTarget.value)}
        />
        <NewPassword label={t('New password')} value={next} onChange={setNext} error={errors['new']} />
        <FailedForm error={change.error} shown={['current', 'new']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={change.isPending} disabled={!isLongEnough(next)}>
            {t('Change password')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
