import {
  MutationCache,
  type Query,
  QueryClient,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  type UseQueryOptions,
} from '@tanstack/react-query'
import { useCallback, useRef } from 'react'
import type { Operations } from '../../src/client/api.ts'
import {
  type Answer,
  connect,
  type Given,
  type Item,
  itemsOf,
  type ListOperation,
} from '../../src/client/client.ts'
import { type AppError, asAppError } from '../../src/shared/errors.ts'
import { basePath } from './base-path.ts'

/*
 * How pages ask the API: by the operations of its own description, `useAsk('GET /api/v1/servers/{id}', { params: { id } })`.
 */

/** A browser that waits shows an error soon, with a way to try again. */
export const client = connect({ url: location.origin + basePath, tries: 2 })

export type Reading = Extract<keyof Operations, `GET ${string}`>
export type Changing = Exclude<keyof Operations, Reading>
export type AnswerOf<O extends keyof Operations> = Operations[O]['answer']

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // The client has tried again already, where that can help.
      retry: false,
      throwOnError: false,
    },
    // What was sent may have had a secret in it.
    mutations: { gcTime: 0 },
  },
  mutationCache: new MutationCache({
    // What was changed here may show anywhere: what is on the screen is asked for anew, the rest when it is looked at.
    // But not before a page that leads elsewhere has done so: what was deleted must not be asked for.
    onSettled: (_data, error, _variables, _context, mutation) => {
      if (!error && mutation.meta?.['changesNothing'] !== true) void renew()
    },
  }),
})

/**
 * Asks anew for what is on the screen, and for the rest when it is looked at. A first answer that is still on its way may be
 * one of before the change, and invalidating alone would wait for it: so it is asked for again, too.
 */
export async function renew(predicate: (query: Query) => boolean = () => true): Promise<void> {
  await queryClient.cancelQueries({
    predicate: (query) => query.isActive() && query.state.data === undefined && predicate(query),
  })
  await queryClient.invalidateQueries({ predicate })
}

/** The key of a question in the cache: the operation first, so that live events find it. */
export function keyOf<O extends Reading>(operation: O, ...given: Given<O>) {
  return [operation, ...given] as const
}

/** For `useQuery`, `prefetchQuery` and `ensureQueryData`. */
export function asking<O extends Reading>(operation: O, ...given: Given<O>) {
  return queryOptions<AnswerOf<O>, AppError>({
    queryKey: keyOf(operation, ...given),
    queryFn: async ({ signal }) => {
      const answer = await ask(operation, ...([{ ...given[0], signal }] as unknown as Given<O>))
      return answer.body
    },
  })
}

/** What the API answers, kept fresh. */
export function useAsk<O extends Reading>(operation: O, ...given: Given<O>) {
  return useQuery(asking(operation, ...given))
}

/** All items of a list, however many pages it has. For lists that people make by hand: servers, volumes, schedules … */
export function useAll<O extends ListOperation & Reading>(operation: O, ...given: Given<O>) {
  return useQuery(askingAll(operation, ...given))
}

export function askingAll<O extends ListOperation & Reading>(operation: O, ...given: Given<O>) {
  return queryOptions<Item<O>[], AppError>({
    queryKey: [operation, 'all', ...given],
    queryFn: async ({ signal }) => {
      const items: Item<O>[] = []
      for await (const item of itemsOf(
        client,
        operation,
        ...([{ ...given[0], signal }] as unknown as Given<O>),
      )) {
        items.push(item)
      }
      return items
    },
  })
}

/**
 * What somebody must know before something is lost, asked anew each time the question is put. Only on what is sure one may
 * decide: an answer of before, while it is asked for again or if that has failed, is none.
 */
export function useSure<Data>(question: UseQueryOptions<Data, AppError>, isOpen: boolean) {
  const found = useQuery({ ...question, enabled: isOpen, staleTime: 0 })
  return { ...found, isSure: found.isSuccess && !found.isFetching }
}

/** A list that is read page by page, as far as somebody looks: jobs, snapshots, the audit log. */
export function useListed<O extends ListOperation & Reading>(
  operation: O,
  query: Record<string, unknown> = {},
) {
  const found = useInfiniteQuery({
    queryKey: [operation, 'pages', query],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const given = { query: { ...query, ...(pageParam !== undefined && { cursor: pageParam }) }, signal }
      const { body } = await client.ask(operation, ...([given] as unknown as Given<O>))
      return body as AnswerOf<O> & { items: Item<O>[]; nextCursor: string | null }
    },
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
  })
  return {
    ...found,
    error: found.error ? asAppError(found.error) : null,
    items: found.data?.pages.flatMap(({ items }) => items),
  }
}

interface ChangeOptions<O extends Changing> {
  onSuccess?: (answer: Answer<AnswerOf<O>>) => unknown
  /** A test or a preview: nothing needs to be asked for anew. */
  changesNothing?: boolean
}

/** Something that changes, or tests: `const add = useChange('POST /api/v1/servers'); add.mutate({ body })`. */
export function useChange<O extends Changing>(
  operation: O,
  { onSuccess, changesNothing = false }: ChangeOptions<O> = {},
) {
  const isRunning = useRef(false)
  const change = useMutation<Answer<AnswerOf<O>>, AppError, Given<O>[0]>({
    mutationFn: (given) => ask(operation, ...([given] as unknown as Given<O>)),
    meta: { changesNothing },
    onSuccess,
    onSettled: () => {
      isRunning.current = false
    },
  })
  const start = change.mutate
  // The second half of a double click comes before the page shows that it waits.
  const mutate: typeof start = useCallback(
    (...given) => {
      if (isRunning.current) return
      isRunning.current = true
      start(...given)
    },
    [start],
  )
  return { ...change, mutate }
}

async function ask<O extends keyof Operations>(
  operation: O,
  ...given: Given<O>
): Promise<Answer<AnswerOf<O>>> {
  try {
    return await client.ask(operation, ...given)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw asAppError(error)
  }
}

/** What the app says of a field of the form: its last part decides, `connection.host` → `host`. */
export function fieldErrors(error: AppError | null | undefined, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    (error?.fields ?? [])
      .filter(({ field }) => field.startsWith(prefix))
      .map(({ field, message }) => [field.slice(prefix.length), message]),
  )
}
