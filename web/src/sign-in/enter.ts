import { useNavigate } from '@tanstack/react-router'
import { queryClient } from '../api.ts'
import { forgetLinking } from './linking.ts'
import { ownPlace } from './own-place.ts'

/** Goes in, to where one wanted to go: nothing is left of who was signed in before. */
export function useEnter(): (path?: string) => Promise<void> {
  const navigate = useNavigate()
  return async (path) => {
    queryClient.clear()
    forgetLinking()
    const { to, search, hash } = ownPlace(path)
    await navigate({ to, search: search, hash, replace: true })
  }
}
