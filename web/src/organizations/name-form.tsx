import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { AppError } from '../../../src/shared/errors.ts'
import { fieldErrors } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'

interface NameFormProps {
  name: string
  about?: string
  action: string
  isPending: boolean
  error: AppError | null
  onSave: (name: string) => void
  onCancel: () => void
}

export function NameForm({ name: given, about, action, isPending, error, onSave, onCancel }: NameFormProps) {
  const t = useT()
  const [name, setName] = useState(given)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        onSave(name)
      }}
    >
      <Stack>
        {about !== undefined && <Text size="sm">{about}</Text>}
        <TextInput
          label={t('Name')}
          autoComplete="off"
          data-autofocus
          required
          withAsterisk={false}
          value={name}
          error={fieldErrors(error)['name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <FailedForm error={error} shown={['name']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={isPending} disabled={name.trim() === '' || name === given}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
