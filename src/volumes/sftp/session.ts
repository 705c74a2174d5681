import { connect, type Socket } from 'node:net'
import type { Client, ConnectConfig, ServerHostKeyAlgorithm, SFTPWrapper } from 'ssh2'
import { AppError, messageOf } from '../../shared/errors.ts'
import { explainConnectError } from './errors.ts'
import type { HostKeyRule } from './host-key.ts'

/** Of requests that a server may take long over: fsync of a large file. */
const SLOW = 10 * 60_000
const KEEP_ALIVE = 15_000

export interface SessionSettings {
  host: string
  port: number
  user: string
  password?: string
  privateKey?: string
  passphrase?: string
  /** In seconds. */
  timeout: number
}

/**
 * One connection with its SFTP channel. Requests that are under way when it is lost fail with what it was lost by; a
 * server that leaves a request unanswered is taken for lost. Only while requests are under way does it keep the
 * process alive.
 */
export class Session implements Disposable {
  readonly #socket: Socket
  readonly #client: Client
  readonly #waiting = new Set<(error: AppError) => void>()
  readonly #server: string
  readonly #idle: number
  #sftp: SFTPWrapper | undefined
  #silence: NodeJS.Timeout | undefined
  #keepAlive: NodeJS.Timeout | undefined
  #lost: AppError | undefined

