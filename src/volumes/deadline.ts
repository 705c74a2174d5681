import { AppError } from '../shared/errors.ts'

/** A signal that also aborts when nothing has moved for a while. */
export interface IdleLimit extends Disposable {
  signal: AbortSignal
  /** Something moved, or is waited for from now on: the time begins anew. */
  touch(): void
  /** Nothing is waited for until the next touch. */
  rest(): void
}

/** What the promise brings, or the signal's reason as soon as it aborts. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * Bounds how long a silent peer is waited for, not how long a transfer takes. The signal's reason is then
 * `volume_unreachable`: “<what> did not answer for 60 seconds.”
 */
export function idleLimit(milliseconds: number, what: string, signal: AbortSignal): IdleLimit {
  const idle = new AbortController()
  const giveUp = () => {
    idle.abort(
      new AppError('volume_unreachable', `${what} did not answer for ${milliseconds / 1000} seconds.`),
    )
  }
  let timer: NodeJS.Timeout | undefined = setTimeout(giveUp, milliseconds)
  const rest = () => {
    clearTimeout(timer)
    timer = undefined
  }
  return {
    signal: AbortSignal.any([signal, idle.signal]),
    touch() {
      if (timer) timer.refresh()
      else timer = setTimeout(giveUp, milliseconds)
    },
    rest,
    [Symbol.dispose]: rest,
  }
}
