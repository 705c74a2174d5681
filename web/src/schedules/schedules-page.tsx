import { Button, Tabs } from '@mantine/core'
import { IconCalendarMonth, IconCalendarTime, IconList, IconPlus } from '@tabler/icons-react'
import { lazy } from 'react'
import { useAll } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Empty } from '../parts/empty.tsx'
import { Page } from '../parts/page.tsx'
import { Waiting } from '../parts/waiting.tsx'
import { Agenda } from './agenda.tsx'
import { ScheduleDrawer } from './schedule-drawer.tsx'
import { ScheduleList } from './schedule-list.tsx'

const Calendar = lazy(() => import('./calendar.tsx'))

export function SchedulesPage() {
  const t = useT()
  const may = useMay()
  const [filters, setFilters] = useFilters()
  const schedules = useAll('GET /api/v1/schedules')
  const plans = useAll('GET /api/v1/plans')
  const add = may('manage-schedules') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setFilters({ form: 'new' })}>
      {t('Add schedule')}
    </Button>
  )
  return (
    <Page
      title={t('Schedules')}
      about={t('When plans run. One schedule may serve many plans.')}
      actions={add}
    >
      <Asked question={schedules}>
        {(all) =>
          all.length === 0 ? (
            <Empty icon={<IconCalendarTime size={28} />} title={t('No schedule yet')} action={add}>
              {t('Add one, every night for example, and choose it in the plans that it is for.')}
            </Empty>
          ) : (
            <Tabs
              value={filters['view'] ?? 'list'}
              keepMounted={false}
              onChange={(view) =>
                setFilters({
                  view: view === 'list' ? undefined : (view ?? undefined),
                  month: undefined,
                  day: undefined,
                })
              }
            >
              <Tabs.List mb="lg">
                <Tabs.Tab value="list" leftSection={<IconList size={16} aria-hidden />}>
                  {t('All schedules')}
                </Tabs.Tab>
                <Tabs.Tab value="calendar" leftSection={<IconCalendarMonth size={16} aria-hidden />}>
                  {t('Calendar')}
                </Tabs.Tab>
                <Tabs.Tab value="agenda" leftSection={<IconCalendarTime size={16} aria-hidden />}>
                  {t('The next seven days')}
                </Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="list">
                <ScheduleList
                  schedules={all}
                  plans={plans.data ?? []}
                  onEdit={(id) => setFilters({ form: id })}
                />
              </Tabs.Panel>
              <Tabs.Panel value="calendar">
                <Waiting height={600}>
                  <Calendar
                    schedules={all}
                    plans={plans.data ?? []}
                    month={filters['month']}
                    day={filters['day']}
                    onChange={setFilters}
                  />
                </Waiting>
              </Tabs.Panel>
              <Tabs.Panel value="agenda">
                <Agenda schedules={all} plans={plans.data ?? []} />
              </Tabs.Panel>
            </Tabs>
          )
        }
      </Asked>
      <ScheduleDrawer form={filters['form']} onClose={() => setFilters({ form: undefined })} />
    </Page>
  )
}
