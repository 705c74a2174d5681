/** How long each phase of a job took. */
export class PhaseClock {
  readonly #seconds: Record<string, number> = {}
  #phase: string
  #since = performance.now()

  constructor(phase: string) {
    this.#phase = phase
  }

  begin(phase: string): void {
    const now = performance.now()
    this.#seconds[this.#phase] = Math.round(now - this.#since) / 1000
    this.#phase = phase
    this.#since = now
  }

  /** Ends the running phase; returns seconds by phase. */
  end(): Record<string, number> {
    this.begin(this.#phase)
    return this.#seconds
  }
}
