import { useAsk } from '../api.ts'
import { useT } from '../i18n/i18n.ts'
import { Asked } from '../parts/asked.tsx'
import { EditDrawer, type EditedForm } from '../parts/edit-drawer.tsx'
import { useSaved } from '../saved.ts'
import { RegistrationForm } from './registration-form.tsx'

/** Adds a registration (`new`), or changes the one with that id. */
export function RegistrationDrawer({ edited, onClose }: { edited: string | undefined; onClose: () => void }) {
  const t = useT()
  return (
    <EditDrawer
      edited={edited}
      onClose={onClose}
      titles={{ add: t('New DB backup'), edit: t('Edit DB backup') }}
      adding={(form) => <NewRegistration {...form} />}
      changing={(id, form) => <EditedRegistration id={id} {...form} />}
    />
  )
}

function NewRegistration(props: EditedForm) {
  const kinds = useAsk('GET /api/v1/volume-kinds')
  return <Asked question={kinds}>{({ items }) => <RegistrationForm kinds={items} {...props} />}</Asked>
}

function EditedRegistration({ id, ...props }: EditedForm & { id: string }) {
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
