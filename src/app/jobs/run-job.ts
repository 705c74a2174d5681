import { setTimeout as sleep } from 'node:timers/promises'
import type { Transaction } from 'kysely'
import type { JobProgress } from '../../runner/job.ts'
import { AppError, asAppError, type ErrorCode } from '../../shared/errors.ts'
import {
  type ClaimedJob,
  finishJob,
  handBackJob,
  type JobError,
  type JobIdentity,
  type OnBadEnd,
  type Outcome,
  recordOutcome,
  setPayload,
} from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
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
  'channel_refused',
  'tls_failed',
  'tool_missing',
  'host_key_unknown',
  'host_key_changed',
  'database_corrupt',
  'configuration_invalid',
  'restore_mismatch',
])

/** How often it is tried to end a job whose outcome is recorded as it is to end, and the milliseconds in between. */
const ENDINGS = 3
const PAUSE = 500

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
  let recorded: Extract<Outcome, { state: 'succeeded' | 'partial' }> | undefined
  const end = async (outcome: Outcome, record?: Finished['record']) => {
    await writeLog(context, job).catch(onError) // tried again behind the end, which must not wait for it
    // What hooks behind a recorded outcome have decided is not run again: a moment's trouble must not lose it.
    await persistently(recorded ? ENDINGS : 1, () => endOnce(outcome, record))
    isFinished = true
  }
  const endOnce = async (outcome: Outcome, record?: Finished['record']) => {
    await context.store.db.transaction().execute(async (trx) => {
      // If the job is not ours any more, finishing it throws, and nothing of this has happened.
      await record?.(trx)
      const told = { ...outcome, result: given(outcome.result) }
      const state = await finishJob(context.store, trx, claimed, told)
      // What is ordered at the very end must not go on if somebody wanted the whole to stop before.
      const isCancelled = record && (await cancelledAmong(trx, [claimed.id])).length > 0
      if (isCancelled) await cancelChildren(context.store, trx, claimed.id, tell)
      if (state !== outcome.state) return // it is tried again
      if (outcome.state === 'failed') await tell(trx, claimed, { state: 'failed', error: outcome.error })
      if (outcome.state === 'cancelled') {
        await tell(trx, claimed, { state: 'cancelled', ...(outcome.error && { error: outcome.error }) })
      }
    })
  }
  const finish = async ({ state = 'succeeded', failure, skipped, result, record }: Finished) => {
    if (skipped) {
      log.add('info', skipped.message)
      return await end({ state: 'cancelled', error: jobError(skipped), result }, record)
    }
    if (failure) return await end({ ...failed(kind, log, failure), overruled: true, result }, record)
    await end({ state, result }, record)
  }
  const record: Work<unknown>['record'] = async ({ state = 'succeeded', result, record }) => {
    await writeLog(context, job).catch(onError)
    recorded = await context.store.db.transaction().execute(async (trx) => {
      await record?.(trx)
      const outcome = { state, result: given(result) }
      await recordOutcome(context.store, trx, claimed, outcome)
      return outcome
    })
  }
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
      record,
      remember: (trx, payload) => setPayload(context.store, trx, claimed, payload),
    }
    const finished = await kind.run(work)
    if (!isFinished) await finish(finished ?? {})
    await writeLog(context, job)
  } catch (thrown) {
    const error = asAppError(thrown)
    if (isFinished) log.add('warning', `Behind its end: ${error.message}`)
    else if (!isLost(signal, error)) {
      if (recorded) await fallBackOn(recorded, job, signal, error, end)
      else await endBadly(context, kind, job, signal, error, { end, tell })
    }
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
  await end(failed(kind, log, why))
}

/** What it was for is done, and whatever has gone wrong since cannot undo that. */
async function fallBackOn(
  recorded: Outcome,
  { log }: RunningJob,
  signal: AbortSignal,
  error: AppError,
  end: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  const why = signal.aborted && signal.reason instanceof AppError ? signal.reason : error
  log.add('warning', `What it was for was done by then, but not what was to follow: ${why.message}`)
  await end(recorded)
}

async function persistently(times: number, act: () => Promise<void>): Promise<void> {
  for (let time = 1; ; time++) {
    try {
      return await act()
    } catch (error) {
      if (time >= times || asAppError(error).code === 'lease_lost') throw error
      await sleep(PAUSE)
    }
  }
}

function isLost(signal: AbortSignal, { code }: AppError): boolean {
  const reason: unknown = signal.reason
  return code === 'lease_lost' || (reason instanceof AppError && reason.code === 'lease_lost')
}

/** Says why in the log, too. */
function failed(
  kind: JobKind | undefined,
  log: JobLog,
  why: AppError,
): Extract<Outcome, { state: 'failed' }> {
  log.add('error', why.message, { code: why.code, ...(why.hint !== undefined && { hint: why.hint }) })
  const final = kind?.isNeverRepeated || !isWorthAnotherTry(why)
  return { state: 'failed', error: jobError(why), final }
}

/** A result, or what gives it, as it is stored. */
function given(result: unknown): unknown {
  return mendJson(typeof result === 'function' ? (result as () => unknown)() : result)
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

/** Says in the log of a job whose runner is gone that hooks may not have run; in the transaction that ends it. */
export async function logRecordedEnd(trx: Transaction<Tables>, { id }: JobIdentity): Promise<void> {
  const log = new JobLog()
  log.add(
    'warning',
    'Its runner was lost when what it was for was done. Hooks that had not ended by then are not run again.',
    { code: 'runner_lost' },
  )
  await appendLog({ db: trx }, id, log.take())
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
