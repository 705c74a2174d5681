import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import type { DatabaseRetention } from '../../../src/shared/retention-preview.ts'
import { useChange } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { type Saved, useSaved } from '../saved.ts'
import { KeepsLess, lostBySaving } from './keeps-less.tsx'
import { changesOf, draftOf, type PlanDraft, trialOf } from './plan-draft.ts'
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
  const store = (asked: PlanDraft) =>
    save.mutate({ params: { id: plan.id }, body: changesOf(asked), ifMatch: etag })
  const look = useMutation<DatabaseRetention[], AppError, PlanDraft>({
    mutationFn: async (asked) => await lostBySaving(plan.id, asked),
    meta: { changesNothing: true },
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
        onSave={() => {
          save.reset()
          look.reset()
          if (keepsTheSame) store(draft)
          // Here rather than with the question: whoever has left meanwhile has not saved anything.
          else look.mutate(draft, { onSuccess: (lost) => lost.length === 0 && store(draft) })
        }}
        action={t('Save plan')}
        cancelTo={`/plans/${plan.id}`}
      />
      <KeepsLess
        lost={look.data ?? []}
        onClose={() => look.reset()}
        onConfirm={() => look.variables && store(look.variables)}
        isPending={save.isPending}
        error={save.error}
      />
    </>
  )
}
