import { Button, Stack } from '@mantine/core'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { LinkTo } from '../parts/link.tsx'
import { useEnter } from './enter.ts'
import { useHashToken } from './hash-token.ts'
import { Outside } from './outside.tsx'
import { useTry } from './use-try.ts'

/** Signs in with a link that was made on the machine of the app. It works once: so it waits for a click. */
export function LinkPage() {
  const t = useT()
  const enter = useEnter()
  const token = useHashToken()
  const signIn = useTry('POST /api/v1/sign-in/link', { changesNothing: true, onSuccess: () => enter() })
  if (token === undefined) {
    return (
      <Outside
        title={t('This link is not complete')}
        about={t('Copy all of it, with what stands behind the “#”, into the address bar.')}
      >
        <Button component={LinkTo} to="/sign-in" variant="default" fullWidth>
          {t('To the sign-in')}
        </Button>
      </Outside>
    )
  }
  return (
    <Outside
      title={t('Sign in with a link')}
      about={t('It was made on the machine of Holdfast, and works once, within ten minutes.')}
    >
      <Stack gap="md">
        <FailedForm error={signIn.error} />
        <Button fullWidth loading={signIn.isPending} onClick={() => signIn.mutate({ body: { token } })}>
          {t('Sign in')}
        </Button>
        {signIn.isError && (
          <Button component={LinkTo} to="/sign-in" variant="default" fullWidth>
            {t('Sign in another way')}
          </Button>
        )}
      </Stack>
    </Outside>
  )
}
