import { useState } from 'react'
import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDrawer } from '../parts/form-drawer.tsx'
import { useSaved } from '../saved.ts'
import { ChannelForm } from './channel-form.tsx'

/** Adds a channel (`new`), or changes the one with that id. */
export function ChannelDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
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
      title={edited === 'new' ? t('Add channel') : t('Edit channel')}
      isDirty={isDirty}
    >
      {edited === 'new' && <NewChannel onDirty={() => setDirty(true)} onSaved={close} />}
      {edited !== undefined && edited !== 'new' && (
        <EditedChannel id={edited} onDirty={() => setDirty(true)} onSaved={close} />
      )}
    </FormDrawer>
  )
}

interface FormProps {
  onDirty: () => void
  onSaved: () => void
}

function NewChannel(props: FormProps) {
  const kinds = useAsk('GET /api/v1/channel-kinds')
  return <Asked question={kinds}>{({ items }) => <ChannelForm kinds={items} {...props} />}</Asked>
}

function EditedChannel({ id, ...props }: FormProps & { id: string }) {
  const kinds = useAsk('GET /api/v1/channel-kinds')
  const saved = useSaved('GET /api/v1/channels/{id}', { params: { id } })
  return (
    <Asked question={kinds}>
      {({ items }) => (
        <Asked question={saved}>
          {({ body, etag }) => (
            <ChannelForm key={id} kinds={items} saved={{ channel: body, etag }} {...props} />
          )}
        </Asked>
      )}
    </Asked>
  )
}
