import { Button, SimpleGrid, Stack } from '@mantine/core'
import { IconLogout } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { queryClient } from '../api.ts'
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
  const navigate = useNavigate()
  const { user } = useMe()
  const [{ error }] = useFilters()
  useEffect(forgetLinking, [])
  const signOut = useTry('POST /api/v1/sign-out', {
    changesNothing: true,
    onSuccess: async () => {
      queryClient.clear()
      await navigate({ to: '/sign-in' })
    },
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
          <WhatIMay />
        </Stack>
        <Stack gap="lg">
          {user?.hasPassword && <Authenticator />}
          <Passkeys />
          <Identities />
          <Sessions />
        </Stack>
      </SimpleGrid>
    </Page>
  )
}
