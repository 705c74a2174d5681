import { Tabs } from '@mantine/core'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Page } from '../parts/page.tsx'
import { ChannelList } from './channel-list.tsx'
import { MailServer } from './mail-server.tsx'
import { RuleList } from './rule-list.tsx'

export function NotificationsPage() {
  const t = useT()
  const mayMail = useMay()('administer-instance')
  const [{ tab = 'channels' }, filter] = useFilters()
  return (
    <Page
      title={t('Notifications')}
      about={t(
        'A channel is where notices go. A rule says which events of which servers go to which channels.',
      )}
    >
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(tab) => filter({ tab: tab ?? undefined, edit: undefined })}
      >
        <Tabs.List aria-label={t('Notifications')} mb="lg">
          <Tabs.Tab value="channels">{t('Channels')}</Tabs.Tab>
          <Tabs.Tab value="rules">{t('Rules')}</Tabs.Tab>
          {mayMail && <Tabs.Tab value="mail">{t('Mail server')}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="channels">
          <ChannelList />
        </Tabs.Panel>
        <Tabs.Panel value="rules">
          <RuleList />
        </Tabs.Panel>
        {mayMail && (
          <Tabs.Panel value="mail">
            <MailServer />
          </Tabs.Panel>
        )}
      </Tabs>
    </Page>
  )
}
