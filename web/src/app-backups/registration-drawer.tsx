import { useState } from 'react'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { useSaved } from '../saved.ts'
import { RegistrationForm } from './registration-form.tsx'

/** Adds a registration (`new`), or changes the one with that id. */
export function RegistrationDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
  const t = useT()
  const [isDirty, setDirty] = useState(false)
  const close = () => {
    setDirty(false)
    onClose()
  }
  return (
    <FormDrawer
      isOpen={edited !== undefined}
      onClose={close}
      title={edited === 'new' ? t('New DB backup') : t('Edit DB backup')}
      isDirty={isDirty}
    >
      {edited === 'new' && <NewRegistration onDirty={() => setDirty(true)} onSaved={close} />}
      {edited !== undefined && edited !== 'new' && (
        <EditedRegistration id={edited} onDirty={() => setDirty(true)} onSaved={close} />
      )}
    </FormDrawer>
  )
}

interface FormProps {
  onDirty: () => void
  onSaved: () => void
}

function NewRegistration(props: FormProps) {
  const kinds = useAsk('GET /api/v1/volume-kinds')
  return <Asked question={kinds}>{({ items }) => <RegistrationForm kinds={items} {...props} />}</Asked>
}

function EditedRegistration({ id, ...props }: FormProps & { id: string }) {
  const kinds = useAsk('GET /api/v1/volume-kinds')
  const saved = useSaved('GET /api/v1/app-backup-registrations/{id}', { params: { id } })
  return (
    <Asked question={kinds}>
      {({ items }) => (
        <Asked question={saved}>
          {({ body, etag }) => (
            <RegistrationForm key={id} kinds={items} saved={{ registration: body, etag }} {...props} />
          )}
        </Asked>
      )}
    </Asked>
  )
}
