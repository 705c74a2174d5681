import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Ability } from '../../../src/client/api.ts'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import type { Role } from '../../../src/shared/roles.ts'
import { client } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { emptyRole, type RoleDraft, RoleForm } from './role-form.tsx'

interface RoleDrawerProps {
  /** `new`, or undefined: nothing is open. */
  id: string | undefined
  abilities: readonly Ability[]
  onClose: () => void
}

export function RoleDrawer({ id, abilities, onClose }: RoleDrawerProps) {
  const t = useT()
  const [isDirty, setDirty] = useState(false)
  const close = () => {
    setDirty(false)
    onClose()
  }
  return (
    <FormDrawer
      isOpen={id !== undefined}
      onClose={close}
      title={id === 'new' ? t('Add role') : t('Edit role')}
      isDirty={isDirty}
    >
      {id === 'new' && <RoleForm draft={emptyRole} abilities={abilities} onDirty={setDirty} onDone={close} />}
      {id !== undefined && id !== 'new' && (
        <ExistingRole key={id} id={id} abilities={abilities} onDirty={setDirty} onDone={close} />
      )}
    </FormDrawer>
  )
}

interface ExistingRoleProps {
  id: string
  abilities: readonly Ability[]
  onDirty: (isDirty: boolean) => void
  onDone: () => void
}

function ExistingRole({ id, abilities, onDirty, onDone }: ExistingRoleProps) {
  const role = useQuery<{ role: Role; etag: string | undefined }, AppError>({
    queryKey: ['GET /api/v1/roles/{id}', id],
    queryFn: async ({ signal }) => {
      try {
        const { body, etag } = await client.ask('GET /api/v1/roles/{id}', { params: { id }, signal })
        return { role: body, etag }
      } catch (error) {
        throw asAppError(error)
      }
    },
    // What is being edited does not change below one’s hands.
    staleTime: Infinity,
    gcTime: 0,
  })
  return (
    <Asked question={role}>
      {({ role: { name, abilities: chosen, servers, isBuiltIn }, etag }) => (
        <RoleForm
          id={id}
          etag={etag}
          isBuiltIn={isBuiltIn}
          draft={{ name, abilities: chosen, servers } satisfies RoleDraft}
          abilities={abilities}
          onDirty={onDirty}
          onDone={onDone}
        />
      )}
    </Asked>
  )
}
