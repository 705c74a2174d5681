import { Button, Group, NumberInput, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import {
  DEFAULT_CATCH_UP_HOURS,
  type NamedSchedule,
  type NewSchedule,
} from '../../../src/shared/schedules.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FailedForm } from '../parts/failed-form.tsx'
import { errorsBelow } from '../parts/field-errors.ts'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { useSaved } from '../saved.ts'
import { FIRST_RULE, ScheduleFields } from './schedule-fields.tsx'

interface ScheduleDrawerProps {
  /** `new`, or the id of the one that is changed; undefined: it is closed. */
  form: string | undefined
  onClose: () => void
}

export function ScheduleDrawer({ form, onClose }: ScheduleDrawerProps) {
  const t = useT()
  const [isDirty, setDirty] = useState(false)
  const close = () => {
    setDirty(false)
    onClose()
  }
  const props = { onDone: close, onDirty: setDirty }
  return (
    <FormDrawer
      isOpen={form !== undefined}
      onClose={close}
      title={form === 'new' ? t('Add schedule') : t('Edit schedule')}
      isDirty={isDirty}
    >
      {form === 'new' && <AddForm {...props} />}
      {form !== undefined && form !== 'new' && <EditForm key={form} id={form} {...props} />}
    </FormDrawer>
  )
}

interface FormProps {
  onDone: () => void
  onDirty: (isDirty: boolean) => void
}

const blank: NewSchedule = { name: '', rule: FIRST_RULE, catchUpHours: DEFAULT_CATCH_UP_HOURS }

function AddForm({ onDone, onDirty }: FormProps) {
  const t = useT()
  const add = useChange('POST /api/v1/schedules', { onSuccess: onDone })
  return (
    <ScheduleForm
      first={blank}
      onDirty={onDirty}
      error={add.error}
      isPending={add.isPending}
      action={t('Add schedule')}
      onSave={(body) => add.mutate({ body })}
      onCancel={onDone}
    />
  )
}

function EditForm({ id, onDone, onDirty }: FormProps & { id: string }) {
  const t = useT()
  const saved = useSaved('GET /api/v1/schedules/{id}', { params: { id } })
  const save = useChange('PATCH /api/v1/schedules/{id}', { onSuccess: onDone })
  return (
    <Asked question={saved}>
      {({ body, etag }) => (
        <ScheduleForm
          first={draftOf(body)}
          onDirty={onDirty}
          error={save.error}
          isPending={save.isPending}
          action={t('Save schedule')}
          onSave={(changes) => save.mutate({ params: { id }, body: changes, ifMatch: etag })}
          onCancel={onDone}
        />
      )}
    </Asked>
  )
}

interface ScheduleFormProps {
  first: NewSchedule
  onDirty: (isDirty: boolean) => void
  error: ReturnType<typeof useChange<'POST /api/v1/schedules'>>['error']
  isPending: boolean
  action: string
  onSave: (schedule: NewSchedule) => void
  onCancel: () => void
}

function ScheduleForm({ first, onDirty, error, isPending, action, onSave, onCancel }: ScheduleFormProps) {
  const t = useT()
  const [begun] = useState(first)
  const [draft, setDraft] = useState(first)
  const errors = fieldErrors(error)
  const change = (changes: Partial<NewSchedule>) => {
    const changed = { ...draft, ...changes }
    setDraft(changed)
    onDirty(JSON.stringify(changed) !== JSON.stringify(begun))
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSave(draft)
      }}
    >
      <Stack gap="lg">
        <TextInput
          label={t('Name')}
          withAsterisk
          maxLength={100}
          autoComplete="off"
          data-autofocus
          value={draft.name}
          error={errors['name']}
          onChange={({ currentTarget }) => change({ name: currentTarget.value })}
        />
        <ScheduleFields
          value={draft.rule}
          errors={errorsBelow(errors, 'rule')}
          onChange={(rule) => change({ rule })}
        />
        <NumberInput
          label={t('Catch up within')}
          description={t(
            'A run that was missed while Holdfast was down is caught up if it is younger; 0: never',
          )}
          suffix={` ${t('h')}`}
          min={0}
          allowDecimal={false}
          value={draft.catchUpHours}
          error={errors['catchUpHours']}
          onChange={(given) => change({ catchUpHours: Number(given) })}
        />
        <FailedForm error={error} shown={['name', 'rule', 'catchUpHours']} />
        <Group>
          <Button type="submit" loading={isPending}>
            {action}
          </Button>
          <Button variant="default" onClick={onCancel}>
            {t('Cancel')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function draftOf({ name, rule, catchUpHours }: NamedSchedule): NewSchedule {
  return { name, rule, catchUpHours }
}
