import type { IdentityProviderKind } from '../../../src/client/api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { EditDrawer, type EditedForm } from '../parts/edit-drawer.tsx'
import { useSaved } from '../saved.ts'
import { ProviderForm } from './provider-form.tsx'

interface ProviderDrawerProps {
  /** `new`, or undefined: nothing is open. */
  id: string | undefined
  kinds: readonly IdentityProviderKind[]
  onClose: () => void
  onAdded: (id: string) => void
}

export function ProviderDrawer({ id, kinds, onClose, onAdded }: ProviderDrawerProps) {
  const t = useT()
  return (
    <EditDrawer
      edited={id}
      onClose={onClose}
      titles={{ add: t('Add identity provider'), edit: t('Identity provider') }}
      adding={({ onDirty }) => (
        <ProviderForm
          kinds={kinds}
          onDirty={onDirty}
          onCancel={onClose}
          onSaved={(added) => {
            onDirty(false)
            onAdded(added.id)
          }}
        />
      )}
      changing={(id, form) => <ExistingProvider key={id} id={id} kinds={kinds} {...form} />}
    />
  )
}

interface ExistingProviderProps extends EditedForm {
  id: string
  kinds: readonly IdentityProviderKind[]
}

function ExistingProvider({ id, kinds, onDirty, onSaved }: ExistingProviderProps) {
  const found = useSaved('GET /api/v1/identity-providers/{id}', { params: { id } })
  return (
    <Asked question={found} lines={8}>
      {({ body, etag }) => (
        <ProviderForm
          provider={body}
          etag={etag}
          kinds={kinds}
          onDirty={onDirty}
          onCancel={onSaved}
          onSaved={onSaved}
        />
      )}
    </Asked>
  )
}
