import { useMutation } from '@tanstack/react-query'
import { asAppError, type AppError } from '../../../src/shared/errors.ts'
import { client, queryClient } from '../api.ts'

interface LockOrder {
  ids: readonly string[]
  locked: boolean | string
}

/** Locks snapshots, or unlocks them, one after the other; what was done before one fails stays done. */
export function useChangeLocks(onDone: (count: number) => void) {
  return useMutation<number, AppError, LockOrder>({
    mutationFn: async ({ ids, locked }) => {
      try {
        for (const id of ids) {
          await client.ask('PATCH /api/v1/snapshots/{id}', { params: { id }, body: { locked } })
        }
      } catch (error) {
        throw asAppError(error)
      }
      return ids.length
    },
    onSuccess: onDone,
    onError: () => void queryClient.invalidateQueries(),
  })
}
