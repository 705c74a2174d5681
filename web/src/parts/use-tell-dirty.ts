import { useLayoutEffect } from 'react'

/**
 * Tells the drawer around a form whether it has changes that are not saved: before the browser goes on, so that not even
 * a key pressed right after the last one closes it unasked.
 */
export function useTellDirty(isDirty: boolean, onDirty: (isDirty: boolean) => void): void {
  useLayoutEffect(() => onDirty(isDirty), [isDirty, onDirty])
}
