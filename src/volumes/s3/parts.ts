import { Buffer } from 'node:buffer'

const MiB = 1024 * 1024
const SMALLEST = 16 * MiB
const LARGEST = 512 * MiB
const STEP = 8 * MiB

/**
 * The size of the part with this number (from 1), where at most `limit` parts are allowed. The first parts are of 16
 * MiB, so that small objects cost little memory; then each is a fixed share of what is stored already, up to 512
 * MiB. `limit` × 512 MiB is the most that any growth could reach; the growth gives up 7 % of it, and so 1 000 parts
 * hold 500 GB and 10 000 parts hold 5 TB. Multiples of 8 MiB, so that the next part fits into the last one's memory.
 */
export function partSize(number: number, limit: number): number {
  // With a flat stretch of f parts, the growth ends after 4.47 f parts that hold 512 f MiB: 3.47 f parts' worth is
  // given up. f = 1.9 % of the limit gives up 6.6 %.
  const flat = limit * 0.019
  const grown = number <= flat ? SMALLEST : SMALLEST * Math.exp((number - flat) / flat)
  return Math.min(LARGEST, Math.max(SMALLEST, Math.floor(grown / STEP) * STEP))
}

/** The memory of an upload's parts: at most `count` pieces, each used again and again. */
export class PartMemory {
  readonly #count: number
  readonly #free: Buffer[] = []
  #taken = 0
  #wake: (() => void) | undefined

  constructor(count: number) {
    this.#count = count
  }

  /** Waits until a piece is free. It may be larger than asked for. Throws the signal's reason when it aborts. */
  async take(bytes: number, signal: AbortSignal): Promise<Buffer> {
    while (this.#taken === this.#count) {
      signal.throwIfAborted()
      const { promise, resolve } = Promise.withResolvers<void>()
      const wake = () => resolve()
      this.#wake = wake
      signal.addEventListener('abort', wake)
      await promise
      signal.removeEventListener('abort', wake)
    }
    signal.throwIfAborted()
    this.#taken++
    const fitting = this.#free.pop()
    // Not zeroed, and not from Node's pool: pages that are never filled never become memory.
    return fitting && fitting.length >= bytes ? fitting : Buffer.allocUnsafeSlow(bytes)
  }

  give(memory: Buffer): void {
    this.#taken--
    this.#free.push(memory)
    this.#wake?.()
  }
}
