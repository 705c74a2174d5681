import { Anchor, Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { useEnter } from './enter.ts'
import { useTry } from './use-try.ts'

interface PasswordFormProps {
  given: { email: string; password: string }
  to: string | undefined
  onSecondFactor: () => void
  /** Undefined: no links are mailed here. */
  onForgotten: ((email: string) => void) | undefined
}

export function PasswordForm({ given, to, onSecondFactor, onForgotten }: PasswordFormProps) {
  const t = useT()
  const enter = useEnter()
  const [email, setEmail] = useState(given.email)
  const [password, setPassword] = useState(given.password)
  const signIn = useTry('POST /api/v1/sign-in', {
    changesNothing: true,
    onSuccess: async ({ body }) => (body.secondFactor ? onSecondFactor() : await enter(to)),
  })
  const errors = fieldErrors(signIn.error)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        signIn.mutate({ body: { email, password } })
      }}
    >
      <Stack gap="md">
        <TextInput
          label={t('E-mail')}
          type="email"
          name="email"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={email}
          error={errors['email']}
          onChange={({ currentTarget }) => setEmail(currentTarget.value)}
        />
        <Stack gap={6}>
          <PasswordInput
            label={t('Password')}
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            error={errors['password']}
            visibilityToggleButtonProps={{ 'aria-label': t('Show the password') }}
            onChange={({ currentTarget }) => setPassword(currentTarget.value)}
          />
          {onForgotten && (
            <Group justify="flex-end">
              <Anchor component="button" type="button" size="sm" onClick={() => onForgotten(email)}>
                {t('Forgot the password?')}
              </Anchor>
            </Group>
          )}
        </Stack>
        <FailedForm error={signIn.error} shown={['email', 'password']} />
        <Button type="submit" fullWidth loading={signIn.isPending}>
          {t('Sign in')}
        </Button>
      </Stack>
    </form>
  )
}
