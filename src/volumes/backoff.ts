import { setTimeout as sleep } from 'node:timers/promises'

/** How often something is tried, and how long the pauses between are. */
export interface Patience {
  /** Tries in all, the first one included. */
  tries: number
  /** Before the second try; doubled each time. In milliseconds. */
  firstPause: number
  longestPause: number
}

/** What a network deserves: six tries in about six seconds on average, so that a restart of the other side is survived. */
export const patient: Patience = { tries: 6, firstPause: 400, longestPause: 10_000 }

/**
 * Does the work until it succeeds, fails in a way that another try cannot mend, or has been tried often enough; then
 * the last failure is thrown. Pauses are random between zero and their length, so that many parts that failed
 * together do not come back together.
 */
export async function retried<T>(
  work: (attempt: number) => Promise<T>,
  isWorthRetrying: (error: unknown) => boolean,
  patience: Patience,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (attempt >= patience.tries || !isWorthRetrying(error)) throw error
    }
    await pause(attempt, patience, signal)
  }
}

/** Waits before the next try. Throws the signal's reason when it aborts. */
export async function pause(attempt: number, patience: Patience, signal: AbortSignal): Promise<void> {
  const longest = Math.min(patience.firstPause * 2 ** (attempt - 1), patience.longestPause)
  try {
    await sleep(Math.random() * longest, undefined, { signal })
  } catch {
    throw signal.reason // sleep fails only when the signal aborts, with an error of its own
  }
}