  /** Connects and signs in. `idle`: how long a request may stay unanswered, in milliseconds. */
  static async open(
    settings: SessionSettings,
    rule: HostKeyRule,
    kinds: readonly string[],
    idle: number,
    signal: AbortSignal,
  ): Promise<Session> {
    // Loaded with the first connection: no other volume should pay for it.
    const ssh2 = await import('ssh2')
    signal.throwIfAborted()
    const session = new Session(settings, new ssh2.Client(), idle)
    const stop = () => session.#lose(new AppError('cancelled', 'Connecting was cancelled.'))
    signal.addEventListener('abort', stop, { once: true })
    try {
      await session.#signIn(settings, rule, kinds)
      session.#sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
        session.#waiting.add(reject)
        session.#client.sftp((error, sftp) =>
          error ? reject(noSubsystem(session.#server, error)) : resolve(sftp),
        )
      })
      session.#waiting.clear()
      session.#sftp.on('close', () => session.#lose(session.#closed()))
      session.#keepAlive = setInterval(() => session.#ping(), KEEP_ALIVE).unref()
      session.#socket.unref()
      return session
    } catch (error) {
      session[Symbol.dispose]()
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  private constructor(settings: SessionSettings, client: Client, idle: number) {
    this.#client = client
    this.#server = `${settings.host}:${settings.port}`
    this.#idle = idle
    this.#socket = connect({ host: settings.host, port: settings.port, noDelay: true })
    this.#client.on('error', (error) => this.#lose(explainConnectError(error, this.#server, settings.user)))
    this.#client.on('close', () => this.#lose(this.#closed()))
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** What the server can do besides SFTP 3: `posix-rename@openssh.com`, … */
  offers(extension: string): boolean {
    const { _extensions: extensions } = this.#sftp as unknown as { _extensions?: Record<string, string> }
    return extensions !== undefined && Object.hasOwn(extensions, extension)
  }

  /**
   * Sends one request and waits for its answer. Throws the server's status as an error with a number as its code,
   * `volume_unreachable` if the connection is lost, or the signal's reason.
   */
  call<T>(
    signal: AbortSignal,
    send: (sftp: SFTPWrapper, answer: (error: Error | null | undefined, value?: T) => void) => void,
    options: { slow?: boolean } = {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal.throwIfAborted()
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      this.send(
        send,
        (error, value) => {
          signal.removeEventListener('abort', onAbort)
          if (error) reject(error)
          else resolve(value as T)
        },
        options,
      )
    })
  }

  /** As `call`, for those who keep many requests under way: `answered` is called exactly once. */
  send<T>(
    send: (sftp: SFTPWrapper, answer: (error: Error | null | undefined, value?: T) => void) => void,
    answered: (error: Error | undefined, value?: T) => void,
    options: { slow?: boolean } = {},
  ): void {
    const sftp = this.#sftp
    if (this.#lost || !sftp) {
      answered(this.#lost ?? this.#closed())
      return
    }
    const settle = (error: Error | undefined, value?: T) => {
      if (!this.#waiting.delete(settle)) return
      if (this.#waiting.size === 0) this.#rest()
      else this.#silence?.refresh()
      answered(error, value)
    }
    this.#waiting.add(settle)
    if (this.#waiting.size === 1) this.#watch(options.slow ? SLOW : this.#idle)
    try {
      send(sftp, (error, value) => {
        // ssh2 answers what was under way with an error without a number when the channel goes.
        if (error && !('code' in error)) this.#lose(this.#closed(error))
        settle(error ?? undefined, value)
      })
    } catch (error) {
      settle(error instanceof Error ? error : new Error(messageOf(error)))
    }
  }

  [Symbol.dispose](): void {
    this.#lose(new AppError('cancelled', `The connection to ${this.#server} was closed.`))
  }

  async #signIn(settings: SessionSettings, rule: HostKeyRule, kinds: readonly string[]): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(reject)
      this.#client.once('ready', () => {
        this.#waiting.clear()
        resolve()
      })
      // Servers without “password” mostly ask for it this way.
      this.#client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map((prompt) => (prompt.echo ? '' : (settings.password ?? ''))))
      })
      const config: ConnectConfig = {
        sock: this.#socket,
        username: settings.user,
        password: settings.password,
        privateKey: settings.privateKey,
        passphrase: settings.passphrase,
        tryKeyboard: settings.password !== undefined,
        readyTimeout: settings.timeout * 1000,
        hostVerifier: (key: Buffer) => {
          if (rule.accepts(key)) return true
          this.#lose(rule.refused(key))
          return false
        },
        algorithms: kinds.length > 0 ? { serverHostKey: serverHostKeys(kinds) } : {},
      }
      try {
        this.#client.connect(config)
      } catch (error) {
        reject(badKey(error))
      }
    })
  }

  /** Something must be heard from the server within the time. */
  #watch(milliseconds: number): void {
    this.#socket.ref()
    this.#silence = setTimeout(() => {
      const seconds = milliseconds / 1000
      this.#lose(new AppError('volume_unreachable', `${this.#server} did not answer for ${seconds} seconds.`))
    }, milliseconds)
  }

  #rest(): void {
    clearTimeout(this.#silence)
    this.#socket.unref()
  }

  /** Keeps routers from forgetting the connection while a dump is slow, and finds out when it is gone. */
  #ping(): void {
    if (this.#waiting.size > 0) return
    this.send(
      (sftp, answer) => sftp.realpath('.', answer),
      () => {}, // a lost connection fails whatever comes next
    )
  }

  #lose(error: AppError): void {
    if (this.#lost) return
    this.#lost = error
    clearInterval(this.#keepAlive)
    clearTimeout(this.#silence)
    this.#client.destroy()
    this.#socket.destroy()
    for (const fail of this.#waiting) fail(error)
    this.#waiting.clear()
  }

  #closed(cause?: unknown): AppError {
    return new AppError('volume_unreachable', `The connection to ${this.#server} was lost.`, { cause })
  }
}

function serverHostKeys(kinds: readonly string[]): ServerHostKeyAlgorithm[] {
  // A key of kind ssh-rsa signs in three ways, of which the oldest is the last resort.
  const names = kinds.flatMap((kind) =>
    kind === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [kind],
  )
  return names as ServerHostKeyAlgorithm[]
}

function badKey(error: unknown): AppError {
  const message = messageOf(error)
  if (/passphrase|decrypt|integrity check/i.test(message)) {
    return new AppError('authentication_failed', `The private key could not be opened: ${message}.`, {
      hint: 'Check the passphrase of the private key.',
      cause: error,
    })
  }
  return new AppError('invalid_input', `The private key cannot be used: ${message}.`, {
    hint: 'It is the file that ssh-keygen made without “.pub”, with all its lines.',
    cause: error,
  })
}

function noSubsystem(server: string, error: Error): AppError {
  return new AppError(
    'volume_refused',
    `${server} lets the user in, but not transfer files: ${error.message}.`,
    {
      hint: 'SFTP must be enabled on the server (Subsystem sftp in sshd_config).',
      cause: error,
    },
  )
}
