import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { EditDrawer, type EditedForm } from '../parts/edit-drawer.tsx'
import { useSaved } from '../saved.ts'
import { HookForm } from './hook-form.tsx'

/** Adds a hook (`new`), or changes the one with that id. */
export function HookDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
  const t = useT()
  return (
    <EditDrawer
      edited={edited}
      onClose={onClose}
      titles={{ add: t('Add hook'), edit: t('Edit hook') }}
      adding={(form) => <NewHook {...form} />}
      changing={(id, form) => <EditedHook id={id} {...form} />}
    />
  )
}

function NewHook(props: EditedForm) {
  const kinds = useAsk('GET /api/v1/hook-kinds')
  return <Asked question={kinds}>{({ items }) => <HookForm kinds={items} {...props} />}</Asked>
}

function EditedHook({ id, ...props }: EditedForm & { id: string }) {
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
