import { useNavigate } from '@tanstack/react-router'
import { queryClient } from '../api.ts'
import { askingMe } from '../me.ts'

/** Begins anew in the organization that one is in now: the one that was shown is gone. */
export function useReload(): () => Promise<void> {
  const navigate = useNavigate()
  return async () => {
    queryClient.clear()
    await queryClient.fetchQuery(askingMe())
    await navigate({ to: '/' })
  }
}
