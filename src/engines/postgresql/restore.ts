import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GlobalsRequest, Restore, RestoreRequest, StdinTarget } from '../engine.ts'
import type { Command } from '../../lib/process.ts'
import { AppError } from '../../shared/errors.ts'
import { prepareArchive, prepareArchiveFile, type Preparation } from './archive-preparation.ts'
import { toolEnvironment } from './environment.ts'
import { createSchemas, missingSchemas, tellsSchemas } from './missing-schemas.ts'
import { conninfo, exactTable } from './names.ts'
import type { RestoreOptions } from './options.ts'
import {
  inTransaction,
  restricted,
  withExistingRoles,
  withFirst,
  withMissingSchemas,
  withoutPublicSchema,
  withoutTransactionTimeout,
} from './script-filters.ts'
import { selectTables } from './select-tables.ts'
import type { PostgresConnection } from './settings.ts'
import { canRestrict, needsFilter, pgRestore, pickRestoreTool, psql } from './tools.ts'

type Request = RestoreRequest<PostgresConnection, RestoreOptions>
type AnyRequest = GlobalsRequest<PostgresConnection, RestoreOptions>
type Stages = NonNullable<StdinTarget['through']>

/** How a dump's bytes become a database: by pg_restore, or by psql where the dump is a script. */
export function restore(request: Request): Restore {
  checkOptions(request)
  switch (request.format) {
    case 'custom':
    case 'directory':
      return restoreArchive(request, request.format)
    case 'plain':
      return runScript(request, request.database, schemaFilters(request.mode))
    case 'globals':
      throw new AppError('unsupported', 'Roles and tablespaces belong to the server, not to a database.')
    default:
      throw new AppError('unsupported', `PostgreSQL has no dumps of the format “${request.format}”.`)
  }
}

/** How roles and tablespaces come back to a server, by way of a database that they do not touch. */
export function restoreGlobals(request: AnyRequest): Restore {
  checkScriptOptions(request)
  return runScript(request, request.connection.maintenanceDatabase, [withExistingRoles])
}

function schemaFilters(mode: Request['mode']): Stages {
  return mode === 'empty' ? [withoutPublicSchema, withMissingSchemas] : []
}

function checkOptions(request: Request): void {
  if (request.format === 'plain') checkScriptOptions(request)
  if (request.options.clean && request.mode === 'empty') {
    throw new AppError('invalid_input', 'Nothing is to be dropped in an empty database.', {
      hint: '“Drop first what is restored” is for restoring into an existing database.',
    })
  }
}

function checkScriptOptions({ format, options }: AnyRequest): void {
  const { content, tables, owner, clean, owners, privileges, comments, jobs } = options
  const selects = content !== 'all' || tables.length > 0 || owner !== undefined || clean || jobs > 1
  if (!selects && owners && privileges && comments) return
  throw new AppError('unsupported', 'A dump in plain SQL is restored as it is, or not at all.', {
    ...(format === 'plain' && {
      hint: 'Back up in the format custom to be able to choose when restoring.',
    }),
  })
}

/**
 * One pg_restore in one transaction, reading its input as a stream; or several jobs, which need a file or a directory.
 * Where pg_restore is newer than the server understands, it writes a script, and psql runs it.
 */
function restoreArchive(request: Request, format: 'custom' | 'directory'): Restore {
  const { connection, database, server, madeBy, options, tools, workDirectory } = request
  const tool = pickRestoreTool(tools, pgRestore, madeBy?.version, server.version)
  const { env, secretFiles } = toolEnvironment(connection, database, workDirectory)
  const path = join(workDirectory, format === 'custom' ? 'restored.dump' : 'restored')
  // Only a script has room for statements of ours in its transaction.
  const byScript = needsFilter(tool.version, server.version) || request.first !== undefined
  const selection = options.tables.map(exactTable)
  const list = join(workDirectory, 'list')
  const common = ['--no-password', `--format=${format}`, ...contentArguments(options)]
  const parallel = options.jobs > 1
  if (parallel && byScript) throw cannotShareScript(tool.version, server.version)
  if (parallel && selection.length > 0) throw cannotShareSelection()

  const into = (args: string[]): Command => ({ file: tool.path, args: [...common, ...args], env })
  const direct = ['--exit-on-error', `--dbname=${conninfo(database)}`]
  const serial = [...direct, '--single-transaction']
  const feed = psqlStages(request, tool.version, env)
  const preparation = preparationFor(request, list)

  if (format === 'directory') {
    if (selection.length > 0) throw cannotSelect()
    const args = parallel ? [...direct, `--jobs=${options.jobs}`, path] : [...serial, path]
    const target = byScript
      ? ({ into: 'directory', directory: path, command: into(['--file=-', path]), script: feed } as const)
      : ({ into: 'directory', directory: path, command: into(args) } as const)
    return { target, secretFiles, ...prepared(join(path, 'toc.dat'), preparation) }
  }
  if (parallel) {
    const command = into([...direct, `--jobs=${options.jobs}`, path])
    return { target: { into: 'file', path, command }, secretFiles, ...prepared(path, preparation) }
  }
  const stages: Stages = preparation ? [prepareArchive(preparation)] : []
  const listed = selection.length > 0 ? [`--use-list=${list}`] : []
  if (byScript) {
    const stage = into(['--file=-', ...listed])
    return {
      target: { into: 'stdin', through: [...stages, stage, ...feed.through], command: feed.command },
      secretFiles,
    }
  }
  const command = into([...serial, ...listed])
  return { target: { into: 'stdin', through: stages, command }, secretFiles }
}

