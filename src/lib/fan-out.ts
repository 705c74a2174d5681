import { AppError } from '../shared/errors.ts'

export interface FanOutOptions {
  /** How many bytes one branch may lag behind the source before the source waits for it (8 MiB). */
  buffer?: number
  /**
   * A branch that takes nothing for so many milliseconds while it holds back the others fails with
   * `volume_unreachable`; they go on (120 s).
   */
  patience?: number
  /** Called once when the last reader has left, before the source has noticed: it may be waiting for its next byte. */
  onAbandoned?: () => void
}

/** One of several readers of the same bytes. */
export interface Branch extends AsyncIterable<Uint8Array> {
  /** This reader is out of the race: nothing waits for it any more. */
  leave(): void
}

/**
 * Gives the same bytes to several readers, at the pace of the slowest. A reader that leaves does not disturb the
 * others; when all have left, the source is closed. Every branch ends only if the source ended, and throws the very
 * error that the source threw. `closed` resolves when the source is done with, in whatever way; it never rejects.
 */
export function fanOut(
  source: AsyncIterable<Uint8Array>,
  count: number,
  options: FanOutOptions = {},
): { branches: Branch[]; closed: Promise<void> } {
  const branches = Array.from({ length: count }, () => new BoundedBranch(options.buffer ?? 8 * 1_048_576))
  const leaving = () => {
    if (branches.every((branch) => branch.gone)) options.onAbandoned?.()
  }
  for (const branch of branches) branch.onLeave = leaving
  return { branches, closed: pump(source, branches, options.patience ?? 120_000) }
}

/** Never rejects: whatever the source throws is thrown by the branches. */
async function pump(
  source: AsyncIterable<Uint8Array>,
  branches: BoundedBranch[],
  patience: number,
): Promise<void> {
  try {
    for await (const chunk of source) {
      for (const branch of branches) branch.push(chunk)
      await Promise.all(branches.map((branch) => branch.room(patience)))
      if (branches.every((branch) => branch.gone)) return
    }
    for (const branch of branches) branch.finish()
  } catch (error) {
    for (const branch of branches) branch.fail(error)
  }
}

class BoundedBranch implements Branch {
  gone = false
  onLeave: () => void = () => {}
  readonly #limit: number
  #queue: Uint8Array[] = []
  #queued = 0
  #ended = false
  #failure: { error: unknown } | undefined
  #wakeReader: () => void = () => {}
  #wakePump: () => void = () => {}

  constructor(limit: number) {
    this.#limit = limit
  }

  push(chunk: Uint8Array): void {
    if (this.gone) return
    this.#queue.push(chunk)
    this.#queued += chunk.length
    this.#wakeReader()
  }

  finish(): void {
    this.#ended = true
    this.#wakeReader()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#queue = []
    this.#wakeReader()
  }

  leave(): void {
    if (this.gone) return
    this.gone = true
    this.#queue = []
    this.#queued = 0
    this.#wakePump()
    this.#wakeReader()
    if (!this.#ended) this.onLeave()
  }

  /** Resolves when the branch lags less than the limit, or is gone. */
  async room(patience: number): Promise<void> {
    while (!this.gone && this.#queued > this.#limit) {
      const queued = this.#queued
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wakePump = resolve
        timer = setTimeout(resolve, patience)
      })
      clearTimeout(timer)
      if (!this.gone && this.#queued === queued) {
        const seconds = Math.round(patience / 1000)
        this.fail(new AppError('volume_unreachable', `The volume took no byte for ${seconds} seconds.`))
        this.leave()
      }
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.error
        const chunk = this.#queue.shift()
        if (chunk) {
          this.#queued -= chunk.length
          this.#wakePump()
          yield chunk
        } else if (this.#ended || this.gone) {
          if (this.#ended) return
          throw new AppError('cancelled', 'The reader had left before the source ended.')
        } else {
          await new Promise<void>((resolve) => (this.#wakeReader = resolve))
        }
      }
    } finally {
      this.leave()
    }
  }
}
