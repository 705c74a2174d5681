import { setTimeout as sleep } from 'node:timers/promises'

/** The bytes of a source, as fast as the throttle lets them by. What the source throws is thrown as it is. */
export type Throttle = (
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
) => AsyncGenerator<Uint8Array, void>

export interface Clock {
  /** Milliseconds since whenever. */
  now(): number
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}

/** Pieces of a second: large chunks do not come by all at once, nor after a silence that looks like a stall. */
const PIECE = 0.1
/** Less is not slept for: timers are not that exact. In milliseconds. */
const WORTH_SLEEPING = 10
/** So much of what was slept too long may be caught up. In milliseconds. */
const CATCH_UP = 50

/** Lets no more than so many bytes a second by, in all the streams together that go through it. */
export function throttle(bytesPerSecond: number, clock: Clock = wallClock): Throttle {
  const pieceBytes = Math.max(1, Math.round(bytesPerSecond * PIECE))
  let freeAt = Number.NEGATIVE_INFINITY
  /** Takes the next time at which so many bytes may begin to go by. */
  const reserve = (bytes: number): number => {
    const beginsAt = Math.max(freeAt, clock.now() - CATCH_UP)
    freeAt = beginsAt + (bytes / bytesPerSecond) * 1000
    return beginsAt
  }
  return async function* (source, signal) {
    for await (const chunk of source) {
      for (let start = 0; start < chunk.length; start += pieceBytes) {
        const piece = chunk.subarray(start, start + pieceBytes)
        const wait = reserve(piece.length) - clock.now()
        if (wait >= WORTH_SLEEPING) await clock.sleep(wait, signal)
        yield piece
      }
    }
  }
}

const wallClock: Clock = {
  now: () => performance.now(),
  async sleep(milliseconds, signal) {
    try {
      await sleep(milliseconds, undefined, { signal })
    } catch {
      throw signal.reason // sleep fails only when the signal aborts, with an error of its own
    }
  },
}
