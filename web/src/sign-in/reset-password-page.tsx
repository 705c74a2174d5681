import { Alert, Button, Stack, Text } from '@mantine/core'
import { IconCheck } from '@tabler/icons-react'
import { useState } from 'react'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { LinkTo } from '../parts/link.tsx'
import { useHashToken } from './hash-token.ts'
import { isLongEnough, NewPassword } from './new-password.tsx'
import { Outside } from './outside.tsx'
import { useTry } from './use-try.ts'

export function ResetPasswordPage() {
  const t = useT()
  const token = useHashToken()
  const [password, setPassword] = useState('')
  const reset = useTry('POST /api/v1/password-reset/confirm', { changesNothing: true })
  const toSignIn = (
    <Button component={LinkTo} to="/sign-in" variant={reset.isSuccess ? 'filled' : 'default'} fullWidth>
      {t('To the sign-in')}
    </Button>
  )
  if (token === undefined) {
    return (
      <Outside
        title={t('This link is not complete')}
        about={t('Copy all of it, with what stands behind the “#”, into the address bar.')}
      >
        {toSignIn}
      </Outside>
    )
  }
  if (reset.isSuccess) {
    return (
      <Outside title={t('The new password is set')}>
        <Stack gap="md">
          <Alert variant="light" color="green" icon={<IconCheck aria-hidden />} role="status">
            <Text size="sm">{t('You are signed out everywhere. Sign in with the new password.')}</Text>
          </Alert>
          {toSignIn}
        </Stack>
      </Outside>
    )
  }
  return (
    <Outside title={t('Set a new password')} about={t('You are signed out everywhere with it.')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          reset.mutate({ body: { token, password } })
        }}
      >
        <Stack gap="md">
          <NewPassword
            label={t('New password')}
            value={password}
            onChange={setPassword}
            error={fieldErrors(reset.error)['password']}
          />
          <FailedForm error={reset.error} shown={['password']} />
          {reset.error?.code === 'not_found' ? (
            toSignIn
          ) : (
            <Button type="submit" fullWidth loading={reset.isPending} disabled={!isLongEnough(password)}>
              {t('Set the password')}
            </Button>
          )}
        </Stack>
      </form>
    </Outside>
  )
}
