import { useState } from 'react'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { useSaved } from '../saved.ts'
import { RuleForm } from './rule-form.tsx'

/** Adds a rule (`new`), or changes the one with that id. */
export function RuleDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
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
      title={edited === 'new' ? t('Add rule') : t('Edit rule')}
      isDirty={isDirty}
    >
      {edited === 'new' && <NewRule onDirty={() => setDirty(true)} onSaved={close} />}
      {edited !== undefined && edited !== 'new' && (
        <EditedRule id={edited} onDirty={() => setDirty(true)} onSaved={close} />
      )}
    </FormDrawer>
  )
}

interface FormProps {
  onDirty: () => void
  onSaved: () => void
}

function NewRule(props: FormProps) {
  const events = useAsk('GET /api/v1/notification-events')
  return <Asked question={events}>{({ items }) => <RuleForm events={items} {...props} />}</Asked>
}

function EditedRule({ id, ...props }: FormProps & { id: string }) {
  const events = useAsk('GET /api/v1/notification-events')
  const saved = useSaved('GET /api/v1/notification-rules/{id}', { params: { id } })
  return (
    <Asked question={events}>
      {({ items }) => (
        <Asked question={saved}>
          {({ body, etag }) => <RuleForm key={id} events={items} saved={{ rule: body, etag }} {...props} />}
        </Asked>
      )}
    </Asked>
  )
}
