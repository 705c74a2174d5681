import { Alert, Button, Divider, PasswordInput, Stack, Text } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { AppError } from '../../../src/shared/errors.ts'
import type { ShownInvitation } from '../../../src/shared/invitations.ts'
import type { Me } from '../../../src/shared/me.ts'
import { fieldErrors, queryClient } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { LinkTo } from '../parts/link.tsx'
import { useJoined } from './joined.ts'
import { tryOnce, useTry } from './use-try.ts'

interface AcceptProps {
  token: string
  invitation: ShownInvitation
}

/** Whoever has an account accepts with it: signed in already, or with its password, or after signing in. */
export function AcceptWithAccount({ token, invitation }: AcceptProps) {
  const signedIn = useQuery<Me['user'], AppError>({
    queryKey: ['who has signed in'],
    queryFn: whoHasSignedIn,
  })
  return (
    <Asked question={signedIn} lines={2}>
      {(user) => {
        if (user === null) return <WithPassword token={token} invitation={invitation} />
        if (user.email === invitation.email) return <AsSignedIn token={token} name={user.name} />
        return <SomebodyElse name={user.name} invitation={invitation} />
      }}
    </Asked>
  )
}

async function whoHasSignedIn(): Promise<Me['user']> {
  try {
    return (await tryOnce('GET /api/v1/me')).body.user
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_signed_in') return null
    throw error
  }
}

function AsSignedIn({ token, name }: { token: string; name: string }) {
  const t = useT()
  const joined = useJoined()
  const accept = useTry('POST /api/v1/invitations/accept', {
    changesNothing: true,
    onSuccess: ({ body }) => joined(body),
  })
  return (
    <Stack gap="md">
      <FailedForm error={accept.error} />
      <Button fullWidth loading={accept.isPending} onClick={() => accept.mutate({ body: { token } })}>
        {t('Join as {{name}}', { name })}
      </Button>
    </Stack>
  )
}

function WithPassword({ token, invitation: { email } }: AcceptProps) {
  const t = useT()
  const joined = useJoined()
  const [password, setPassword] = useState('')
  const accept = useTry('POST /api/v1/invitations/accept', {
    changesNothing: true,
    onSuccess: ({ body }) => joined(body, password),
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        accept.mutate({ body: { token, password } })
      }}
    >
      <Stack gap="md">
        <Text size="sm">{t('There is an account with the e-mail {{email}}.', { email })}</Text>
        <PasswordInput
          label={t('Password of the account')}
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          error={fieldErrors(accept.error)['password']}
          visibilityToggleButtonProps={{ 'aria-label': t('Show the password') }}
          onChange={({ currentTarget }) => setPassword(currentTarget.value)}
        />
        <FailedForm error={accept.error} shown={['password']} />
        <Button type="submit" fullWidth loading={accept.isPending}>
          {t('Join')}
        </Button>
        <Divider label={t('or')} />
        <Button component={LinkTo} to="/sign-in" search={{ to: '/invitation' }} variant="default" fullWidth>
          {t('Sign in first')}
        </Button>
        <Text size="sm" c="dimmed">
          {t('Sign in first if the account has a second factor, or signs in with a passkey or a provider.')}
        </Text>
      </Stack>
    </form>
  )
}

function SomebodyElse({ name, invitation: { email } }: { name: string; invitation: ShownInvitation }) {
  const t = useT()
  const signOut = useTry('POST /api/v1/sign-out', {
    changesNothing: true,
    onSuccess: () => {
      queryClient.clear()
      location.reload()
    },
  })
  return (
    <Stack gap="md">
      <Alert variant="light" color="orange" icon={<IconInfoCircle aria-hidden />}>
        <Text size="sm">
          {t('The invitation is for {{email}}, and {{name}} is signed in in this browser.', { email, name })}
        </Text>
      </Alert>
      <FailedForm error={signOut.error} />
      <Button fullWidth loading={signOut.isPending} onClick={() => signOut.mutate({})}>
        {t('Sign out')}
      </Button>
    </Stack>
  )
}
