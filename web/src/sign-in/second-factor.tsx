import { Anchor, Button, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { CodeInput } from './code-input.tsx'
import { useEnter } from './enter.ts'
import { Outside } from './outside.tsx'
import { useTry } from './use-try.ts'

interface SecondFactorProps {
  to: string | undefined
  onBack: () => void
}

/** The second half of a sign-in with a password. */
export function SecondFactor({ to, onBack }: SecondFactorProps) {
  const t = useT()
  const enter = useEnter()
  const [isRecovery, setRecovery] = useState(false)
  const [given, setGiven] = useState('')
  const signIn = useTry('POST /api/v1/sign-in/second-factor', {
    changesNothing: true,
    onSuccess: () => enter(to),
  })
  const errors = fieldErrors(signIn.error)
  const turn = () => {
    setRecovery(!isRecovery)
    setGiven('')
    signIn.reset()
  }
  return (
    <Outside
      title={t('One more step')}
      about={
        isRecovery
          ? t('Each recovery code works once.')
          : t('Enter the six digits that your authenticator app shows now.')
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate({ body: isRecovery ? { recoveryCode: given } : { code: given } })
        }}
      >
        <Stack gap="md">
          {isRecovery ? (
            <TextInput
              key="recovery"
              label={t('Recovery code')}
              autoComplete="off"
              spellCheck={false}
              autoFocus
              required
              withAsterisk={false}
              value={given}
              error={errors['recoveryCode']}
              onChange={({ currentTarget }) => setGiven(currentTarget.value)}
            />
          ) : (
            <CodeInput value={given} onChange={setGiven} error={errors['code']} />
          )}
          <FailedForm error={signIn.error} shown={['code', 'recoveryCode']} />
          <Button type="submit" fullWidth loading={signIn.isPending}>
            {t('Sign in')}
          </Button>
          <Stack gap={6} align="flex-start">
            <Anchor component="button" type="button" size="sm" onClick={turn}>
              {isRecovery ? t('Use the authenticator app') : t('Use a recovery code')}
            </Anchor>
            <Anchor component="button" type="button" size="sm" onClick={onBack}>
              {t('Back to the password')}
            </Anchor>
          </Stack>
        </Stack>
      </form>
    </Outside>
  )
}
