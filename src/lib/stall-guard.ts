/** Aborts its signal when nobody has said for so many milliseconds that something moves. */
export class StallGuard implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout

  /** `reason` is what the signal aborts with. */
  constructor(milliseconds: number, reason: () => Error) {
    this.#timer = setTimeout(() => this.#controller.abort(reason()), milliseconds).unref()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something moves. Cheap enough to be said for every chunk. */
  touch(): void {
    this.#timer.refresh()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
