import { Button, SimpleGrid, Stack } from '@mantine/core'
import { IconLogout } from '@tabler/icons-react'
import { useEffect } from 'react'
import { basePath } from '../base-path.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { Page } from '../parts/page.tsx'
import { forgetLinking } from '../sign-in/linking.ts'
import { ProviderFailed } from '../sign-in/provider-fault.tsx'
import { useTry } from '../sign-in/use-try.ts'
import { Appearance } from './appearance.tsx'
import { Authenticator } from './authenticator.tsx'
import { Identities } from './identities.tsx'
import { Passkeys } from './passkeys.tsx'
import { Password } from './password.tsx'
import { Sessions } from './sessions.tsx'
import { WhatIMay } from './what-i-may.tsx'
import { You } from './you.tsx'

export function ProfilePage() {
  const t = useT()
  const { user } = useMe()
  const [{ error }] = useFilters()
  useEffect(forgetLinking, [])
  const signOut = useTry('POST /api/v1/sign-out', {
    changesNothing: true,
    // The page begins anew: nothing of who was signed in stays in its memory.
    onSuccess: () => location.assign(`${basePath}/sign-in`),
  })
  return (
    <Page
      title={t('Profile')}
      actions={
        <Button
          variant="default"
          leftSection={<IconLogout size={16} aria-hidden />}
          loading={signOut.isPending}
          onClick={() => signOut.mutate({})}
        >
          {t('Sign out')}
        </Button>
      }
    >
      <FailedForm error={signOut.error} />
      {error !== undefined && <ProviderFailed code={error} />}
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
        <Stack gap="lg">
          <You />
          <Appearance />
          {user?.hasPassword && <Password />}
          {user?.hasPassword && <Authenticator />}
          <Passkeys />
        </Stack>
        <Stack gap="lg">
          <Identities />
          <Sessions />
          <WhatIMay />
        </Stack>
      </SimpleGrid>
    </Page>
  )
}
