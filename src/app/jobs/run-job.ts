import type { JobProgress } from '../../runner/job.ts'
import { AppError, asAppError, type ErrorCode } from '../../shared/errors.ts'
import {
  type ClaimedJob,
  finishJob,
  handBackJob,
  type JobError,
  type OnBadEnd,
  type Outcome,
  setPayload,
} from '../../store/queue.ts'
import { mendJson, mendText } from '../broken-text.ts'
import type { AppContext } from '../context.ts'
import type { Finished, JobKind, Work } from './job-kind.ts'
import { JobLog } from './job-log.ts'
import { appendLog, cancelChildren, cancelledAmong } from './store.ts'

/** A claimed job while it runs here. */
export interface RunningJob {
  readonly claimed: ClaimedJob
  readonly log: JobLog
  /** What is to be stored with the next heartbeat. */
  progress: JobProgress | undefined
  /** Ends it: `cancelled`, `job_interrupted` when this process stops, `lease_lost`. */
  abort(reason: AppError): void
  /** Resolves when nothing of it runs any more, and its end is stored. Never rejects. */
  readonly over: Promise<void>
}

/** What another attempt cannot change. Everything else may have been a moment's trouble. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'authentication_failed',
  'permission_denied',
  'tls_failed',
  'tool_missing',
  'host_key_unknown',
  'host_key_changed',
  'database_corrupt',
  'configuration_invalid',
  'restore_mismatch',
])

/** Does a claimed job, and stores how it ended. `onError` hears of what cannot be stored. */
export function startJob(
  context: AppContext,
  kinds: Readonly<Record<string, JobKind>>,
  claimed: ClaimedJob,
  onError: (error: unknown) => void,
): RunningJob {
  const controller = new AbortController()
  const log = new JobLog()
  const job: { -readonly [K in keyof RunningJob]: RunningJob[K] } = {
    claimed,
    log,
    progress: undefined,
    abort: (reason) => controller.abort(reason),
    over: Promise.resolve(),
  }
  job.over = run(context, kinds, job, controller.signal, onError).catch(onError)
  return job
}

async function run(
  context: AppContext,
  kinds: Readonly<Record<string, JobKind>>,
  job: RunningJob,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  const { claimed, log } = job
  const kind = kinds[claimed.kind]
  const tell = tellKinds(context, kinds)
  let isFinished = false
  const end = async (outcome: Outcome, record?: Finished['record']) => {
    await writeLog(context, job).catch(onError) // tried again behind the end, which must not wait for it
    await context.store.db.transaction().execute(async (trx) => {
      // If the job is not ours any more, finishing it throws, and nothing of this has happened.
      await record?.(trx)
      const { result } = outcome
      const given = typeof result === 'function' ? (result as () => unknown)() : result
      const told = { ...outcome, result: mendJson(given) }
      const state = await finishJob(context.store, trx, claimed, told)
      // What is ordered at the very end must not go on if somebody wanted the whole to stop before.
      const isCancelled = record && (await cancelledAmong(trx, [claimed.id])).length > 0
      if (isCancelled) await cancelChildren(context.store, trx, claimed.id, tell)
      if (state !== outcome.state) return // it is tried again
      if (outcome.state === 'failed') await tell(trx, claimed, { state: 'failed', error: outcome.error })
      if (outcome.state === 'cancelled') await tell(trx, claimed, { state: 'cancelled' })
    })
    isFinished = true
  }
  const finish = ({ state = 'succeeded', result, record }: Finished) => end({ state, result }, record)
  try {
    if (!kind) throw new AppError('unsupported', `This release knows no job “${claimed.kind}”.`)
    const work: Work<unknown> = {
      context,
      id: claimed.id,
      organizationId: claimed.organizationId,
      attempt: claimed.attempt,
      payload: parsePayload(kind, claimed),
      signal,
      workDirectory: context.workDirectory,
      log: (level, message, fields) => log.add(level, message, fields),
      progress(progress) {
        job.progress = progress.phase === job.progress?.phase ? { ...job.progress, ...progress } : progress
      },
      finish,
      remember: (trx, payload) => setPayload(context.store, trx, claimed, payload),
    }
    const finished = await kind.run(work)
    if (!isFinished) await finish(finished ?? {})
    await writeLog(context, job)
  } catch (thrown) {
    const error = asAppError(thrown)
    if (isFinished) log.add('warning', `Behind its end: ${error.message}`)
    else if (error.code !== 'lease_lost') await endBadly(context, kind, job, signal, error, { end, tell })
    await writeLog(context, job)
  }
}

function parsePayload(kind: JobKind, { kind: name, payload }: ClaimedJob): unknown {
  const parsed = kind.payload.safeParse(JSON.parse(payload))
  if (parsed.success) return parsed.data
  throw new AppError('unsupported', `This release cannot read what this job “${name}” is to do.`, {
    hint: 'Another release has ordered it. Run that one, or order it again.',
    cause: parsed.error,
  })
}

/** Whether it was cancelled, handed back or failed is decided by the signal, not by the look of the error. */
async function endBadly(
  context: AppContext,
  kind: JobKind | undefined,
  { claimed, log }: RunningJob,
  signal: AbortSignal,
  error: AppError,
  { end, tell }: { end: (outcome: Outcome) => Promise<void>; tell: OnBadEnd },
): Promise<void> {
  const ordered = signal.aborted && signal.reason instanceof AppError ? signal.reason : undefined
  if (ordered?.code === 'lease_lost') return
  if (ordered?.code === 'cancelled') {
    log.add('info', 'Cancelled.')
    return await end({ state: 'cancelled' })
  }
  if (ordered?.code === 'job_interrupted' && !kind?.isNeverRepeated) {
    log.add('info', 'The app stops; the job is handed back.')
    await context.store.db.transaction().execute(async (trx) => {
      const state = await handBackJob(context.store, trx, claimed)
      // Another one waits with its key, and this one is over.
      if (state === 'failed') await tell(trx, claimed, { state, error: jobError(ordered) })
    })
    return
  }
  const why = ordered?.code === 'job_interrupted' ? ordered : error
  log.add('error', why.message, { code: why.code, ...(why.hint !== undefined && { hint: why.hint }) })
  await end({
    state: 'failed',
    error: jobError(why),
    final: kind?.isNeverRepeated || !isWorthAnotherTry(why),
  })
}

function isWorthAnotherTry(error: AppError): boolean {
  if (error.isFinal) return false
  return error.retryable || (error.status >= 500 && !lasting.has(error.code))
}

export function jobError({ code, message, hint }: AppError): JobError {
  return { code, message: mendText(message), ...(hint !== undefined && { hint: mendText(hint) }) }
}

/** Tells the kinds of jobs of their bad ends. */
export function tellKinds(context: AppContext, kinds: Readonly<Record<string, JobKind>>): OnBadEnd {
  return async (trx, job, end) => {
    const kind = kinds[job.kind]
    const payload = kind?.payload.safeParse(JSON.parse(job.payload))
    if (payload?.success) await kind?.endedBadly?.(context, trx, { ...job, payload: payload.data, ...end })
  }
}

/** Stores the lines that are waiting. */
export async function writeLog({ store }: AppContext, { claimed, log }: RunningJob): Promise<void> {
  const lines = log.take()
  if (lines.length === 0) return
  try {
    await appendLog(store, claimed.id, lines)
  } catch (error) {
    log.putBack(lines)
    throw error
  }
}
