import { useAll } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMay } from '../me.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { usualPlan } from './first-plan.ts'
import { NewServerForm } from './new-server-form.tsx'
import { useEngines } from './use-engines.ts'

export function NewServerPage() {
  const t = useT()
  const may = useMay()
  const engines = useEngines()
  const volumes = useAll('GET /api/v1/volumes')
  const schedules = useAll('GET /api/v1/schedules')
  const mayAddSchedules = may('manage-schedules')
  return (
    <Page
      title={t('Add server')}
      about={t('Its first backup begins as soon as it is added, and you see how it goes.')}
      above={[{ title: t('Servers'), to: '/servers' }]}
    >
      <Asked question={engines}>
        {({ items }) => (
          <Asked question={volumes}>
            {(volumes) => (
              <Asked question={schedules}>
                {(schedules) => (
                  <NewServerForm
                    engines={items}
                    volumes={volumes}
                    schedules={schedules}
                    usual={usualPlan({ volumes, schedules, mayAddSchedules })}
                  />
                )}
              </Asked>
            )}
          </Asked>
        )}
      </Asked>
    </Page>
  )
}
