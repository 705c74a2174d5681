import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { useState } from 'react'
import type { Ability } from '../../../src/client/api.ts'
import type { Ability as AbilityName } from '../../../src/shared/abilities.ts'
import type { ServerLimit } from '../../../src/shared/roles.ts'
import { fieldErrors, useChange } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { useMe } from '../me.ts'
import { FailedForm } from '../parts/failed-form.tsx'
import { useTellDirty } from '../parts/use-tell-dirty.ts'
import { AbilityChoice } from './ability-choice.tsx'
import { ServerLimitFields } from './server-limit-fields.tsx'

export interface RoleDraft {
  name: string
  abilities: AbilityName[]
  servers: ServerLimit | null
}

export const emptyRole: RoleDraft = { name: '', abilities: ['view'], servers: null }

interface RoleFormProps {
  /** Undefined: it is a new one. */
  id?: string
  etag?: string | undefined
  isBuiltIn?: boolean
  draft: RoleDraft
  abilities: readonly Ability[]
  onDirty: (isDirty: boolean) => void
  onDone: () => void
}

export function RoleForm({ id, isBuiltIn = false, abilities, onDirty, onDone, ...given }: RoleFormProps) {
  const t = useT()
  const me = useMe()
  // As it was when the form was opened, whatever is read since: what others change meanwhile is not overwritten.
  const [{ draft, etag }] = useState(given)
  const [role, setRole] = useState(draft)
  const add = useChange('POST /api/v1/roles', { onSuccess: onDone })
  const change = useChange('PATCH /api/v1/roles/{id}', { onSuccess: onDone })
  const isDirty = JSON.stringify(role) !== JSON.stringify(draft)
  useTellDirty(isDirty, onDirty)
  const error = add.error ?? change.error
  const errors = fieldErrors(error)
  const isOwn = id !== undefined && id === me.role?.id && !me.isInstanceAdministrator
  const allowed = abilities.filter(({ isAboutServers }) => role.servers === null || isAboutServers)
  const save = () => {
    const chosen = role.abilities.filter((name) => allowed.some((ability) => ability.name === name))
    const body = { ...role, abilities: chosen }
    if (id === undefined) add.mutate({ body })
    else change.mutate({ params: { id }, body, ifMatch: etag })
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <Stack gap="lg">
        {isOwn && (
          <Alert variant="light" icon={<IconInfoCircle aria-hidden />} title={t('This is your own role')}>
            <Text size="sm">
              {t('Nobody changes what their own role allows: another administrator does it.')}
            </Text>
          </Alert>
        )}
        <TextInput
          label={t('Name')}
          description={
            isBuiltIn ? t('It came with the organization. It can be changed, and not deleted.') : undefined
          }
          autoComplete="off"
          data-autofocus
          required
          withAsterisk={false}
          value={role.name}
          error={errors['name']}
          onChange={({ currentTarget }) => setRole({ ...role, name: currentTarget.value })}
        />
        <ServerLimitFields
          limit={role.servers}
          errors={errors}
          onChange={(servers) => setRole({ ...role, servers })}
        />
        <AbilityChoice
          abilities={abilities}
          isLimited={role.servers !== null}
          chosen={role.abilities}
          error={errors['abilities']}
          onChange={(chosen) => setRole({ ...role, abilities: chosen })}
        />
        <FailedForm error={error} shown={['name', 'abilities', 'servers']} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={add.isPending || change.isPending} disabled={!isDirty}>
            {id === undefined ? t('Add role') : t('Save role')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
