import { useState } from 'react'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { useSaved } from '../saved.ts'
import { HookForm } from './hook-form.tsx'

/** Adds a hook (`new`), or changes the one with that id. */
export function HookDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
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
      title={edited === 'new' ? t('Add hook') : t('Edit hook')}
      isDirty={isDirty}
    >
      {edited === 'new' && <NewHook onDirty={() => setDirty(true)} onSaved={close} />}
      {edited !== undefined && edited !== 'new' && (
        <EditedHook id={edited} onDirty={() => setDirty(true)} onSaved={close} />
      )}
    </FormDrawer>
  )
}

interface FormProps {
  onDirty: () => void
  onSaved: () => void
}

function NewHook(props: FormProps) {
  const kinds = useAsk('GET /api/v1/hook-kinds')
  return <Asked question={kinds}>{({ items }) => <HookForm kinds={items} {...props} />}</Asked>
}

function EditedHook({ id, ...props }: FormProps & { id: string }) {
  const kinds = useAsk('GET /api/v1/hook-kinds')
  const saved = useSaved('GET /api/v1/hooks/{id}', { params: { id } })
  return (
    <Asked question={kinds}>
      {({ items }) => (
        <Asked question={saved}>
          {({ body, etag }) => <HookForm key={id} kinds={items} saved={{ hook: body, etag }} {...props} />}
        </Asked>
      )}
    </Asked>
  )
}
