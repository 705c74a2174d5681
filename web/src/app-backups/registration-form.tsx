import { Button, Group, Stack, Switch, TextInput } from '@mantine/core'
import { IconTestPipe } from '@tabler/icons-react'
import { useState } from 'react'
import type { AppBackupRegistration, NewAppBackupSchedule } from '../../../src/shared/app-backups.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { TestReportView } from '../parts/test-report.tsx'
import { SchedulesFields } from './schedules-fields.tsx'
import { firstTarget, targetBody, TargetFields, type TargetKind, targetOf } from './target-fields.tsx'

interface RegistrationFormProps {
  kinds: TargetKind[]
  saved?: { registration: AppBackupRegistration; etag: string | undefined }
  onDirty: () => void
  onSaved: () => void
}

const FIRST_SCHEDULES: NewAppBackupSchedule[] = [{ type: 'migration' }, { type: 'daily', times: ['03:00'] }]

export function RegistrationForm({ kinds, saved, onDirty, onSaved }: RegistrationFormProps) {
  const t = useT()
  const [first] = useState(saved)
  const [firstPlace] = useState(() => (first ? targetOf(first.registration) : firstTarget(kinds)))
  const [name, setName] = useState(first?.registration.name ?? '')
  const [target, setTarget] = useState(firstPlace)
  const [schedules, setSchedules] = useState<NewAppBackupSchedule[]>(
    first?.registration.schedules ?? FIRST_SCHEDULES,
  )
  const [isEnabled, setEnabled] = useState(first?.registration.isEnabled ?? true)
  const test = useChange('POST /api/v1/app-backup-registrations/test', { changesNothing: true })
  const add = useChange('POST /api/v1/app-backup-registrations', { onSuccess: onSaved })
  const save = useChange('PATCH /api/v1/app-backup-registrations/{id}', { onSuccess: onSaved })
  const error = add.error ?? save.error ?? test.error
  const tryOut = () => {
    add.reset()
    save.reset()
    test.mutate({
      body: { ...targetBody(target), ...(first && { registrationId: first.registration.id }) },
    })
  }
  const submit = () => {
    test.reset()
    if (!first) return add.mutate({ body: { name, schedules, isEnabled, ...targetBody(target) } })
    const isElsewhere = JSON.stringify(target) !== JSON.stringify(firstPlace)
    const ifMatch = first.etag === undefined ? {} : { ifMatch: first.etag }
    const body = { name, schedules, isEnabled, ...(isElsewhere && targetBody(target)) }
    return save.mutate({ params: { id: first.registration.id }, body, ...ifMatch })
  }
  return (
    <form
      noValidate
      onChange={onDirty}
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Stack gap="lg">
        <TextInput
          label={t('Name')}
          withAsterisk
          maxLength={100}
          autoComplete="off"
          value={name}
          error={fieldErrors(error)['name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <TargetFields
          kinds={kinds}
          value={target}
          error={error}
          onChange={(changed) => {
            onDirty()
            test.reset()
            setTarget(changed)
          }}
        />
        <SchedulesFields
          value={schedules}
          errors={fieldErrors(error, 'schedules.')}
          onChange={(changed) => {
            onDirty()
            setSchedules(changed)
          }}
        />
        <Switch
          label={t('On')}
          description={t('If off, it makes backups by hand only')}
          checked={isEnabled}
          onChange={({ currentTarget }) => setEnabled(currentTarget.checked)}
        />
        {test.data && <TestReportView report={test.data.body} />}
        {error && <Failed error={error} />}
        <Group>
          <Button type="submit" loading={add.isPending || save.isPending}>
            {first ? t('Save') : t('Create')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconTestPipe size={16} aria-hidden />}
            loading={test.isPending}
            onClick={tryOut}
          >
            {t('Test')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
