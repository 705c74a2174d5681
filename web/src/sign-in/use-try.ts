import { useMutation } from '@tanstack/react-query'
import { type Answer, connect, type Given } from '../../../src/client/client.ts'
import { type AppError, asAppError } from '../../../src/shared/errors.ts'
import type { AnswerOf, Changing } from '../api.ts'
import { basePath } from '../base-path.ts'
import type { Operations } from '../../../src/client/api.ts'

const once = connect({ url: location.origin + basePath, tries: 1 })

interface TryOptions<O extends Changing> {
  onSuccess?: (answer: Answer<AnswerOf<O>>) => unknown
  changesNothing?: boolean
}

/**
 * Like `useChange`, for what the app slows down when it is tried too often: nothing is sent again by itself, so that
 * whoever tries is told at once when the next try may come.
 */
export function useTry<O extends Changing>(
  operation: O,
  { onSuccess, changesNothing = false }: TryOptions<O> = {},
) {
  return useMutation<Answer<AnswerOf<O>>, AppError, Given<O>[0]>({
    mutationFn: (given) => tryOnce(operation, ...([given] as unknown as Given<O>)),
    meta: { changesNothing },
    onSuccess,
  })
}

export async function tryOnce<O extends keyof Operations>(
  operation: O,
  ...given: Given<O>
): Promise<Answer<Operations[O]['answer']>> {
  try {
    return await once.ask(operation, ...given)
  } catch (error) {
    throw asAppError(error)
  }
}
