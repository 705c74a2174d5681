import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { EditDrawer, type EditedForm } from '../parts/edit-drawer.tsx'
import { useSaved } from '../saved.ts'
import { RuleForm } from './rule-form.tsx'

/** Adds a rule (`new`), or changes the one with that id. */
export function RuleDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
  const t = useT()
  return (
    <EditDrawer
      edited={edited}
      onClose={onClose}
      titles={{ add: t('Add rule'), edit: t('Edit rule') }}
      adding={(form) => <NewRule {...form} />}
      changing={(id, form) => <EditedRule id={id} {...form} />}
    />
  )
}

function NewRule(props: EditedForm) {
  const events = useAsk('GET /api/v1/notification-events')
  return <Asked question={events}>{({ items }) => <RuleForm events={items} {...props} />}</Asked>
}

function EditedRule({ id, ...props }: EditedForm & { id: string }) {
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
