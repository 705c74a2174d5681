import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { IdentityProviderKind } from '../../../src/client/api.ts'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import type { IdentityProvider } from '../../../src/shared/identity-providers.ts'
import { client } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
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
  const [isDirty, setDirty] = useState(false)
  const close = () => {
    setDirty(false)
    onClose()
  }
  return (
    <FormDrawer
      isOpen={id !== undefined}
      onClose={close}
      title={id === 'new' ? t('Add identity provider') : t('Identity provider')}
      isDirty={isDirty}
    >
      {id === 'new' && (
        <ProviderForm
          kinds={kinds}
          onDirty={setDirty}
          onCancel={close}
          onSaved={(added) => {
            setDirty(false)
            onAdded(added.id)
          }}
        />
      )}
      {id !== undefined && id !== 'new' && (
        <ExistingProvider key={id} id={id} kinds={kinds} onDirty={setDirty} onDone={close} />
      )}
    </FormDrawer>
  )
}

interface ExistingProviderProps {
  id: string
  kinds: readonly IdentityProviderKind[]
  onDirty: (isDirty: boolean) => void
  onDone: () => void
}

function ExistingProvider({ id, kinds, onDirty, onDone }: ExistingProviderProps) {
  const found = useQuery<{ provider: IdentityProvider; etag: string | undefined }, AppError>({
    queryKey: ['GET /api/v1/identity-providers/{id}', id],
    queryFn: async ({ signal }) => {
      try {
        const { body, etag } = await client.ask('GET /api/v1/identity-providers/{id}', {
          params: { id },
          signal,
        })
        return { provider: body, etag }
      } catch (error) {
        throw asAppError(error)
      }
    },
    staleTime: Infinity,
    gcTime: 0,
  })
  return (
    <Asked question={found} lines={8}>
      {({ provider, etag }) => (
        <ProviderForm
          provider={provider}
          etag={etag}
          kinds={kinds}
          onDirty={onDirty}
          onCancel={onDone}
          onSaved={onDone}
        />
      )}
    </Asked>
  )
}
