import { IconLock } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { PasswordSignIn } from './password-sign-in.tsx'
import { Providers } from './providers.tsx'

export function AuthenticationPage() {
  const t = useT()
  const may = useMay()
  if (!may('administer-instance')) {
    return (
      <Page title={t('Authentication')}>
        <Empty icon={<IconLock size={26} />} title={t('This is for instance administrators')}>
          {t('They say how people sign in.')}
        </Empty>
      </Page>
    )
  }
  return (
    <Page title={t('Authentication')} about={t('How people sign in to this installation.')}>
      <PasswordSignIn />
      <Providers />
    </Page>
  )
}
