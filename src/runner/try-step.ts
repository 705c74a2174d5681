import { type AppError, asAppError } from '../shared/errors.ts'
import type { TestStep, TestStepName } from '../shared/test-report.ts'
import { orAborted } from '../volumes/deadline.ts'

export interface Patience {
  /** Of whoever asks; only this makes a step throw. */
  signal: AbortSignal
  /** Aborted likewise, and when it has taken too long. */
  limited: AbortSignal
  /** What is said then. */
  late: AppError
}

/**
 * Looks at one thing, and reports what was found, or what went wrong. What takes too long is given up, also if it does not
 * hear its signal: a file system whose server is gone, for instance.
 */
export async function tryStep(
  step: TestStepName,
  { signal, limited, late }: Patience,
  look: () => Promise<Partial<TestStep>>,
): Promise<{ step: TestStep; error?: AppError }> {
  const startedAt = performance.now()
  const took = () => ({ milliseconds: performance.now() - startedAt })
  try {
    limited.throwIfAborted()
    const found = await orAborted(look(), limited)
    return { step: { step, outcome: 'ok', ...found, ...took() } }
  } catch (thrown) {
    signal.throwIfAborted()
    const error = limited.aborted ? late : asAppError(thrown)
    const detail = [error.message, error.hint].filter((line) => line !== undefined).join('\n')
    return { step: { step, outcome: 'failed', detail, ...took() }, error }
  }
}
