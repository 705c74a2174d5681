import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useChange } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { changesOf, draftOf } from './plan-draft.ts'
import { PlanForm } from './plan-form.tsx'

export function EditPlanPage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const saved = useSaved('GET /api/v1/plans/{id}', { params: { id } })
  const name = saved.data?.body.name ?? t('Plan')
  return (
    <Page
      title={t('Edit “{{name}}”', { name })}
      above={[
        { title: t('Plans'), to: '/plans' },
        { title: name, to: `/plans/${id}` },
      ]}
    >
      <Asked question={saved} lines={8}>
        {(answer) => <EditPlan saved={answer} />}
      </Asked>
    </Page>
  )
}

function EditPlan({ saved }: { saved: Saved<'GET /api/v1/plans/{id}'> }) {
  const t = useT()
  const navigate = useNavigate()
  const [{ body: plan, etag }] = useState(saved)
  const [draft, setDraft] = useState(() => draftOf(plan))
  const isDirty = JSON.stringify(draft) !== JSON.stringify(draftOf(plan))
  const save = useChange('PATCH /api/v1/plans/{id}', {
    onSuccess: () => navigate({ to: `/plans/${plan.id}`, ignoreBlocker: true }),
  })
  return (
    <>
      <UnsavedGuard when={isDirty} />
      <PlanForm
        planId={plan.id}
        draft={draft}
        onChange={setDraft}
        error={save.error}
        isPending={save.isPending}
        isDisabled={!isDirty}
        onSave={() => save.mutate({ params: { id: plan.id }, body: changesOf(draft), ifMatch: etag })}
        action={t('Save plan')}
        cancelTo={`/plans/${plan.id}`}
      />
    </>
  )
}