/**
 * What is done as soon as the table of contents is known: the list of what is chosen from it is written, and a new
 * database gets the schemas that a dump of chosen tables takes for granted.
 */
function preparationFor(request: Request, list: string): Preparation | undefined {
  const { connection, database, options, mode } = request
  const selection = options.tables.map(exactTable)
  if (mode !== 'empty' && selection.length === 0) return undefined
  return {
    isKept: (entry) => selection.length > 0 || tellsSchemas(entry),
    keepsPublic: mode === 'empty',
    async act({ entries }, signal) {
      const chosen = selection.length > 0 ? selectTables(entries, selection, mode) : entries
      if (selection.length > 0)
        await writeFile(list, chosen.map(({ id }) => `${id};\n`).join(''), { mode: 0o600 })
      if (mode === 'empty')
        await createSchemas(connection, database, missingSchemas(chosen), options.owner, signal)
    },
  }
}

function prepared(path: string, preparation: Preparation | undefined): Pick<Restore, 'prepare'> {
  return preparation ? { prepare: (signal) => prepareArchiveFile(path, preparation, signal) } : {}
}

function contentArguments(options: RestoreOptions): string[] {
  const args: string[] = []
  if (options.content === 'schema') args.push('--schema-only')
  if (options.content === 'data') args.push('--data-only')
  if (!options.owners || options.owner !== undefined) args.push('--no-owner')
  if (options.owner !== undefined) args.push(`--role=${options.owner}`)
  if (!options.privileges) args.push('--no-privileges')
  if (!options.comments) args.push('--no-comments')
  if (options.clean) args.push('--clean', '--if-exists')
  return args
}

/**
 * A script of pg_dump or pg_dumpall, by psql, and nothing but SQL where psql can see to that. All of it or nothing,
 * except for globals: a tablespace cannot be created in a transaction.
 */
function runScript(request: AnyRequest, database: string, filters: Stages): Restore {
  const { connection, workDirectory, madeBy } = request
  const { env, secretFiles } = toolEnvironment(connection, database, workDirectory)
  const { command, through } = psqlStages(request, madeBy?.version, env)
  return { target: { into: 'stdin', through: [...filters, ...through], command }, secretFiles }
}

/** psql as the last stage for a script that a tool of this version wrote, and what has to be changed on the way. */
function psqlStages(
  { server, tools, format, first }: AnyRequest,
  writer: string | undefined,
  env: Record<string, string>,
): { command: Command; through: Stages } {
  const tool = pickRestoreTool(tools, psql, writer, server.version)
  const through: Stages = []
  if (needsFilter(writer ?? '999', server.version)) through.push(withoutTransactionTimeout)
  if (first !== undefined) through.push(withFirst(first))
  if (format !== 'globals') through.push(inTransaction)
  if (canRestrict(tool.version)) through.push(restricted)
  const args = [
    '--no-psqlrc',
    '--no-password',
    '--quiet',
    '--set=ON_ERROR_STOP=1',
    '--output=/dev/null',
    '--file=-',
  ]
  return { command: { file: tool.path, args, env }, through }
}

function cannotShareScript(tool: string, server: string): AppError {
  return new AppError(
    'unsupported',
    `pg_restore ${tool} cannot restore into PostgreSQL ${server} by several jobs: only as one script.`,
    {
      hint: 'Restore by one job, or into PostgreSQL 17 or newer; for snapshots to come, let tools of the server’s own version make and restore them.',
    },
  )
}

function cannotShareSelection(): AppError {
  return new AppError('unsupported', 'Chosen tables are restored by one job, in one transaction.', {
    hint: 'Leave the number of jobs out, or restore the whole snapshot.',
  })
}

function cannotSelect(): AppError {
  return new AppError(
    'unsupported',
    'Single tables cannot be restored from a dump in the format directory.',
    {
      hint: 'Restore all of it under a new name and copy the tables, or back up in the format custom.',
    },
  )
}
