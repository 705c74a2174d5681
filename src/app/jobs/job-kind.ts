import type { Transaction } from 'kysely'
import type { z } from 'zod'
import type { JobContext } from '../../runner/job.ts'
import type { AppError } from '../../shared/errors.ts'
import type { BadEnd, JobIdentity } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'

/** One kind of work in the queue: what its payload is, and how it is done. */
export interface JobKind<Payload extends z.ZodType = z.ZodType> {
  /** Also of payloads that an older release has enqueued: what is added later has a default. */
  payload: Payload
  /** It is not begun anew by itself when its app was stopped: a restore. */
  isNeverRepeated?: boolean
  /**
   * Does the work. What it throws ends the job as failed, or lets it be tried again; whether it was cancelled is
   * decided by the signal. What it returns, or has given to `work.finish` before, ends it.
   */
  run(work: Work<z.output<Payload>>): Promise<Finished | undefined | void>
  /**
   * Hears, in the transaction that says so, that the job has failed or was cancelled, and will not be tried again: also
   * if it was cancelled before it began, or if its runner is gone.
   */
  endedBadly?(context: AppContext, trx: Transaction<Tables>, job: EndedJob<z.output<Payload>>): Promise<void>
}

/** How a job ended, and what else is to be written in the transaction that says so. */
export interface Finished {
  /** `succeeded` if absent. */
  state?: 'succeeded' | 'partial'
  /** It has failed, and there is a result all the same. */
  failure?: AppError | undefined
  /** It is left out for this reason: then it is cancelled, and nothing has gone wrong. */
  skipped?: AppError | undefined
  /** JSON, which the API shows; or what gives it, asked behind `record`. */
  result?: unknown
  record?: (trx: Transaction<Tables>) => Promise<void>
}

/** A claimed job, as its kind sees it. */
export interface Work<Payload> extends JobContext {
  context: AppContext
  id: string
  organizationId: string
  /** 1 for the first. */
  attempt: number
  payload: Payload
  /**
   * Ends the job now, while what `run` still does is only to tidy up. Throws `lease_lost` if another runner has it by
   * now: then nothing of this is written, and whatever was made must be taken back.
   */
  finish: (finished: Finished) => Promise<void>
  /**
   * Writes now what came of it, while the job goes on with what belongs to it but cannot undo it. It ends when `run` does,
   * with what that returns; where it is cancelled, interrupted or killed meanwhile, with what is written here. It is never
   * begun anew. Throws `lease_lost` likewise.
   */
  record: (finished: Pick<Finished, 'state' | 'result' | 'record'>) => Promise<void>
  /**
   * Stores, in a transaction that does a part of the work, with which payload a further attempt is to begin. Throws
   * `lease_lost` likewise.
   */
  remember(trx: Transaction<Tables>, payload: Payload): Promise<void>
}

export type EndedJob<Payload> = Omit<JobIdentity, 'payload'> & { payload: Payload } & BadEnd

/** Ties the payload's schema to the type that `run` gets. */
export function defineJob<Payload extends z.ZodType>(kind: JobKind<Payload>): JobKind<Payload> {
  return kind
}
