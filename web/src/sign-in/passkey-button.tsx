import { Button, Stack, Text } from '@mantine/core'
import { IconFingerprint } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import type { AppError } from '../../../src/shared/errors.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { useEnter } from './enter.ts'
import { browserSupportsWebAuthn, signInWithPasskey } from './passkeys.ts'

interface PasskeyButtonProps {
  to: string | undefined
  /** There is no other way to sign in. */
  isOnly: boolean
}

export function PasskeyButton({ to, isOnly }: PasskeyButtonProps) {
  const t = useT()
  const enter = useEnter()
  const signIn = useMutation<void, AppError>({
    mutationFn: signInWithPasskey,
    meta: { changesNothing: true },
    onSuccess: () => enter(to),
  })
  if (!browserSupportsWebAuthn()) {
    return isOnly ? (
      <Text size="sm">{t('Browsers use passkeys only over https://, and at http://localhost.')}</Text>
    ) : null
  }
  return (
    <Stack gap="md">
      <Button
        variant={isOnly ? 'filled' : 'default'}
        fullWidth
        leftSection={<IconFingerprint size={18} aria-hidden />}
        loading={signIn.isPending}
        onClick={() => signIn.mutate()}
      >
        {t('Sign in with a passkey')}
      </Button>
      <FailedForm error={signIn.error} />
    </Stack>
  )
}
