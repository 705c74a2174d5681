import { AppError } from '../shared/errors.ts'
import type { ObjectSource } from './volume.ts'

/**
 * The source's chunks, until the signal aborts: then the signal's reason is thrown at once, also while the source
 * itself hangs. A source that is left early is closed.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  // One listener for all chunks: racing each chunk against one long-lived promise would keep them all in memory.
  let fail: (reason: unknown) => void = () => {}
  const onAbort = () => fail(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let state: 'waiting' | 'holding' | 'ended' = 'holding'
  try {
    for (;;) {
      signal.throwIfAborted()
      state = 'waiting'
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        fail = reject
        iterator.next().then(resolve, (error: unknown) => {
          state = 'ended'
          reject(error)
        })
      })
      if (next.done) {
        state = 'ended'
        return
      }
      state = 'holding'
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    if (state !== 'ended') {
      const closed = Promise.resolve(iterator.return?.()).catch(() => {}) // what made us leave is what counts
      if (state === 'holding') await closed // a source that still waits for its next chunk might never answer
    }
  }
}

/** The head's bytes, once the body has ended. */
export function headBytes(head: NonNullable<ObjectSource['head']>): Uint8Array {
  const bytes = head.bytes()
  if (bytes.length === head.length) return bytes
  throw new AppError('internal', `A head of ${head.length} bytes was announced, ${bytes.length} came.`)
}

/**
 * Cleans up after a failure and returns what to throw: the failure itself, or, if something could not be cleaned
 * up, an error that says both.
 */
export async function afterFailure(failure: unknown, cleanUp: () => Promise<void>): Promise<unknown> {
  try {
    await cleanUp()
    return failure
  } catch (error) {
    const [first, second] = [asSentence(failure), asSentence(error)]
    const code = failure instanceof AppError ? failure.code : 'internal'
    return new AppError(code, `${first} What was written so far could not be removed: ${second}`, {
      hint: failure instanceof AppError ? failure.hint : undefined,
      cause: new AggregateError([failure, error]),
    })
  }
}

function asSentence(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
