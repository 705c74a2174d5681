import { AppError } from '../../shared/errors.ts'
import { retried, type Patience } from '../backoff.ts'
import { orAborted } from '../deadline.ts'
import { knownKeys, pinnedKey, type HostKeyRule } from './host-key.ts'
import { Session, type SessionSettings } from './session.ts'

/** What a server's keys can be, one family at a time. */
const FAMILIES = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['ssh-rsa'],
]

export interface ConnectionSettings extends SessionSettings {
  hostKey?: string
  knownHosts: string[]
}

/** The one connection of a volume: made when it is first needed, and again when it was lost. */
export class Connection implements AsyncDisposable {
  readonly #settings: ConnectionSettings
  readonly #patience: Patience
  readonly #idle: number
  #session: Session | undefined
  #opening: Promise<Session> | undefined
  readonly #closed = new AbortController()

  constructor(settings: ConnectionSettings, patience: Patience, idle: number) {
    this.#settings = settings
    this.#patience = patience
    this.#idle = idle
  }

  /** The session, if it lives, else a new one. Throws why there can be none. */
  async session(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted()
    if (this.#session && !this.#session.isLost) return this.#session
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
    return await orAborted(this.#opening, signal)
  }

  /**
   * Does the work on the session; once more on a new one if the connection turns out to be gone, which an idle one
   * may have been for long. Only for what may be done twice.
   */
  async run<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.session(signal)
    try {
      return await work(session)
    } catch (error) {
      if (!session.isLost || this.#closed.signal.aborted) throw error
      signal.throwIfAborted()
      return await work(await this.session(signal))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new AppError('cancelled', 'The volume was closed.'))
    await this.#opening?.catch(() => {}) // told to those who wait for it
    this.#session?.[Symbol.dispose]()
  }

  async #open(): Promise<Session> {
    const { host, port, hostKey, knownHosts } = this.#settings
    const rule = hostKey ? pinnedKey(`${host}:${port}`, hostKey) : knownKeys(host, port, knownHosts)
    const isWorthRetrying = (error: unknown) => error instanceof AppError && error.retryable
    const signal = this.#closed.signal
    this.#session = await retried(() => this.#signIn(rule, signal), isWorthRetrying, this.#patience, signal)
    return this.#session
  }

  /** A server shows one of its keys; the pinned one may be another, so that it is asked for each kind before alarm is given. */
  async #signIn(rule: HostKeyRule, signal: AbortSignal): Promise<Session> {
    const open = (kinds: readonly string[]) => Session.open(this.#settings, rule, kinds, this.#idle, signal)
    try {
      return await open(rule.kinds)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'host_key_changed' || rule.kinds.length > 0)
        throw error
      for (const kinds of FAMILIES) {
        try {
          return await open(kinds)
        } catch (other) {
          if (!isAboutKeys(other)) throw other
        }
      }
      throw error
    }
  }
}

/** The key was not the pinned one, or the server has none of this kind. */
function isAboutKeys(error: unknown): boolean {
  return (
    error instanceof AppError &&
    (error.code === 'host_key_changed' || (error.code === 'volume_unreachable' && !error.retryable))
  )
}
