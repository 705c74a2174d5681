import { Alert, Button, Divider, Stack, Text } from '@mantine/core'
import { IconInfoCircle, IconLogin2 } from '@tabler/icons-react'
import { useState } from 'react'
import type { SignInMethods } from '../../../src/shared/sign-in.ts'
import { useAsk } from '../api.ts'
import { basePath } from '../base-path.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { ForgottenPassword } from './forgotten-password.tsx'
import { Outside } from './outside.tsx'
import { ownPath } from './own-place.ts'
import { PasskeyButton } from './passkey-button.tsx'
import { PasswordForm } from './password-form.tsx'
import { ProviderFault } from './provider-fault.tsx'
import { SecondFactor } from './second-factor.tsx'

type Step = { name: 'first' } | { name: 'second factor' } | { name: 'forgotten'; email: string }

export function SignInPage() {
  const t = useT()
  const [{ to, error }] = useFilters()
  const methods = useAsk('GET /api/v1/sign-in')
  const [step, setStep] = useState<Step>({ name: 'first' })
  const back = () => setStep({ name: 'first' })
  if (step.name === 'second factor') return <SecondFactor to={to} onBack={back} />
  if (step.name === 'forgotten') return <ForgottenPassword email={step.email} onBack={back} />
  return (
    <Outside title={t('Sign in')}>
      {error !== undefined && <ProviderFault code={error} />}
      <Asked question={methods}>
        {(ways) => (
          <Ways
            ways={ways}
            to={to}
            onSecondFactor={() => setStep({ name: 'second factor' })}
            onForgotten={(email) => setStep({ name: 'forgotten', email })}
          />
        )}
      </Asked>
    </Outside>
  )
}

interface WaysProps {
  ways: SignInMethods
  to: string | undefined
  onSecondFactor: () => void
  onForgotten: (email: string) => void
}

function Ways({
  ways: { password, passwordReset, providers, demo },
  to,
  onSecondFactor,
  onForgotten,
}: WaysProps) {
  const t = useT()
  return (
    <Stack gap="md">
      {demo && (
        <Alert variant="light" icon={<IconInfoCircle aria-hidden />} title={t('This is a demonstration')}>
          <Text size="sm">{t('Anybody may sign in with what stands here already.')}</Text>
        </Alert>
      )}
      {password && (
        <>
          <PasswordForm
            given={demo ?? { email: '', password: '' }}
            to={to}
            onSecondFactor={onSecondFactor}
            onForgotten={passwordReset ? onForgotten : undefined}
          />
          <Divider label={t('or')} />
        </>
      )}
      <PasskeyButton to={to} isOnly={!password && providers.length === 0} />
      {providers.map(({ id, name }) => (
        <Button
          key={id}
          component="a"
          href={`${basePath}/api/v1/sign-in/providers/${encodeURIComponent(id)}?to=${encodeURIComponent(ownPath(to))}`}
          variant="default"
          fullWidth
          leftSection={<IconLogin2 size={18} aria-hidden />}
        >
          {t('Sign in with {{provider}}', { provider: name })}
        </Button>
      ))}
    </Stack>
  )
}
