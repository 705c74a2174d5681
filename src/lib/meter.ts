import { createHash } from 'node:crypto'
import { letGo } from './garbage.ts'

/** Counts the bytes that go by and, once they have all gone by, knows their SHA-256. */
export class Meter {
  bytes = 0
  readonly #hash = createHash('sha256')
  readonly #onBytes: ((total: number) => void) | undefined
  #sha256: string | undefined

  /** `onBytes` hears the total so far after each chunk; it must be cheap. */
  constructor(onBytes?: (total: number) => void) {
    this.#onBytes = onBytes
  }

  update(chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.#hash.update(chunk)
    letGo(chunk.length)
    this.#onBytes?.(this.bytes)
  }

  /** The bytes as they were given, counted on the way. */
  async *measure(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of source) {
      this.update(chunk)
      yield chunk
    }
  }

  /** In hex. To be asked for when all bytes have gone by; more cannot be added afterwards. */
  get sha256(): string {
    this.#sha256 ??= this.#hash.digest('hex')
    return this.#sha256
  }
}
