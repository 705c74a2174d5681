import { Button, Stack } from '@mantine/core'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { AuthenticatorSetup } from '../profile/authenticator-setup.tsx'
import { useEnter } from './enter.ts'
import { Outside } from './outside.tsx'
import { useTry } from './use-try.ts'

/** For who has signed in with a password alone, where the installation demands more. */
export function SecondFactorPage() {
  const t = useT()
  const enter = useEnter()
  const [{ to }] = useFilters()
  const signOut = useTry('POST /api/v1/sign-out', { changesNothing: true, onSuccess: () => enter() })
  return (
    <Outside
      title={t('Here a password alone is not enough')}
      about={t(
        'Set up an authenticator app on your phone or in your password manager: from then on the six digits that it shows are asked for, too.',
      )}
    >
      <Stack gap="md">
        <AuthenticatorSetup onDone={() => void enter(to)} />
        <FailedForm error={signOut.error} />
        <Button
          variant="subtle"
          color="gray"
          loading={signOut.isPending}
          onClick={() => signOut.mutate({})}
          fullWidth
        >
          {t('Sign out, or sign in another way')}
        </Button>
      </Stack>
    </Outside>
  )
}
