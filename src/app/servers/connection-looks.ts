import { engineNamed } from '../../engines/index.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import type { ServerConnection } from '../../shared/servers.ts'
import { orAborted } from '../../volumes/deadline.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { jobError } from '../jobs/run-job.ts'
import { connectionOf, type ServerRow } from './servers.ts'

const LIMIT = 10_000
/** Milliseconds for which an answer is given again. */
const FRESH = 30_000
/** Of so many servers it is known at most. */
const MOST_KNOWN = 1_000

interface Look {
  revision: number
  answer: Promise<ServerConnection>
  /** By `performance.now()`; undefined while it goes on. */
  endedAt: number | undefined
}

/**
 * Looks whether servers answer: at each by one connection at a time, however many people have its page open, and not again
 * for half a minute. `closing` ends what goes on.
 */
export class ConnectionLooks {
  readonly #looks = new Map<string, Look>()
  readonly #closing: AbortSignal

  constructor(closing: AbortSignal) {
    this.#closing = closing
  }

  /** Never throws for what is wrong with the server: that is the answer. Throws `cancelled` when the app is stopped. */
  async lookAt(context: AppContext, server: ServerRow): Promise<ServerConnection> {
    this.#forgetOld()
    const known = this.#looks.get(server.id)
    // What was changed since may be another server.
    if (known?.revision === server.revision) return await known.answer
    const answer = lookNow(context, server, this.#closing)
    const look: Look = { revision: server.revision, answer, endedAt: undefined }
    this.#looks.delete(server.id)
    this.#looks.set(server.id, look)
    const [oldest] = this.#looks.keys()
    if (this.#looks.size > MOST_KNOWN && oldest !== undefined) this.#looks.delete(oldest)
    try {
      return await answer
    } catch (error) {
      if (this.#looks.get(server.id) === look) this.#looks.delete(server.id)
      throw error
    } finally {
      look.endedAt = performance.now()
    }
  }

  #forgetOld(): void {
    const now = performance.now()
    for (const [id, { endedAt }] of this.#looks) {
      if (endedAt !== undefined && now - endedAt >= FRESH) this.#looks.delete(id)
    }
  }
}

async function lookNow(
  context: AppContext,
  server: ServerRow,
  closing: AbortSignal,
): Promise<ServerConnection> {
  const engine = engineNamed(server.engine)
  const limited = AbortSignal.any([closing, AbortSignal.timeout(LIMIT)])
  const checkedAt = new Date(await nowOf(context.store)).toISOString()
  const startedAt = performance.now()
  const took = () => Math.round(performance.now() - startedAt)
  try {
    const connection = connectionOf(context, server)
    // A file that is not there is no fault to the first one: a restore may be about to make it.
    const reach = async () => {
      const facts = await engine.inspect(connection, limited)
      await engine.listDatabases(connection, limited)
      return facts
    }
    const { version } = await orAborted(reach(), limited)
    return { isReachable: true, milliseconds: took(), version, error: null, checkedAt }
  } catch (thrown) {
    if (closing.aborted) throw new AppError('cancelled', 'The app is being stopped.', { cause: thrown })
    const error = limited.aborted
      ? new AppError('database_unreachable', `No answer within ${LIMIT / 1000} seconds.`)
      : asAppError(thrown)
    return { isReachable: false, milliseconds: took(), version: null, error: jobError(error), checkedAt }
  }
}
