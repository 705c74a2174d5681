import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useChange } from '../api.ts'
import { useFilters } from '../filters.ts'
import { useT } from '../i18n/i18n.ts'
import { Page } from '../parts/page.tsx'
import { UnsavedGuard } from '../parts/unsaved.tsx'
import { emptyScheduledDraft, NEW_SCHEDULE, scheduledOrderOf } from './scheduled-draft.ts'
import { ScheduledForm } from './scheduled-form.tsx'

export function NewScheduledRestorePage() {
  const t = useT()
  const navigate = useNavigate()
  const [{ server, database }] = useFilters()
  const [draft, setDraft] = useState({
    ...emptyScheduledDraft,
    sourceServerId: server ?? null,
    sourceDatabase: database ?? '',
  })
  const [isDirty, setDirty] = useState(false)
  const addSchedule = useChange('POST /api/v1/schedules')
  const add = useChange('POST /api/v1/scheduled-restores', {
    onSuccess: ({ body }) => navigate({ to: `/restores/scheduled/${body.id}`, ignoreBlocker: true }),
  })
  const order = scheduledOrderOf(draft)
  const isNewSchedule = draft.scheduleId === NEW_SCHEDULE
  const save = () => {
    if (!order) return
    if (!isNewSchedule) return add.mutate({ body: order })
    addSchedule.mutate(
      { body: draft.newSchedule },
      {
        onSuccess: ({ body: { id } }) => {
          // It is there now, whatever becomes of the rest.
          setDraft((known) => ({ ...known, scheduleId: id }))
          add.mutate({ body: { ...order, scheduleId: id } })
        },
      },
    )
  }
  return (
    <Page
      title={t('New scheduled restore')}
      about={t(
        'The newest snapshot of a database, into another one, again and again: a staging copy that is fresh each morning.',
      )}
      above={[
        { title: t('Restores'), to: '/restores' },
        { title: t('Scheduled'), to: '/restores/scheduled' },
      ]}
    >
      <UnsavedGuard when={isDirty} />
      <ScheduledForm
        draft={draft}
        onChange={(changed) => {
          setDirty(true)
          setDraft(changed)
        }}
        onSave={save}
        action={t('Add scheduled restore')}
        back="/restores/scheduled"
        isSaving={add.isPending || addSchedule.isPending}
        isReady={order !== undefined && (!isNewSchedule || draft.newSchedule.name.trim() !== '')}
        error={add.error}
        scheduleError={addSchedule.error}
      />
    </Page>
  )
}
