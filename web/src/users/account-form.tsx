import { Button, Checkbox, Group, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Account } from '../../../src/shared/users.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { FailedForm } from '../parts/failed-form.tsx'

export function AccountForm({ account, onDone }: { account: Account; onDone: () => void }) {
  const t = useT()
  const [name, setName] = useState(account.name)
  const [email, setEmail] = useState(account.email)
  const [isInstanceAdministrator, setAdministrator] = useState(account.isInstanceAdministrator)
  const change = useChange('PATCH /api/v1/accounts/{id}', { onSuccess: onDone })
  const errors = fieldErrors(change.error)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({ params: { id: account.id }, body: { name, email, isInstanceAdministrator } })
      }}
    >
      <Stack>
        <TextInput
          label={t('Name')}
          autoComplete="off"
          required
          withAsterisk={false}
          value={name}
          error={errors['name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        <TextInput
          label={t('E-mail')}
          description={t('What it signs in with. A new one has to be proven anew.')}
          type="email"
          autoComplete="off"
          required
          withAsterisk={false}
          value={email}
          error={errors['email']}
          onChange={({ currentTarget }) => setEmail(currentTarget.value)}
        />
        <Checkbox
          label={t('Administers the instance')}
          description={t('May do everything in every organization.')}
          checked={isInstanceAdministrator}
          onChange={({ currentTarget }) => setAdministrator(currentTarget.checked)}
        />
        <FailedForm error={change.error} shown={['name', 'email']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={change.isPending}>
            {t('Save account')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
