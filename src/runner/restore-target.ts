import type { Engine } from '../engines/engine.ts'
import { AppError } from '../shared/errors.ts'
import type { Manifest } from '../shared/snapshots.ts'

export const restoreModes = ['new', 'replace', 'existing'] as const
export type RestoreMode = (typeof restoreModes)[number]

/** Where a restore is to write to, and how. */
export interface RestoreTarget {
  engine: Engine
  connection: unknown
  /** `new`: must not exist. `replace`: may. `existing`: must. Undefined: the server itself. */
  database: string | undefined
  mode: RestoreMode
  /** The options leave something out. */
  partial: boolean
}

/**
 * Throws `invalid_input` if this can be no target, whatever the snapshot is: the server's own databases, and a database
 * in whose place a part would come.
 */
export async function checkTarget(target: RestoreTarget, signal: AbortSignal): Promise<void> {
  const { engine, connection, database, mode, partial } = target
  if (database === undefined) {
    if (!engine.globals) throw noDatabase(engine)
    return
  }
  if (mode === 'replace' && partial) {
    throw new AppError(
      'invalid_input',
      `A part of a snapshot cannot take the place of all of “${database}”.`,
      {
        hint: 'Use --mode existing to add it to the database, or restore it under a new name. To replace everything, leave out --table, --schema-only and --data-only.',
      },
    )
  }
  await engine.checkTarget?.(connection, database, signal)
}

export function isOfServer(engine: Engine, { format }: Manifest): boolean {
  return engine.globals?.format === format
}

/** The name of the database that the snapshot goes into. Throws `invalid_input` unless it is one of a database, and named. */
export function databaseFor({ engine, database }: RestoreTarget, manifest: Manifest): string {
  if (database !== undefined && !isOfServer(engine, manifest)) return database
  throw noDatabase(engine)
}

/**
 * Throws `invalid_input` unless the target of what belongs to a server is the server: it has no rows to make a database
 * of, and what is there already stays and is changed.
 */
export function checkServerTarget({ engine, database, mode }: RestoreTarget): void {
  if (database === undefined && mode === 'existing') return
  const rest = database === undefined ? `--mode ${mode} is for databases` : `“${database}” is a database`
  throw new AppError('invalid_input', `This snapshot holds ${engine.globals?.what}, and ${rest}.`, {
    hint: `Name the server alone, and say that it is to be added to: --into ${engine.schemes[0]}://user@host --mode existing.`,
  })
}

/** Throws `database_exists` or `database_not_found` where the mode wants it otherwise. */
export function checkMode(mode: RestoreMode, exists: boolean, isHalf: boolean, database: string): void {
  if (mode === 'new' && isHalf) {
    throw new AppError(
      'database_exists',
      `The database “${database}” exists already, left half restored by an interrupted restore.`,
      { hint: 'If no other restore is just filling it, drop it (DROP DATABASE), or use --mode replace.' },
    )
  }
  if (mode === 'new' && exists) {
    throw new AppError('database_exists', `The database “${database}” exists already.`, {
      hint: 'Choose another name, or --mode replace to put the snapshot in its place.',
    })
  }
  if (mode === 'existing' && !exists) {
    throw new AppError('database_not_found', `There is no database “${database}” to restore into.`, {
      hint: 'Use --mode new to create it.',
    })
  }
}

function noDatabase({ schemes }: Engine): AppError {
  return new AppError('invalid_input', 'Into which database? The URL names none.', {
    hint: `${schemes[0]}://user@host/name-of-the-database`,
  })
}
