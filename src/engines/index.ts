import type { z } from 'zod'
import { AppError } from '../shared/errors.ts'
import type { Engine } from './engine.ts'
import { mysql } from './mysql/index.ts'
import { postgresql } from './postgresql/index.ts'
import { sqlite } from './sqlite/index.ts'

/** Every engine. A new one is its folder and its name here. */
export const engines = { postgresql, mysql, sqlite } satisfies Record<string, Engine>

export type EngineName = keyof typeof engines

export interface OpenedServer {
  engineName: EngineName
  engine: Engine
  /** Valid settings; they contain the secrets. */
  connection: unknown
  /** The database that the URL names, if any. */
  database: string | undefined
  /** The host, as people call the server when it has no other name. */
  host: string | undefined
}

/** The engine with that name. Throws `unsupported`. */
export function engineNamed(name: string): Engine {
  if (Object.hasOwn(engines, name)) return engines[name as EngineName]
  throw new AppError('unsupported', `There is no engine “${name}” in this version of Holdfast.`)
}

/**
 * Reads a database URL. Secrets may come from the environment. Throws `invalid_input` naming the setting that is
 * missing or wrong; a secret is never quoted.
 */
export function openDatabaseUrl(url: string, environment: NodeJS.ProcessEnv): OpenedServer {
  const { engineName, engine } = engineOfUrl(url)
  const { connection, database } = engine.fromUrl(url, environment)
  const settings = parseSettings(engine.connection, connection, `the ${engine.label} URL`)
  const { host } = settings as { host?: string }
  return { engineName, engine, connection: settings, database, host }
}

/** The engine that the URL is of. Throws `invalid_input`, naming those that there are. */
export function engineOfUrl(url: string): Pick<OpenedServer, 'engineName' | 'engine'> {
  const scheme = schemeOf(url)
  const found = Object.entries(engines).find(([, engine]) => knows(engine, scheme))
  if (!found) {
    const schemes = Object.values(engines).flatMap((engine) => engine.schemes.map((known) => `${known}:`))
    throw new AppError(
      'invalid_input',
      scheme ? `“${scheme}:” is no kind of database.` : 'A database URL is wanted.',
      {
        hint: `It begins with one of ${schemes.join(' ')}`,
      },
    )
  }
  const [engineName, engine] = found as [EngineName, Engine]
  return { engineName, engine }
}

/** Whether the URL begins as those of some engine do. */
export function isDatabaseUrl(url: string): boolean {
  return Object.values(engines).some((engine) => knows(engine, schemeOf(url)))
}

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
}

function knows(engine: Engine, scheme: string | undefined): boolean {
  return scheme !== undefined && engine.schemes.includes(scheme)
}

/** What the schema makes of the settings. Throws `invalid_input` naming the first setting that is wrong. */
export function parseSettings(schema: z.ZodType, settings: unknown, what: string): unknown {
  const parsed = schema.safeParse(settings)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => `“${key}”`).join(' and ')
    throw new AppError('invalid_input', `Among ${what} there is no ${unknown}.`)
  }
  const setting = issue?.path.join('.')
  throw new AppError(
    'invalid_input',
    `In ${what}: ${setting ? `${setting}: ` : ''}${issue?.message}.`.replace(/\.\.$/, '.'),
  )
}
