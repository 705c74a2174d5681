import type { Engine } from '../engines/engine.ts'
import { ToolFailure } from '../lib/process.ts'
import { AppError, asAppError } from '../shared/errors.ts'

/**
 * What went wrong, as an error for a person: a job that was cancelled says so, a tool's failure is put into the
 * engine's words where it has any, everything else stays as it is.
 */
export function explained(engine: Engine, error: unknown, signal: AbortSignal): AppError {
  if (signal.aborted) {
    if (signal.reason instanceof AppError) return signal.reason
    return new AppError('cancelled', 'The job was cancelled.', { cause: error })
  }
  if (error instanceof ToolFailure) return engine.explain(error.exit.tool, error.exit.stderr) ?? error
  return asAppError(error)
}
