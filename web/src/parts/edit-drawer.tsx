import { type ReactNode, useState } from 'react'
import { FormDrawer } from './form-drawer.tsx'

/** What the form in the drawer tells. */
export interface EditedForm {
  onDirty: (isDirty?: boolean) => void
  onSaved: () => void
}

interface EditDrawerProps {
  /** `new`, the id of what is changed, or undefined: nothing is open. As it stands in the address. */
  edited: string | undefined
  onClose: () => void
  titles: { add: string; edit: string }
  adding: (form: EditedForm) => ReactNode
  changing: (id: string, form: EditedForm) => ReactNode
}

/** Adds something to the list beside which it opens, or changes one of it. It asks before it closes over changes. */
export function EditDrawer({ edited, onClose, titles, adding, changing }: EditDrawerProps) {
  const [isDirty, setDirty] = useState(false)
  const close = () => {
    setDirty(false)
    onClose()
  }
  const form: EditedForm = { onDirty: (isDirty = true) => setDirty(isDirty), onSaved: close }
  return (
    <FormDrawer
      isOpen={edited !== undefined}
      onClose={close}
      title={edited === 'new' ? titles.add : titles.edit}
      isDirty={isDirty}
    >
      {edited === 'new' && adding(form)}
      {edited !== undefined && edited !== 'new' && changing(edited, form)}
    </FormDrawer>
  )
}
