import { IconLock } from '@tabler/icons-react'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'

/** For who has followed a link to what their role does not allow. */
export function NotAllowed() {
  const t = useT()
  const { organization } = useMe()
  return (
    <Page title={t('You may not do this here')}>
      <Empty icon={<IconLock size={26} />} title={organization.name}>
        {t(
          'Your role in “{{organization}}” does not allow it. Whoever administers the organization can change that.',
          {
            organization: organization.name,
          },
        )}
      </Empty>
    </Page>
  )
}
