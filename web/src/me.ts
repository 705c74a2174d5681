import type { Ability } from '../../src/shared/abilities.ts'
import type { Me } from '../../src/shared/me.ts'
import { asking, queryClient, useAsk } from './api.ts'

export const askingMe = () => ({ ...asking('GET /api/v1/me'), staleTime: 60_000 })

/** Who has signed in. Only within the shell, which has asked before it shows anything. */
export function useMe(): Me {
  const { data } = useAsk('GET /api/v1/me')
  const me = data ?? queryClient.getQueryData(askingMe().queryKey)
  if (!me) throw new Error('Nobody has signed in.')
  return me
}

/** Whether who has signed in may do something: what one may not do is not offered. */
export function useMay(): (ability: Ability | 'administer-instance') => boolean {
  const { abilities, isInstanceAdministrator } = useMe()
  return (ability) =>
    ability === 'administer-instance' ? isInstanceAdministrator : abilities.includes(ability)
}
