import { useNavigate } from '@tanstack/react-router'
import { queryClient, useChange } from '../api.ts'
import { askingMe } from '../me.ts'

/** Works in another organization from now on. Nothing of the former one may stay on the screen. */
export function useSwitchOrganization() {
  const navigate = useNavigate()
  return useChange('POST /api/v1/me/organization', {
    changesNothing: true,
    onSuccess: async ({ body }) => {
      queryClient.clear()
      queryClient.setQueryData(askingMe().queryKey, body)
      await navigate({ to: '/' })
    },
  })
}
