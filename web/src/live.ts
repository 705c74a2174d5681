import { useSyncExternalStore } from 'react'
import { eventsOf } from '../../src/client/events.ts'
import { AppError } from '../../src/shared/errors.ts'
import { isOver } from '../../src/shared/job-states.ts'
import type { Job } from '../../src/shared/jobs.ts'
import { wait } from '../../src/client/client.ts'
import { client, keyOf, queryClient, renew } from './api.ts'
import { wayIn } from './way-in.ts'

/*
 * What happens in the app reaches the page by itself: each change of a job goes into what is on the screen, and when a job
 * has ended all that is shown is asked for anew, for it may have changed anything.
 */

type Connection = { isLive: boolean; since: number }

/** At most one renewal in so many milliseconds, however many jobs end. */
const RENEW_EVERY = 2_000
/** What is only counted, like the jobs that run, need not follow each byte. */
const COUNT_EVERY = 3_000
/** A connection that is made again at once is no news. */
const PATIENCE = 5_000

let connection: Connection = { isLive: true, since: Date.now() }
const listeners = new Set<() => void>()

/**
 * Follows the events of the app until the signal aborts, as long as somebody looks: a browser opens only six connections to
 * one host over HTTP/1.1, and tabs that nobody sees would keep all of them. Who comes back sees what has happened meanwhile.
 */
export async function followEvents(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await seen()
    using look = untilHidden()
    await follow(AbortSignal.any([signal, look.signal]))
    if (!look.signal.aborted) return // the app has refused, or said that no more will come
    await seen()
    void queryClient.invalidateQueries({ predicate: ({ queryKey }) => isReading(queryKey) })
  }
}

async function follow(signal: AbortSignal): Promise<void> {
  const renewSoon = throttled(
    // What was tried out for somebody, like a restore that is not begun, is not tried again by itself.
    () => renew(({ queryKey }) => isReading(queryKey)),
    RENEW_EVERY,
  )
  const count = throttled(
    () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: ['GET /api/v1/overview'] }),
        queryClient.invalidateQueries({ queryKey: ['GET /api/v1/jobs'] }),
      ]),
    COUNT_EVERY,
  )
  void checkConnection()
  const watch = setInterval(() => void checkConnection(), PATIENCE)
  signal.addEventListener('abort', () => clearInterval(watch), { once: true })
  try {
    for await (const { event, data } of eventsOf(client, '/api/v1/events', { signal })) {
      if (event !== 'job') continue
      const job = data as Job
      showJob(job)
      if (isOver(job.state)) renewSoon()
      else count()
    }
  } catch (error) {
    if (signal.aborted) return
    if (!(error instanceof AppError)) throw error
    // Refused, as when the session has ended: whatever is on the screen is told the same when it is asked for.
    if (wayIn(error) !== undefined) void queryClient.invalidateQueries()
    else setConnection(false)
  } finally {
    clearInterval(watch)
  }
}

/** Whether what is shown follows what happens, and since when that is so. */
export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => connection,
  )
}

function isReading([operation]: readonly unknown[]): boolean {
  return String(operation).startsWith('GET ')
}

/** Where the job is on the screen. */
function showJob(job: Job): void {
  queryClient.setQueryData(keyOf('GET /api/v1/jobs/{id}', { params: { id: job.id } }), job)
  queryClient.setQueriesData<{ pages: { items: Job[] }[] }>(
    { queryKey: ['GET /api/v1/jobs', 'pages'] },
    (list) =>
      list && {
        ...list,
        pages: list.pages.map((page) => ({
          ...page,
          items: page.items.map((shown) => (shown.id === job.id ? job : shown)),
        })),
      },
  )
}

/** The stream tries again by itself and says nothing of it; so the app is asked whether it is there. */
async function checkConnection(): Promise<void> {
  try {
    await client.send('GET', '/health/live')
    if (!connection.isLive) void queryClient.invalidateQueries()
    setConnection(true)
  } catch {
    setConnection(false) // which is what the page then says
  }
}

function setConnection(isLive: boolean): void {
  if (connection.isLive === isLive) return
  connection = { isLive, since: Date.now() }
  for (const listener of listeners) listener()
}

/** Once in so many milliseconds, however often it is wanted; in a tab that nobody looks at, once when somebody does. */
function throttled(act: () => Promise<unknown>, milliseconds: number): () => void {
  let isComing = false
  const actSoon = async () => {
    await wait(milliseconds, undefined)
    await seen()
    isComing = false
    await act()
  }
  return () => {
    if (isComing) return
    isComing = true
    void actSoon()
  }
}

/** Aborts when the page is not seen any more. */
function untilHidden(): { signal: AbortSignal } & Disposable {
  const hidden = new AbortController()
  const look = () => document.hidden && hidden.abort()
  document.addEventListener('visibilitychange', look)
  return {
    signal: hidden.signal,
    [Symbol.dispose]: () => document.removeEventListener('visibilitychange', look),
  }
}

/** Resolves when the page is seen. */
async function seen(): Promise<void> {
  if (!document.hidden) return
  await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
}
