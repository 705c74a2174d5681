import { useNavigate } from '@tanstack/react-router'
import type { Me } from '../../../src/shared/me.ts'
import { client, queryClient } from '../api.ts'
import { askingMe } from '../me.ts'

/** Begins anew in the organization that one is in now: the one that was shown is gone. */
export function useReload(): () => Promise<void> {
  const navigate = useNavigate()
  return async () => {
    const { body } = await client.ask('GET /api/v1/me')
    queryClient.clear()
    queryClient.setQueryData<Me>(askingMe().queryKey, body)
    await navigate({ to: '/' })
  }
}
