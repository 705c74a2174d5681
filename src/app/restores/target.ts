import type { z } from 'zod'
import { engineNamed } from '../../engines/index.ts'
import type { Engine, OwnPlaces } from '../../engines/engine.ts'
import { AppError } from '../../shared/errors.ts'
import type { RestoreMode } from '../../shared/restores.ts'
import { whereaboutsOf } from '../../store/whereabouts.ts'
import type { AppContext } from '../context.ts'
import { parseSettings } from '../driver-settings.ts'
import { SAMPLE_FOLDER } from '../servers/sample-server.ts'
import { connectionOf, type serverOf } from '../servers/servers.ts'

export type ServerRow = Awaited<ReturnType<typeof serverOf>>

/** What the engine is told of a restore. */
export interface EngineOptions {
  engine: Engine
  restoreOptions: Record<string, unknown>
  /** The options leave something out. */
  partial: boolean
  /** Where they leave everything out but these tables. */
  wholeTables?: string[]
}

/** Reads the options of the engine. Throws `invalid_input` with every field that is wrong. */
export function readOptions(engineName: string, options: Record<string, unknown>): EngineOptions {
  const engine = engineNamed(engineName)
  const schema: z.ZodType = engine.restoreOptions
  const restoreOptions = parseSettings(schema, options, { name: 'options', owner: engine.label })
  const { content = 'all', tables = [] } = restoreOptions as { content?: string; tables?: string[] }
  return {
    engine,
    restoreOptions,
    partial: content !== 'all' || tables.length > 0,
    ...(content === 'all' && tables.length > 0 && { wholeTables: tables }),
  }
}

/** The one name of a database of the server. Throws `invalid_input` for what is no name. */
export function fullNameOf(context: AppContext, server: ServerRow, database: string): string {
  return engineNamed(server.engine).fullName?.(connectionOf(context, server), database) ?? database
}

/** Holdfast's own database and files. */
export async function ownPlaces({ store, dataDirectory }: AppContext): Promise<OwnPlaces> {
  return { dataDirectory, sampleFolder: SAMPLE_FOLDER, store: await whereaboutsOf(store) }
}

/** Whether somebody must type the name of the database first. */
export function needsConfirmation({ isProduction }: ServerRow, mode: RestoreMode): boolean {
  return isProduction === 1 && mode !== 'new'
}

/** Whether what somebody has typed is the name of what would be changed, short or full; null: the server itself. */
export function confirms({ engine, name }: ServerRow, database: string | null, typed: string): boolean {
  if (database === null) return typed === name
  return typed === database || typed === engineNamed(engine).shortName?.(database)
}

export function isProtected({ name }: ServerRow): AppError {
  return new AppError('target_protected', `Nothing may be restored into the server “${name}”.`, {
    hint: 'Choose another server, or take its protection away in its settings.',
  })
}

export function isUnconfirmed({ name }: ServerRow, database: string | null): AppError {
  const typed = database ?? name
  const message = `must be “${typed}”`
  return new AppError(
    'confirmation_needed',
    `The server “${name}” is in production, and ${database === null ? 'it' : `“${database}”`} would be changed.`,
    {
      hint: `Send “${typed}” as confirmation if that is what you want.`,
      fields: [{ field: 'confirmation', message }],
    },
  )
}
