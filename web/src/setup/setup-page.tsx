import { Button, Stack, TextInput } from '@mantine/core'
import { Navigate } from '@tanstack/react-router'
import { useState } from 'react'
import { fieldErrors, useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { useEnter } from '../sign-in/enter.ts'
import { useHashToken } from '../sign-in/hash-token.ts'
import { isLongEnough, NewPassword } from '../sign-in/new-password.tsx'
import { Outside } from '../sign-in/outside.tsx'
import { useTry } from '../sign-in/use-try.ts'

export function SetupPage() {
  const t = useT()
  const token = useHashToken()
  const setup = useAsk('GET /api/v1/setup')
  return (
    <Outside
      title={t('Welcome to Holdfast')}
      about={t('Make the first account. It administers the whole installation; others are invited later.')}
    >
      <Asked question={setup}>
        {({ isOpen }) => (isOpen ? <FirstAccount linked={token} /> : <Navigate to="/sign-in" replace />)}
      </Asked>
    </Outside>
  )
}

/** `linked` is the token of the link that was followed, if it had one. */
function FirstAccount({ linked }: { linked: string | undefined }) {
  const t = useT()
  const enter = useEnter()
  const [fields, setFields] = useState({
    token: linked ?? '',
    name: '',
    email: '',
    password: '',
    organization: '',
  })
  const set = (changes: Partial<typeof fields>) => setFields({ ...fields, ...changes })
  const make = useTry('POST /api/v1/setup', { changesNothing: true, onSuccess: () => enter('/welcome') })
  const errors = fieldErrors(make.error)
  const { token, name, email, password, organization } = fields
  // A token that did not fit is asked for, also where a link brought it.
  const isTokenAsked = linked === undefined || make.error?.code === 'forbidden'
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        make.mutate({
          body: {
            token: token.trim(),
            name,
            email,
            password,
            ...(organization.trim() !== '' && { organization }),
          },
        })
      }}
    >
      <Stack gap="md">
        {isTokenAsked && (
          <TextInput
            label={t('Token of the setup')}
            description={t('Holdfast prints it when it starts, a new one each time.')}
            autoComplete="off"
            spellCheck={false}
            required
            value={token}
            error={errors['token']}
            onChange={({ currentTarget }) => set({ token: currentTarget.value })}
          />
        )}
        <TextInput
          label={t('Your name')}
          autoComplete="name"
          autoFocus={!isTokenAsked}
          required
          value={name}
          error={errors['name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <TextInput
          label={t('E-mail')}
          type="email"
          autoComplete="username"
          required
          value={email}
          error={errors['email']}
          onChange={({ currentTarget }) => set({ email: currentTarget.value })}
        />
        <NewPassword
          value={password}
          onChange={(changed) => set({ password: changed })}
          error={errors['password']}
        />
        <TextInput
          label={t('Organization')}
          description={t('What your servers and backups belong to. It can be renamed later.')}
          autoComplete="organization"
          placeholder="Default"
          value={organization}
          error={errors['organization']}
          onChange={({ currentTarget }) => set({ organization: currentTarget.value })}
        />
        <FailedForm error={make.error} shown={['token', 'name', 'email', 'password', 'organization']} />
        <Button type="submit" fullWidth loading={make.isPending} disabled={!isLongEnough(password)}>
          {t('Make the account')}
        </Button>
      </Stack>
    </form>
  )
}
