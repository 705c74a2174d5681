import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAll, useAsk, useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { newDraft, newPlanOf, type PlanDraft } from './plan-draft.ts'
import { suggestedVolume } from '../volumes/suggested-volume.ts'
import { PlanForm } from './plan-form.tsx'

export function NewPlanPage() {
  const t = useT()
  const [filters] = useFilters()
  const settings = useAsk('GET /api/v1/settings')
  const volumes = useAll('GET /api/v1/volumes')
  return (
    <Page title={t('Add plan')} above={[{ title: t('Plans'), to: '/plans' }]}>
      <Asked question={settings} lines={8}>
        {(settings) => (
          <Asked question={volumes} lines={8}>
            {(volumes) => (
              <NewPlan first={newDraft(filters['server'] ?? '', suggestedVolume(volumes)?.id, settings)} />
            )}
          </Asked>
        )}
      </Asked>
    </Page>
  )
}

function NewPlan({ first }: { first: PlanDraft }) {
  const t = useT()
  const navigate = useNavigate()
  const [begun] = useState(first)
  const [draft, setDraft] = useState(first)
  const add = useChange('POST /api/v1/plans', {
    onSuccess: ({ body }) => navigate({ to: `/plans/${body.id}`, ignoreBlocker: true }),
  })
  return (
    <>
      <UnsavedGuard when={JSON.stringify(draft) !== JSON.stringify(begun)} />
      <PlanForm
        draft={draft}
        onChange={setDraft}
        error={add.error}
        isPending={add.isPending}
        onSave={() => add.mutate({ body: newPlanOf(draft) })}
        action={t('Add plan')}
        cancelTo="/plans"
      />
    </>
  )
}
