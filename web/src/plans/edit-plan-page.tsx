import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import type { DatabaseRetention } from '../../../src/shared/retention-preview.ts'
import { useChange } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { KeepsLess, lostBySaving } from './keeps-less.tsx'
import { changesOf, draftOf, trialOf } from './plan-draft.ts'
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
  const store = () => save.mutate({ params: { id: plan.id }, body: changesOf(draft), ifMatch: etag })
  const look = useMutation<DatabaseRetention[], AppError>({
    mutationFn: async () => {
      try {
        return await lostBySaving(plan.id, draft)
      } catch (thrown) {
        const error = asAppError(thrown)
        // What is wrong in a field is said there when the plan is saved, which changes nothing then.
        if (error.code === 'invalid_input') return []
        throw error
      }
    },
    meta: { changesNothing: true },
    onSuccess: (lost) => {
      if (lost.length === 0) store()
    },
  })
  const keepsTheSame = JSON.stringify(trialOf(draft)) === JSON.stringify(trialOf(plan))
  return (
    <>
      <UnsavedGuard when={isDirty} />
      <PlanForm
        planId={plan.id}
        draft={draft}
        onChange={setDraft}
        error={save.error ?? look.error}
        isPending={look.isPending || save.isPending}
        isDisabled={!isDirty}
        onSave={() => (keepsTheSame ? store() : look.mutate())}
        action={t('Save plan')}
        cancelTo={`/plans/${plan.id}`}
      />
      <KeepsLess
        lost={look.data ?? []}
        onClose={() => look.reset()}
        onConfirm={store}
        isPending={save.isPending}
        error={save.error}
      />
    </>
  )
}
