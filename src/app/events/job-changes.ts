import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from '../../shared/jobs.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { showJobs } from '../jobs/jobs.ts'
import { type ChangedJob, listChangedJobs } from './store.ts'

/** A job that has changed, as it is now. */
export interface JobChange {
  organizationId: string
  /** When it changed, by the store's clock. */
  at: number
  job: Job
}

/** Looks for changes of jobs, once for all who listen on this node, and only while anybody does. */
export interface JobWatch {
  /** Hears of every change from now on; some may come twice. Returns what ends that. */
  listen(organizationId: string, listener: (changes: JobChange[]) => void): Promise<() => void>
  /** Every change before this time, by the store's clock, has been told. */
  readonly position: number
}

export interface WatchOptions {
  /** Milliseconds between two looks. */
  pollEvery?: number
  onTrouble?: (error: unknown) => void
}

const POLL = 500
/** A change is seen when its transaction ends, which may be so long after the time that it bears. */
const OVERLAP = 2_000
const PAGE = 200

export function watchJobs(context: AppContext, options: WatchOptions = {}): JobWatch {
  const { pollEvery = POLL, onTrouble = () => {} } = options
  const listeners = new Map<symbol, { organizationId: string; listener: (changes: JobChange[]) => void }>()
  /** What was told of the jobs that the next look will find again. */
  const told = new Map<string, { at: number; text: string }>()
  let position = 0
  let looking: { begun: Promise<void>; stop: AbortController } | undefined

  const look = async () => {
    const now = await nowOf(context.store)
    const organizations = [...new Set([...listeners.values()].map(({ organizationId }) => organizationId))]
    if (organizations.length === 0) return
    for await (const changes of changesSince(context, organizations, position)) {
      const fresh = changes.filter(({ at, job }) => {
        const text = JSON.stringify(job)
        if (told.get(job.id)?.text === text) return false
        told.set(job.id, { at, text })
        return true
      })
      for (const { organizationId, listener } of listeners.values()) {
        const theirs = fresh.filter((change) => change.organizationId === organizationId)
        if (theirs.length > 0) listener(theirs)
      }
    }
    position = now
    for (const [id, { at }] of told) if (at < position - OVERLAP) told.delete(id)
  }
  const goOn = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      try {
        await sleep(pollEvery, undefined, { signal, ref: false })
        await look()
      } catch (error) {
        if (!signal.aborted) onTrouble(error)
      }
    }
  }
  const begin = () => {
    const stop = new AbortController()
    const begun = nowOf(context.store).then((now) => {
      position = now
      void goOn(stop.signal)
    })
    return { begun, stop }
  }
  const end = () => {
    looking?.stop.abort()
    looking = undefined
    told.clear()
  }

  return {
    get position() {
      return position
    },
    async listen(organizationId, listener) {
      const key = Symbol('listener')
      listeners.set(key, { organizationId, listener })
      const stop = () => {
        listeners.delete(key)
        if (listeners.size === 0) end()
      }
      try {
        looking ??= begin()
        await looking.begun
        return stop
      } catch (error) {
        stop()
        throw error
      }
    },
  }
}

/** What has changed since then, page by page, the latest last; some of what changed just before comes again. */
export async function* changesSince(
  context: AppContext,
  organizationIds: readonly string[],
  since: number,
): AsyncGenerator<JobChange[], void> {
  let after: ChangedJob | undefined
  do {
    const changed = await listChangedJobs(context.store, organizationIds, {
      since: since - OVERLAP,
      after,
      limit: PAGE,
    })
    yield await present(context, changed)
    after = changed.length < PAGE ? undefined : changed.at(-1)
  } while (after)
}

async function present(context: AppContext, changed: ChangedJob[]): Promise<JobChange[]> {
  const jobs = new Map<string, Job>()
  for (const [organizationId, theirs] of Map.groupBy(changed, (change) => change.organizationId)) {
    const ids = theirs.map(({ id }) => id)
    for (const job of await showJobs(context, organizationId, ids)) jobs.set(job.id, job)
  }
  return changed.flatMap(({ id, organizationId, updatedAt }) => {
    const job = jobs.get(id)
    return job ? [{ organizationId, at: updatedAt, job }] : []
  })
}
