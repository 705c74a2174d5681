import { availableParallelism, hostname } from 'node:os'
import { isOver, ownToken } from '../../lib/identity.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import { claimJob, isJobDue, reapJobs, renewLease, type Runner } from '../../store/queue.ts'
import type { AppContext } from '../context.ts'
import type { JobKind } from './job-kind.ts'
import { logRecordedEnd, type RunningJob, startJob, tellKinds, writeLog } from './run-job.ts'
import { cancelledAmong } from './store.ts'

export interface WorkerOptions {
  /** All that there are, to tell them of bad ends. */
  kinds: Readonly<Record<string, JobKind>>
  /** Of those, the names of what it takes; all if absent. */
  takes?: readonly string[]
  /** It shares no capacity with the other workers of this machine; which of its loops goes round is told apart. */
  lane?: 'delivery lane'
  /** How many jobs run on this machine at once; the number of its cores if absent. */
  concurrency?: number
  labels?: readonly string[]
  /** Hears, in one sentence, of what goes wrong outside of any job. */
  onTrouble?: (message: string) => void
  /** Milliseconds between looks at an empty queue. */
  pollEvery?: number
  /** Milliseconds for which a job goes on when it cannot be held: less than its lease. */
  patience?: number
}

export interface Worker extends AsyncDisposable {
  /**
   * Takes no more jobs, lets those that run go on for so many milliseconds, and then hands them back. Disposing does
   * so with no time at all.
   */
  stop(patience: number): Promise<void>
}

/** When a job was held last, and the progress that was stored with it. */
interface Held {
  /** When that was asked for: the lease has begun by the time of the answer. */
  renewedAt: number
  progress: RunningJob['progress']
}

/** The jobs that run here. */
type Running = Map<RunningJob, Held>

const POLL = 500
/** Cancelling must stop a tool within ten seconds. */
const BEAT = 2_000
const RENEW_EVERY = 10_000
/** A lease has 60 s: whoever could not renew it for so long must stop before another one begins. */
const PATIENCE = 50_000
/** How often it is looked at, whatever the store does meanwhile. */
const LOOK_EVERY = 1_000
const REAP_EVERY = 10_000
const TROUBLE_PAUSE = 5_000

let workers = 0

/** Takes jobs from the queue, one after another and some at once, until it is stopped. */
export function startWorker(context: AppContext, options: WorkerOptions): Worker {
  const { kinds, labels = [], lane, pollEvery = POLL, patience = PATIENCE, onTrouble = () => {} } = options
  const heartbeat = lane ?? 'worker'
  const capacity = options.concurrency ?? availableParallelism()
  const runner: Runner = {
    name: `${ownToken()}/${++workers}`,
    node: lane === undefined ? hostname() : `${hostname()}/${lane}`,
    capacity,
    kinds: options.takes ?? Object.keys(kinds),
    labels,
  }
  const running: Running = new Map()
  const stopping = new AbortController()
  let wake = () => {}

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const trouble = (error: unknown) => onTrouble(messageOf(error))

  const take = async (): Promise<boolean> => {
    if (running.size >= capacity || !(await isJobDue(context.store, runner.kinds))) return false
    const askedAt = performance.now()
    const claimed = await claimJob(context.store, runner)
    if (!claimed) return false
    const job = startJob(context, kinds, claimed, trouble)
    running.set(job, { renewedAt: askedAt, progress: undefined })
    void job.over.then(() => {
      running.delete(job)
      wake()
    })
    return true
  }
  const takeAll = async () => {
    while (!stopping.signal.aborted) {
      try {
        if (!(await take())) await pause(pollEvery)
      } catch (error) {
        trouble(error)
        await pause(TROUBLE_PAUSE)
      }
    }
  }

  const beat = async () => {
    const cancelled = new Set(
      await cancelledAmong(
        context.store.db,
        [...running.keys()].map(({ claimed }) => claimed.id),
      ),
    )
    for (const job of running.keys()) if (cancelled.has(job.claimed.id)) job.abort(cancellation())
    await Promise.all([...running].map(([job, held]) => hold(job, held)))
  }
  /** What goes wrong with one job keeps no other from being held. */
  const hold = async (job: RunningJob, held: Held) => {
    const { progress } = job
    const askedAt = performance.now()
    const isDue = askedAt - held.renewedAt >= RENEW_EVERY - BEAT
    if (!isDue && progress === held.progress) return
    try {
      const { cancel } = await renewLease(context.store, job.claimed, {
        progress: progress && timed(progress),
      })
      held.renewedAt = askedAt
      held.progress = progress
      if (cancel) job.abort(cancellation())
      await writeLog(context, job)
    } catch (error) {
      if (error instanceof AppError && error.code === 'lease_lost') job.abort(error)
      else trouble(error)
    }
  }
  /** One that cannot be held any longer must be over before another runner begins it: also while a query hangs. */
  const giveUpLost = () => {
    for (const [job, { renewedAt }] of running) {
      if (performance.now() - renewedAt > patience) job.abort(lost('The store could not be reached in time.'))
    }
  }
  const beatOn = async () => {
    let reapedAt = -REAP_EVERY
    while (!stopping.signal.aborted || running.size > 0) {
      context.heartbeats.set(heartbeat, performance.now())
      try {
        await beat()
        if (performance.now() - reapedAt >= REAP_EVERY) {
          reapedAt = performance.now()
          await reap(context, kinds)
        }
      } catch (error) {
        trouble(error)
      }
      await Promise.race([sleep(BEAT), stopping.signal.aborted ? settled(running) : stopped])
    }
  }
  const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<void>()

  const looking = setInterval(giveUpLost, Math.min(LOOK_EVERY, patience))
  const loops = Promise.all([takeAll(), beatOn()]).finally(() => clearInterval(looking))
  const stop = async (patience: number) => {
    stopping.abort()
    wake()
    tellStopped()
    if (running.size > 0 && patience > 0) await Promise.race([settled(running), sleep(patience)])
    for (const job of running.keys()) job.abort(interruption())
    await loops
    context.heartbeats.delete(heartbeat)
  }
  return { stop, [Symbol.asyncDispose]: () => stop(0) }
}

/** Takes jobs from runners that are gone, and tells their kinds of those that have ended with it. */
export async function reap(context: AppContext, kinds: Readonly<Record<string, JobKind>>): Promise<string[]> {
  return await reapJobs(context.store, {
    isGone: (runner) => isOver(runner.split('/')[0] ?? '') === true,
    onBadEnd: tellKinds(context, kinds),
    onRecordedEnd: logRecordedEnd,
  })
}

/** When it was last heard of, so that a rate can be told. */
function timed(progress: object): object {
  return { ...progress, at: new Date().toISOString() }
}

function settled(running: Running): Promise<unknown> {
  return Promise.all([...running.keys()].map(({ over }) => over))
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}

function cancellation(): AppError {
  return new AppError('cancelled', 'The job was cancelled.')
}

function interruption(): AppError {
  return new AppError('job_interrupted', 'The app was stopped while the job ran.', {
    hint: 'Start it again, unless it says that it is tried again by itself.',
  })
}

function lost(sentence: string): AppError {
  return new AppError('lease_lost', sentence)
}
