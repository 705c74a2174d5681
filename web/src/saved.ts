import { useQuery } from '@tanstack/react-query'
import type { Answer, Given } from '../../src/client/client.ts'
import { type AppError, asAppError } from '../../src/shared/errors.ts'
import { type AnswerOf, client, type Reading } from './api.ts'

/** What a form begins with, and the etag that its changes are sent with. */
export type Saved<O extends Reading> = Answer<AnswerOf<O>>

/**
 * What is to be changed in a form, asked for when the form is opened. The form keeps the first answer: what others have
 * changed since is then told by the app instead of being overwritten.
 */
export function useSaved<O extends Reading>(operation: O, ...given: Given<O>) {
  return useQuery<Saved<O>, AppError>({
    queryKey: [operation, 'saved', ...given],
    gcTime: 0,
    queryFn: async ({ signal }) => {
      try {
        return await client.ask(operation, ...([{ ...given[0], signal }] as unknown as Given<O>))
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') throw error
        throw asAppError(error)
      }
    },
  })
}
