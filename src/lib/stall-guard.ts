/** Aborts its signal when, while bytes should be moving, nobody has said for so many milliseconds that they do. */
export class StallGuard implements Disposable {
  readonly #controller = new AbortController()
  readonly #milliseconds: number
  readonly #reason: () => Error
  #timer: NodeJS.Timeout | undefined

  /** Begins at rest. `reason` is what the signal aborts with. */
  constructor(milliseconds: number, reason: () => Error) {
    this.#milliseconds = milliseconds
    this.#reason = reason
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something moves, and more is to follow. Cheap enough to be said for every chunk. */
  touch(): void {
    this.#timer ??= setTimeout(() => this.#controller.abort(this.#reason()), this.#milliseconds).unref()
    this.#timer.refresh()
  }

  /** What comes now moves no bytes and may take its time: an index is built, rows are counted. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  [Symbol.dispose](): void {
    this.rest()
  }
}
