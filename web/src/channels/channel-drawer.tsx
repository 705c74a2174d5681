import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { EditDrawer, type EditedForm } from '../parts/edit-drawer.tsx'
import { useSaved } from '../saved.ts'
import { ChannelForm } from './channel-form.tsx'

/** Adds a channel (`new`), or changes the one with that id. */
export function ChannelDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
  const t = useT()
  return (
    <EditDrawer
      edited={edited}
      onClose={onClose}
      titles={{ add: t('Add channel'), edit: t('Edit channel') }}
      adding={(form) => <NewChannel {...form} />}
      changing={(id, form) => <EditedChannel id={id} {...form} />}
    />
  )
}

function NewChannel(props: EditedForm) {
  const kinds = useAsk('GET /api/v1/channel-kinds')
  return <Asked question={kinds}>{({ items }) => <ChannelForm kinds={items} {...props} />}</Asked>
}

function EditedChannel({ id, ...props }: EditedForm & { id: string }) {
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
