import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { ScheduledRestore } from '../../../src/shared/scheduled-restores.ts'
import { useChange } from '../api.ts'
import { useParams } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { useSaved } from '../saved.ts'
import { NEW_SCHEDULE, scheduledDraftOf, type ScheduledOrder, scheduledOrderOf } from './scheduled-draft.ts'
import { ScheduledForm } from './scheduled-form.tsx'

export function EditScheduledRestorePage() {
  const t = useT()
  const { id = '' } = useParams({ strict: false })
  const saved = useSaved('GET /api/v1/scheduled-restores/{id}', { params: { id } })
  const name = saved.data?.body.name
  return (
    <Page
      title={name === undefined ? t('Edit scheduled restore') : t('Edit {{name}}', { name })}
      above={[
        { title: t('Restores'), to: '/restores' },
        { title: t('Scheduled'), to: '/restores/scheduled' },
        { title: name ?? '…', to: `/restores/scheduled/${id}` },
      ]}
    >
      <Asked question={saved} lines={8}>
        {({ body, etag }) => <EditForm saved={body} etag={etag} />}
      </Asked>
    </Page>
  )
}

function EditForm({ saved, etag }: { saved: ScheduledRestore; etag: string | undefined }) {
  const t = useT()
  const navigate = useNavigate()
  // What is edited is what was read first, also if somebody changes it in the meantime: saving then says so.
  const [read] = useState({ saved, etag })
  const [draft, setDraft] = useState(() => scheduledDraftOf(saved))
  const isDirty = JSON.stringify(draft) !== JSON.stringify(scheduledDraftOf(read.saved))
  const { id } = saved
  const addSchedule = useChange('POST /api/v1/schedules')
  const change = useChange('PATCH /api/v1/scheduled-restores/{id}', {
    onSuccess: () => navigate({ to: `/restores/scheduled/${id}`, ignoreBlocker: true }),
  })
  const order = scheduledOrderOf(draft)
  const isNewSchedule = draft.scheduleId === NEW_SCHEDULE
  const save = () => {
    if (!order) return
    const given = { params: { id }, ifMatch: read.etag }
    if (!isNewSchedule) return change.mutate({ ...given, body: changesOf(order) })
    addSchedule.mutate(
      { body: draft.newSchedule },
      {
        onSuccess: ({ body: { id: scheduleId } }) => {
          // It is there now, whatever becomes of the rest.
          setDraft((known) => ({ ...known, scheduleId }))
          change.mutate({ ...given, body: { ...changesOf(order), scheduleId } })
        },
      },
    )
  }
  return (
    <>
      <UnsavedGuard when={isDirty} />
      <ScheduledForm
        draft={draft}
        onChange={setDraft}
        onSave={save}
        action={t('Save scheduled restore')}
        back={`/restores/scheduled/${id}`}
        isSaving={change.isPending || addSchedule.isPending}
        isReady={isDirty && order !== undefined && (!isNewSchedule || draft.newSchedule.name.trim() !== '')}
        error={change.error}
        scheduleError={addSchedule.error}
      />
    </>
  )
}

/** Of what can be absent, null takes it away. */
function changesOf({ planId = null, scheduleId = null, runAfter = null, ...order }: ScheduledOrder) {
  return { ...order, planId, scheduleId, runAfter }
}
