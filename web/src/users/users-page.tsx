import { Button, Tabs } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconLock, IconUserPlus } from '@tabler/icons-react'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay, useMe } from '../me.ts'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { Accounts } from './accounts.tsx'
import { InviteDialog } from './invite-dialog.tsx'
import { Members } from './members.tsx'
import { NewAccountDialog } from './new-account-dialog.tsx'

export function UsersPage() {
  const t = useT()
  const may = useMay()
  const { organization } = useMe()
  const [{ tab = 'members' }, setFilters] = useFilters()
  const [isInviting, inviting] = useDisclosure()
  const [isAdding, adding] = useDisclosure()
  if (!may('manage-users')) {
    return (
      <Page title={t('Users')}>
        <Empty icon={<IconLock size={26} />} title={t('Your role does not show this')}>
          {t('Who may invite people and give them roles sees the users of “{{organization}}” here.', {
            organization: organization.name,
          })}
        </Empty>
      </Page>
    )
  }
  const seesAccounts = may('administer-instance')
  const areAccounts = seesAccounts && tab === 'accounts'
  return (
    <Page
      title={t('Users')}
      about={
        areAccounts
          ? t('Everybody who can sign in here, whatever organizations they are in.')
          : t('The people of “{{organization}}”, and what they may do.', { organization: organization.name })
      }
      actions={
        areAccounts ? (
          <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={adding.open}>
            {t('Make account')}
          </Button>
        ) : (
          <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={inviting.open}>
            {t('Invite')}
          </Button>
        )
      }
    >
      {seesAccounts ? (
        <Tabs
          value={areAccounts ? 'accounts' : 'members'}
          onChange={(chosen) => setFilters({ tab: chosen === 'accounts' ? 'accounts' : undefined })}
          keepMounted={false}
        >
          <Tabs.List mb="lg">
            <Tabs.Tab value="members">{t('Members')}</Tabs.Tab>
            <Tabs.Tab value="accounts">{t('Accounts')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="members">
            <Members />
          </Tabs.Panel>
          <Tabs.Panel value="accounts">
            <Accounts />
          </Tabs.Panel>
        </Tabs>
      ) : (
        <Members />
      )}
      <InviteDialog isOpen={isInviting} onClose={inviting.close} />
      <NewAccountDialog isOpen={isAdding} onClose={adding.close} />
    </Page>
  )
}
