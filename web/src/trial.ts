import { keepPreviousData, queryOptions, skipToken, useQuery } from '@tanstack/react-query'
import { useDebouncedValue } from '@mantine/hooks'
import type { Given } from '../../src/client/client.ts'
import { type AppError, asAppError } from '../../src/shared/errors.ts'
import { type AnswerOf, type Changing, client } from './api.ts'

/** So long after the last key nothing is asked. */
const PAUSE = 300

/**
 * What something would mean that is not saved yet: a POST that changes nothing, asked again a moment after what is given
 * has changed. Until then the answer before it stays. Undefined asks nothing.
 */
export function useTrial<O extends Changing>(operation: O, given: Given<O>[0] | undefined) {
  const [settled] = useDebouncedValue(JSON.stringify(given), PAUSE)
  return useQuery({
    ...askingTrial(operation, settled === undefined ? undefined : (JSON.parse(settled) as Given<O>[0])),
    placeholderData: keepPreviousData,
  })
}

/** The same as a question for `useQueries`. */
export function askingTrial<O extends Changing>(operation: O, given: Given<O>[0] | undefined) {
  return queryOptions<AnswerOf<O>, AppError>({
    queryKey: [operation, given],
    queryFn:
      given === undefined
        ? skipToken
        : async ({ signal }) => {
            try {
              const { body } = await client.ask(operation, ...([{ ...given, signal }] as unknown as Given<O>))
              return body
            } catch (error) {
              if (error instanceof DOMException && error.name === 'AbortError') throw error
              throw asAppError(error)
            }
          },
  })
}
