import { availableParallelism, hostname } from 'node:os'
import { isOver, ownToken } from '../../lib/identity.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import { claimJob, isJobDue, reapJobs, renewLease, type Runner } from '../../store/queue.ts'
import type { AppContext } from '../context.ts'
import type { JobKind } from './job-kind.ts'
import { type RunningJob, startJob, tellOfFailure, writeLog } from './run-job.ts'
import { cancelledAmong } from './store.ts'

export interface WorkerOptions {
  kinds: Readonly<Record<string, JobKind>>
  /** How many jobs run on this machine at once; the number of its cores if absent. */
  concurrency?: number
  labels?: readonly string[]
  /** Hears, in one sentence, of what goes wrong outside of any job. */
  onTrouble?: (message: string) => void
  /** Milliseconds between looks at an empty queue. */
  pollEvery?: number
}

export interface Worker extends AsyncDisposable {
  /**
   * Takes no more jobs, lets those that run go on for so many milliseconds, and then hands them back. Disposing does
   * so with no time at all.
   */
  stop(patience: number): Promise<void>
}

/** The jobs that run here; when each was held last, and the progress that was stored with it. */
type Running = Map<RunningJob, { renewedAt: number; progress: RunningJob['progress'] }>

const POLL = 500
/** Cancelling must stop a tool within ten seconds. */
const BEAT = 2_000
const RENEW_EVERY = 10_000
/** A lease has 60 s: whoever could not renew it for so long must stop before another one begins. */
const LEASE_ENDS = 50_000
const REAP_EVERY = 10_000
const TROUBLE_PAUSE = 5_000

let workers = 0

/** Takes jobs from the queue, one after another and some at once, until it is stopped. */
export function startWorker(context: AppContext, options: WorkerOptions): Worker {
  const { kinds, labels = [], pollEvery = POLL, onTrouble = () => {} } = options
  const capacity = options.concurrency ?? availableParallelism()
  const runner: Runner = {
    name: `${ownToken()}/${++workers}`,
    node: hostname(),
    capacity,
    kinds: Object.keys(kinds),
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
    const claimed = await claimJob(context.store, runner)
    if (!claimed) return false
    const job = startJob(context, kinds, claimed, trouble)
    running.set(job, { renewedAt: performance.now(), progress: undefined })
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
        context.store,
        [...running.keys()].map(({ claimed }) => claimed.id),
      ),
    )
    for (const [job, held] of running) {
      if (cancelled.has(job.claimed.id)) job.abort(cancellation())
      const isDue = performance.now() - held.renewedAt >= RENEW_EVERY - BEAT
      const { progress } = job
      if (!isDue && progress === held.progress) continue
      const { cancel } = await renewLease(context.store, job.claimed, {
        progress: progress && timed(progress),
      })
      held.renewedAt = performance.now()
      held.progress = progress
      if (cancel) job.abort(cancellation())
      await writeLog(context, job)
    }
  }
  /** One that cannot be held any longer must be over before another runner begins it. */
  const giveUpLost = () => {
    for (const [job, { renewedAt }] of running) {
      if (performance.now() - renewedAt > LEASE_ENDS)
        job.abort(lost('The store could not be reached in time.'))
    }
  }
  const beatOn = async () => {
    let reapedAt = -REAP_EVERY
    while (!stopping.signal.aborted || running.size > 0) {
      context.heartbeats.set('worker', performance.now())
      try {
        await beat()
        if (performance.now() - reapedAt >= REAP_EVERY) {
          reapedAt = performance.now()
          await reap(context, kinds)
        }
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'lease_lost') trouble(error)
        else await findLost(context, running)
      }
      giveUpLost()
      await Promise.race([sleep(BEAT), stopping.signal.aborted ? settled(running) : stopped])
    }
  }
  const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<void>()

  const loops = Promise.all([takeAll(), beatOn()])
  const stop = async (patience: number) => {
    stopping.abort()
    wake()
    tellStopped()
    if (running.size > 0 && patience > 0) await Promise.race([settled(running), sleep(patience)])
    for (const job of running.keys()) job.abort(interruption())
    await loops
    context.heartbeats.delete('worker')
  }
  return { stop, [Symbol.asyncDispose]: () => stop(0) }
}

/** Takes jobs from runners that are gone, and tells their kinds of those that have failed with it. */
export async function reap(context: AppContext, kinds: Readonly<Record<string, JobKind>>): Promise<string[]> {
  return await reapJobs(context.store, {
    isGone: (runner) => isOver(runner.split('/')[0] ?? '') === true,
    onFailed: async (trx, job, error) => {
      const kind = kinds[job.kind]
      if (kind) await tellOfFailure(context, kind, trx, job, error)
    },
  })
}

/** Which of several jobs is not ours any more. */
async function findLost(context: AppContext, running: Running): Promise<void> {
  for (const [job, held] of running) {
    try {
      await renewLease(context.store, job.claimed)
      held.renewedAt = performance.now()
    } catch (error) {
      if (error instanceof AppError && error.code === 'lease_lost') job.abort(error)
    }
  }
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
