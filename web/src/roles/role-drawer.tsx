import type { Ability } from '../../../src/client/api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { EditDrawer, type EditedForm } from '../parts/edit-drawer.tsx'
import { useSaved } from '../saved.ts'
import { emptyRole, type RoleDraft, RoleForm } from './role-form.tsx'

interface RoleDrawerProps {
  /** `new`, or undefined: nothing is open. */
  id: string | undefined
  abilities: readonly Ability[]
  onClose: () => void
}

export function RoleDrawer({ id, abilities, onClose }: RoleDrawerProps) {
  const t = useT()
  return (
    <EditDrawer
      edited={id}
      onClose={onClose}
      titles={{ add: t('Add role'), edit: t('Edit role') }}
      adding={({ onDirty, onSaved }) => (
        <RoleForm draft={emptyRole} abilities={abilities} onDirty={onDirty} onDone={onSaved} />
      )}
      changing={(id, form) => <ExistingRole key={id} id={id} abilities={abilities} {...form} />}
    />
  )
}

interface ExistingRoleProps extends EditedForm {
  id: string
  abilities: readonly Ability[]
}

function ExistingRole({ id, abilities, onDirty, onSaved }: ExistingRoleProps) {
  const role = useSaved('GET /api/v1/roles/{id}', { params: { id } })
  return (
    <Asked question={role}>
      {({ body: { name, abilities: chosen, servers, isBuiltIn }, etag }) => (
        <RoleForm
          id={id}
          etag={etag}
          isBuiltIn={isBuiltIn}
          draft={{ name, abilities: chosen, servers } satisfies RoleDraft}
          abilities={abilities}
          onDirty={onDirty}
          onDone={onSaved}
        />
      )}
    </Asked>
  )
}
