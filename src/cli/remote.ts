import { setTimeout as sleep } from 'node:timers/promises'
import { type Configuration, readConfiguration } from '../app/configuration.ts'
import { readLocalToken } from '../app/local-token.ts'
import { type CallInput, type Client, connect } from '../client/client.ts'
import type { JobProgress } from '../runner/job.ts'
import { AppError, type ErrorCode, errors } from '../shared/errors.ts'
import { isOver, type Job } from '../shared/jobs.ts'
import { interruption } from './interruption.ts'
import { jobContext, note, type OutputOptions } from './terminal.ts'

/** The app, as commands see it. Every call throws what the app answers with, as the AppError that it is. */
export interface Remote {
  get<T>(path: string, query?: Query): Promise<T>
  /** Everything of a list, page by page. */
  all<T>(path: string, query?: Query): Promise<T[]>
  post<T>(path: string, body?: object): Promise<T>
  patch<T>(path: string, body: object, ifMatch?: string): Promise<T>
  remove<T>(path: string, query?: Query): Promise<T>
  /** For what is not JSON, and for events. */
  client: Client
}

export type Query = Record<string, string | number | boolean | undefined>

const POLL = 500

/**
 * The app of HOLDFAST_URL and HOLDFAST_TOKEN; without a URL, the one that runs on this machine with the same
 * environment.
 */
export async function remote(): Promise<Remote> {
  const { configuration } = readConfiguration(process.env)
  const { dataDirectory, remote } = configuration
  const isLocal = remote.url === undefined
  const token = remote.token ?? (isLocal ? await readLocalToken(dataDirectory) : undefined)
  if (token === undefined) throw noToken(isLocal, dataDirectory)
  const client = connect({ url: remote.url ?? localUrl(configuration), token })
  const signal = interruption()

  const ask = async <T>(method: string, path: string, input: CallInput = {}): Promise<T> => {
    try {
      return (await client.call<T>(method, path, { ...input, signal })).body
    } catch (error) {
      throw isLocal ? withLocalHint(error) : error
    }
  }
  return {
    client,
    get: (path, query = {}) => ask('GET', path, { query }),
    async all<T>(path: string, query: Query = {}) {
      const items: T[] = []
      for (let cursor: string | undefined; ;) {
        const page: { items: T[]; nextCursor?: string | null } = await ask('GET', path, {
          query: { limit: 200, ...query, ...(cursor !== undefined && { cursor }) },
        })
        items.push(...page.items)
        if (!page.nextCursor) return items
        cursor = page.nextCursor
      }
    },
    post: (path, body = {}) => ask('POST', path, { body }),
    patch: (path, body, ifMatch) => ask('PATCH', path, { body, ifMatch }),
    remove: (path, query = {}) => ask('DELETE', path, { query }),
  }
}

function localUrl({ host, port, tls }: Configuration): string {
  const here = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${tls ? 'https' : 'http'}://${here.includes(':') ? `[${here}]` : here}:${port}`
}

function withLocalHint(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'app_unreachable') return error
  return new AppError(error.code, error.message, {
    hint: 'Start it with: holdfast serve. Or name another one with HOLDFAST_URL and HOLDFAST_TOKEN.',
    cause: error.cause,
  })
}

/** Something that has an id, and a name that people know it by. */
export interface Named {
  id: string
  name: string
}

/** That of a list whose name, or id, or beginning of its id it is. Throws `not_found`, naming what there is. */
export async function named<T extends Named>(
  app: Remote,
  path: string,
  what: string,
  nameOrId: string,
): Promise<T> {
  const all = await app.all<T>(path)
  const found = all.filter(({ id, name }) => name === nameOrId || id === nameOrId)
  const [only] =
    found.length > 0 ? found : all.filter(({ id }) => nameOrId.length >= 8 && id.startsWith(nameOrId))
  if (only && found.length < 2) return only
  if (only)
    throw new AppError('invalid_input', `There are ${found.length} of the name “${nameOrId}”. Use the id.`)
  const some = all.slice(0, 10).map(({ name }) => `“${name}”`)
  throw new AppError('not_found', `There is no ${what} “${nameOrId}”.`, {
    hint:
      some.length === 0
        ? `There is none at all yet.`
        : `There is ${some.join(', ')}${all.length > 10 ? ', …' : ''}.`,
  })
}

/** Waits until a job is over, showing its progress. Interrupting ends the waiting, not the job. */
export async function jobOver(app: Remote, id: string, options: OutputOptions): Promise<Job> {
  const shown = jobContext(interruption(), options)
  try {
    for (;;) {
      const job = await app.get<Job>(`/api/v1/jobs/${id}`)
      if (isOver(job.state)) return job
      const [waitsFor] = job.waitsFor
      if (job.progress) shown.progress(job.progress as JobProgress)
      else if (waitsFor !== undefined) shown.log('info', `It waits for ${waitsFor}.`)
      await sleep(POLL, undefined, { signal: interruption() })
    }
  } catch (error) {
    if (interruption().aborted) note(`The job goes on; see: holdfast jobs show ${id}`)
    throw error
  } finally {
    shown.done()
  }
}

/** Why a job that is over did not succeed; undefined if it did. */
export function shortcomingOf({ state, error }: Job): AppError | undefined {
  if (state === 'succeeded' || state === 'partial') return undefined
  if (state === 'cancelled') return new AppError('cancelled', 'The job was cancelled.')
  if (!error) return new AppError('internal', `The job is ${state}.`)
  return new AppError(codeOf(error.code), error.message, { hint: error.hint })
}

/** A newer app may know errors that we do not. */
function codeOf(code: string): ErrorCode {
  return Object.hasOwn(errors, code) ? (code as ErrorCode) : 'internal'
}

function noToken(isLocal: boolean, dataDirectory: string): AppError {
  if (!isLocal) {
    return new AppError('not_signed_in', 'HOLDFAST_URL is set, but HOLDFAST_TOKEN is not.', {
      hint: 'On the machine of the app: holdfast token create',
    })
  }
  return new AppError('not_signed_in', `No app has been started with ${dataDirectory}.`, {
    hint: 'Start it with: holdfast serve. Or name another one with HOLDFAST_URL and HOLDFAST_TOKEN.',
  })
}
