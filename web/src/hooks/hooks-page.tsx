import { Stack, Tabs } from '@mantine/core'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Page } from '../parts/page.tsx'
import { HookList } from './hook-list.tsx'
import { InstallationScripts } from './installation-scripts.tsx'

export function HooksPage() {
  const t = useT()
  const mayScript = useMay()('administer-instance')
  const [{ tab = mayScript ? 'scripts' : 'hooks' }, filter] = useFilters()
  return (
    <Page title={t('Hook scripts')} about={t('Something of yours that runs around backups and restores.')}>
      {mayScript ? (
        <Tabs
          value={tab}
          keepMounted={false}
          onChange={(tab) => filter({ tab: tab ?? undefined, script: undefined })}
        >
          <Tabs.List aria-label={t('Hook scripts')} mb="lg">
            <Tabs.Tab value="scripts">{t('Scripts of the installation')}</Tabs.Tab>
            <Tabs.Tab value="hooks">{t('Hooks')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="scripts">
            <InstallationScripts />
          </Tabs.Panel>
          <Tabs.Panel value="hooks">
            <HookList />
          </Tabs.Panel>
        </Tabs>
      ) : (
        <Stack>
          <HookList />
        </Stack>
      )}
    </Page>
  )
}
