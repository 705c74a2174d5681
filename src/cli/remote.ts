import { setTimeout as sleep } from 'node:timers/promises'
import { type Configuration, readConfiguration } from '../app/configuration.ts'
import { readTokenFile } from '../app/token-file.ts'
import type { Operations } from '../client/api.ts'
import { type Client, connect, type Given, type Item, itemsOf, type ListOperation } from '../client/client.ts'
import type { JobProgress } from '../runner/job.ts'
import { AppError, type ErrorCode, errors } from '../shared/errors.ts'
import { isOver, type Job } from '../shared/jobs.ts'
import { interruption } from './interruption.ts'
import { jobContext, note, type OutputOptions } from './terminal.ts'

/** The app, as commands see it. Every call throws what the app answers with, as the AppError that it is. */
export interface Remote {
  /** What the operation answers: see src/client/api.ts. */
  ask<O extends keyof Operations>(operation: O, ...given: Given<O>): Promise<Operations[O]['answer']>
  /** Everything of a list, or so many, however many pages that are. */
  all<O extends ListOperation>(operation: O, ...given: Given<O>): Promise<Item<O>[]>
  some<O extends ListOperation>(limit: number, operation: O, ...given: Given<O>): Promise<Item<O>[]>
  /** For what is not JSON, and what is only shown. */
  client: Client
}

const POLL = 500

/**
 * The app of HOLDFAST_URL and HOLDFAST_TOKEN; without a URL, the one that runs on this machine with the same
 * environment.
 */
export async function remote(): Promise<Remote> {
  const { configuration } = readConfiguration(process.env)
  const { dataDirectory, remote } = configuration
  const isLocal = remote.url === undefined
  const token = remote.token ?? (isLocal ? await readTokenFile(dataDirectory) : undefined)
  if (token === undefined) throw noToken(isLocal, dataDirectory)
  const client = connect({ url: remote.url ?? localUrl(configuration), token })
  const signal = interruption()

  const told = (error: unknown) => (isLocal ? withLocalHint(error) : error)
  const interruptible = <O extends keyof Operations>(given: Given<O>) =>
    [{ ...given[0], signal }] as unknown as Given<O>
  const some: Remote['some'] = async (limit, operation, ...given) => {
    const items = []
    try {
      for await (const item of itemsOf(client, operation, ...interruptible(given))) {
        items.push(item)
        if (items.length >= limit) break
      }
    } catch (error) {
      throw told(error)
    }
    return items
  }
  return {
    client,
    some,
    all: (operation, ...given) => some(Infinity, operation, ...given),
    async ask(operation, ...given) {
      try {
        return (await client.ask(operation, ...interruptible(given))).body
      } catch (error) {
        throw told(error)
      }
    },
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

export type ListOfNamed =
  `GET /api/v1/${'servers' | 'volumes' | 'keys' | 'schedules' | 'plans' | 'scheduled-restores' | 'hooks' | 'app-backup-registrations' | 'channels' | 'notification-rules' | 'organizations' | 'roles'}`

/** That of a list whose name, or id, or beginning of its id it is. Throws `not_found`, naming what there is. */
export async function named(app: Remote, list: ListOfNamed, what: string, nameOrId: string): Promise<Named> {
  const all = await app.all<ListOfNamed>(list)
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
      const job = await app.ask('GET /api/v1/jobs/{id}', { params: { id } })
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
  if (state === 'cancelled' && !error) return new AppError('cancelled', 'The job was cancelled.')
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
