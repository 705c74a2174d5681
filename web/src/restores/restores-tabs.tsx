import { Tabs } from '@mantine/core'
import { IconCalendarTime, IconHistory } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useT } from '../i18n/i18n.ts'

/** What was restored, and what is restored again and again. */
export function RestoresTabs({ value, children }: { value: 'history' | 'scheduled'; children: ReactNode }) {
  const t = useT()
  const navigate = useNavigate()
  return (
    <Tabs
      value={value}
      onChange={(chosen) =>
        void navigate({ to: chosen === 'scheduled' ? '/restores/scheduled' : '/restores' })
      }
    >
      <Tabs.List mb="lg">
        <Tabs.Tab value="history" leftSection={<IconHistory size={16} aria-hidden />}>
          {t('History')}
        </Tabs.Tab>
        <Tabs.Tab value="scheduled" leftSection={<IconCalendarTime size={16} aria-hidden />}>
          {t('Scheduled')}
        </Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value={value}>{children}</Tabs.Panel>
    </Tabs>
  )
}
