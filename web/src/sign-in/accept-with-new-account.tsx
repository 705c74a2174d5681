import { Button, Stack, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { ShownInvitation } from '../../../src/shared/invitations.ts'
import { fieldErrors, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { useJoined } from './joined.ts'
import { forgetInvitation } from './kept-invitation.ts'
import { isLongEnough, NewPassword } from './new-password.tsx'
import { useTry } from './use-try.ts'

interface AcceptProps {
  token: string
  invitation: ShownInvitation
}

/** Whoever has no account yet gets one. */
export function AcceptWithNewAccount({ token, invitation }: AcceptProps) {
  const methods = useAsk('GET /api/v1/sign-in')
  return (
    <Asked question={methods} lines={2}>
      {({ password }) => <NewAccount token={token} invitation={invitation} hasPassword={password} />}
    </Asked>
  )
}

function NewAccount({ token, invitation, hasPassword }: AcceptProps & { hasPassword: boolean }) {
  const t = useT()
  const navigate = useNavigate()
  const joined = useJoined()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const accept = useTry('POST /api/v1/invitations/accept', {
    changesNothing: true,
    onSuccess: async ({ body }) => {
      if (hasPassword) return await joined(body, password)
      forgetInvitation()
      await navigate({ to: '/sign-in' })
    },
  })
  const errors = fieldErrors(accept.error)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        accept.mutate({ body: { token, name, ...(hasPassword && { password }) } })
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('E-mail')}
          type="email"
          autoComplete="username"
          value={invitation.email}
          readOnly
        />
        <TextInput
          label={t('Your name')}
          autoComplete="name"
          autoFocus
          required
          value={name}
          error={errors['name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        {hasPassword && <NewPassword value={password} onChange={setPassword} error={errors['password']} />}
        <FailedForm error={accept.error} shown={['name', 'password']} />
        <Button
          type="submit"
          fullWidth
          loading={accept.isPending}
          disabled={name.trim() === '' || (hasPassword && !isLongEnough(password))}
        >
          {t('Make the account and join')}
        </Button>
      </Stack>
    </form>
  )
}
