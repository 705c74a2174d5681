import { useState } from 'react'

interface SavedBody<Body> {
  body: Body
  etag: string | undefined
}

/**
 * Changes to settings that are not saved yet: only what was changed is sent, with the etag of what was read. Null brings
 * back a default.
 */
export function useDraft<Body extends object>(saved: SavedBody<Body>) {
  const [base, setBase] = useState(saved)
  const [changes, setChanges] = useState<Partial<Record<keyof Body, unknown>>>({})
  return {
    base: base.body,
    changes,
    isDirty: Object.keys(changes).length > 0,
    ifMatch: base.etag === undefined ? {} : { ifMatch: base.etag },
    change(name: keyof Body, value: unknown) {
      const isAsSaved = JSON.stringify(value) === JSON.stringify(base.body[name])
      const { [name]: _, ...others } = changes as Record<keyof Body, unknown>
      setChanges((isAsSaved ? others : { ...others, [name]: value }) as Partial<Record<keyof Body, unknown>>)
    },
    discard: () => setChanges({}),
    /** Begins anew with what was just saved. */
    restart(answer: SavedBody<Body>) {
      setBase(answer)
      setChanges({})
    },
    /** The same changes to what is saved now. */
    rebase: setBase,
  }
}
