import type { Engine, OwnPlaces, ServerFacts } from '../engines/engine.ts'
import { isOver } from '../lib/identity.ts'
import { compareVersions } from '../lib/tools.ts'
import { AppError } from '../shared/errors.ts'
import type { RestoreMode } from '../shared/restores.ts'
import type { Manifest } from '../shared/snapshots.ts'
import { cannotRunSql } from './run-sql.ts'

export { restoreModes, type RestoreMode } from '../shared/restores.ts'

/** Where a restore is to write to, and how. */
export interface RestoreTarget {
  engine: Engine
  connection: unknown
  /** `new`: must not exist. `replace`: may. `existing`: must. Undefined: the server itself. */
  database: string | undefined
  mode: RestoreMode
  /** The options leave something out. */
  partial: boolean
  /**
   * SQL that runs in the restored database, in which personal data is masked for instance, before the database takes its
   * name. If it fails, so does the restore.
   */
  runAfter?: string
  /** Holdfast's own database and files, which are no target; absent if there are none. */
  own?: OwnPlaces
}

/**
 * Throws `invalid_input` if this can be no target, whatever the snapshot is: besides what `checkOrder` refuses, the
 * server's own databases and Holdfast's.
 */
export async function checkTarget(target: RestoreTarget, signal: AbortSignal): Promise<void> {
  checkOrder(target)
  const { engine, connection, database, own } = target
  if (database === undefined) return
  await engine.checkTarget?.(connection, database, signal)
  if (own) await engine.refuseOwn?.(connection, database, own, signal)
}

/**
 * Throws `invalid_input` for what is wrong whatever the server is: a database in whose place a part would come, and one
 * with rows of its own for SQL that runs after.
 */
export function checkOrder(target: Omit<RestoreTarget, 'connection' | 'own'>): void {
  const { engine, database, mode, partial, runAfter } = target
  if (runAfter !== undefined) checkRunAfter(target)
  if (database === undefined) {
    if (!engine.globals) throw noDatabase(engine)
    return
  }
  if (mode === 'replace' && partial) {
    throw new AppError(
      'invalid_input',
      `A part of a snapshot cannot take the place of all of “${database}”.`,
      {
        hint: 'Restore it with the mode “existing”, which adds to the database, or under a new name. To replace everything, choose no tables, and both structure and data.',
      },
    )
  }
}

/** Throws `unsupported` for a snapshot of another engine. */
export function checkEngine(engine: Engine, engineName: string, { server }: Manifest): void {
  if (server.engine === engineName) return
  throw new AppError('unsupported', `A ${server.engine} snapshot cannot be restored into ${engine.label}.`)
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
  const rest = database === undefined ? `the mode “${mode}” is for databases` : `“${database}” is a database`
  throw new AppError('invalid_input', `This snapshot holds ${engine.globals?.what}, and ${rest}.`, {
    hint: 'Name a server without a database, with the mode “existing”: it is added to what the server has.',
  })
}

/** Throws `database_exists` or `database_not_found` where the mode wants it otherwise. */
export function checkMode(mode: RestoreMode, exists: boolean, isHalf: boolean, database: string): void {
  if (mode === 'new' && isHalf) {
    throw new AppError(
      'database_exists',
      `The database “${database}” exists already, left half restored by an interrupted restore.`,
      {
        hint: 'If no other restore is just filling it, drop it (DROP DATABASE), or restore with the mode “replace”.',
      },
    )
  }
  if (mode === 'new' && exists) {
    throw new AppError('database_exists', `The database “${database}” exists already.`, {
      hint: 'Choose another name, or the mode “replace” to put the snapshot in its place.',
    })
  }
  if (mode === 'existing' && !exists) {
    throw new AppError('database_not_found', `There is no database “${database}” to restore into.`, {
      hint: 'Restore with the mode “new” to create it.',
    })
  }
}

/** Whether a restore that is over has left the target half. Throws `database_in_use` if one that lives is filling it. */
export async function isLeftHalf(
  { engine, connection, database }: Pick<RestoreTarget, 'engine' | 'connection'> & { database: string },
  signal: AbortSignal,
): Promise<boolean> {
  const filler = await engine.unfinishedMark?.read(connection, database, signal)
  if (filler === undefined) return false
  const [token = ''] = filler.split('/')
  if (isOver(token) !== false) return true
  throw new AppError('database_in_use', `Another restore is just filling “${database}”.`, {
    hint: 'Wait until it has ended.',
  })
}

/** What is known to go wrong, or may, because the target is not of the kind that was backed up. */
export function versionWarnings({ server: source }: Pick<Manifest, 'server'>, target: ServerFacts): string[] {
  if (source.flavour !== target.flavour) {
    return [
      `The snapshot is of ${source.flavour} ${source.version}, and the target is ${target.flavour} ${target.version}: not everything need be understood there.`,
    ]
  }
  if (compareVersions(seriesOf(target.version), seriesOf(source.version)) >= 0) return []
  return [
    `The target is older (${target.version}) than the server that was backed up (${source.version}): what only the newer one knows fails.`,
  ]
}

function checkRunAfter({ engine, database, mode }: Omit<RestoreTarget, 'connection' | 'own'>): void {
  if (!engine.runSql) throw cannotRunSql(engine)
  if (database !== undefined && mode !== 'existing') return
  throw new AppError('invalid_input', 'SQL runs only in a database that the restore itself has made.', {
    hint: 'If it failed in another one, what it has changed there could not be taken back. Restore under a new name, or replace the database.',
  })
}

function noDatabase({ schemes }: Engine): AppError {
  return new AppError('invalid_input', 'Into which database? The URL names none.', {
    hint: `${schemes[0]}://user@host/name-of-the-database`,
  })
}

/** Without the number of the bug fix: 15 of 15.4, 10.11 of 10.11.6. */
function seriesOf(version: string): string {
  const numbers = version.split('.')
  return numbers.slice(0, Math.max(1, numbers.length - 1)).join('.')
}
