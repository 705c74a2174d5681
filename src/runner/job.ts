import { AppError } from '../shared/errors.ts'

/** What a job tells the outside while it runs. */
export interface JobContext {
  /** Aborted when the job is cancelled; passed down to everything that can wait. */
  signal: AbortSignal
  log: (level: LogLevel, message: string, fields?: Record<string, unknown>) => void
  /** May be called thousands of times a second; whoever listens decides what to show. */
  progress: (progress: JobProgress) => void
  /** Where a tool's files go; see `createWorkDirectory`. */
  workDirectory?: string
}

export type LogLevel = 'info' | 'warning' | 'error'

export interface JobProgress {
  phase:
    | 'connecting'
    | 'dumping'
    | 'checking'
    | 'downloading'
    | 'restoring'
    | 'counting'
    | 'masking'
    | 'copying'
    | 'hooks'
  /** Bytes of the raw dump so far. */
  rawBytes?: number
  /** Bytes of the object so far, after compression and encryption. */
  storedBytes?: number
  /** What the raw dump is expected to have in all; an estimate. */
  expectedRawBytes?: number
}

/**
 * Whether whoever was to remember what is complete has refused, because another runner has the job or nobody wants it
 * any more: then it is certain that it is not remembered. After any other error nobody knows.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'lease_lost' || error.code === 'changed_meanwhile')
}

/** Time for tidying up after a job whose own signal has been aborted. */
export function cleanupSignal(): AbortSignal {
  return AbortSignal.timeout(30_000)
}
