import { join } from 'node:path'
import type { Dump, DumpRequest } from '../engine.ts'
import { majorOf } from '../../lib/tools.ts'
import { AppError } from '../../shared/errors.ts'
import { checkChoice } from './check-choice.ts'
import { toolEnvironment } from './environment.ts'
import { conninfo, toolPattern } from './names.ts'
import type { DumpOptions } from './options.ts'
import type { PostgresConnection } from './settings.ts'
import { extraDumpArguments } from './tool-options.ts'
import { pgDump, pgDumpAll, pickDumpTool } from './tools.ts'

/** How a database, or the globals of its server, become a stream of bytes. */
export function dump(request: DumpRequest<PostgresConnection, DumpOptions>): Dump {
  return request.options.globals ? dumpGlobals(request) : dumpDatabase(request)
}

function dumpDatabase(request: DumpRequest<PostgresConnection, DumpOptions>): Dump {
  const { connection, database, server, facts, options, tools, workDirectory } = request
  const tool = pickDumpTool(tools, pgDump, server.version)
  const { env, secretFiles } = toolEnvironment(connection, database, workDirectory)
  const directory = join(workDirectory, 'dump')
  const args = [
    '--no-password',
    ...formatArguments(options, directory),
    ...contentArguments(options, majorOf(tool.version)),
    ...extraDumpArguments(options.extra),
  ]
  const encoding = clientEncoding(options, facts.encoding)
  const command = {
    file: tool.path,
    args,
    env: { ...env, ...(encoding !== undefined && { PGCLIENTENCODING: encoding }) },
  }
  return {
    format: options.format,
    extension: { custom: '.dump', plain: '.sql', directory: '.tar' }[options.format],
    tool: { name: tool.name, version: tool.version },
    source:
      options.format === 'directory'
        ? { from: 'directory', command, directory, bytes: facts.bytes ?? 0 }
        : { from: 'stdout', command },
    secretFiles,
    ...(patternsOf(options).length > 0 && {
      check: (signal) =>
        checkChoice({ connection, database, options, toolMajor: majorOf(tool.version) }, signal),
    }),
  }
}

/**
 * The database's own encoding, whatever the settings of the user or the database are: nothing is converted, so that
 * every byte comes back, also those for which other encodings have none. But pg_dump reads its patterns in the encoding
 * of the dump, and gets them from us in UTF-8. Throws `tool_option_refused` where an extra option is against that.
 */
function clientEncoding(options: DumpOptions, own: string | undefined): string | undefined {
  if (own === undefined || own === 'UTF8') return own
  const chosen = encodingOption(extraDumpArguments(options.extra))
  const isInAscii = /^[\0-\x7f]*$/.test([...patternsOf(options), options.extra].join(''))
  if (chosen !== undefined && own !== 'SQL_ASCII') {
    if (chosen === 'SQLASCII')
      throw encodingRefused(`the dump would be in ${own} without saying so`, 'Choose another encoding.')
    if (!isInAscii && chosen !== 'UTF8' && chosen !== 'UNICODE') {
      const hint = 'Leave the encoding out: with such names the dump is in UTF8.'
      throw encodingRefused('pg_dump would not understand the names that are chosen or left out', hint)
    }
  }
  return isInAscii || own === 'SQL_ASCII' ? own : 'UTF8'
}

/** The last one counts. Case and punctuation of an encoding's name do not. */
function encodingOption(args: readonly string[]): string | undefined {
  const values = args.flatMap((arg, i) => {
    if (arg === '-E') return [args[i + 1] ?? '']
    return arg.startsWith('--encoding=') ? [arg.slice('--encoding='.length)] : []
  })
  return values
    .at(-1)
    ?.replaceAll(/[^a-zA-Z0-9]/g, '')
    .toUpperCase()
}

function encodingRefused(reason: string, hint: string): AppError {
  return new AppError('tool_option_refused', `The option --encoding of pg_dump is refused: ${reason}.`, {
    hint,
  })
}

function patternsOf({ schemas, tables, excludeTables, excludeTableData }: DumpOptions): string[] {
  return [...schemas, ...tables, ...excludeTables, ...excludeTableData]
}

/** Without superuser rights nobody may read passwords: the roles then come without them. */
function dumpGlobals(request: DumpRequest<PostgresConnection, DumpOptions>): Dump {
  const { connection, server, options, tools, workDirectory } = request
  const tool = pickDumpTool(tools, pgDumpAll, server.version)
  const { env, secretFiles } = toolEnvironment(connection, connection.maintenanceDatabase, workDirectory)
  const args = ['--no-password', '--globals-only', `--database=${conninfo(connection.maintenanceDatabase)}`]
  if (!server.superuser) args.push('--no-role-passwords')
  if (!options.comments) args.push('--no-comments')
  return {
    subject: '@globals',
    format: 'globals',
    extension: '.sql',
    tool: { name: tool.name, version: tool.version },
    source: { from: 'stdout', command: { file: tool.path, args, env } },
    secretFiles,
    ...(!server.superuser && {
      warnings: [
        'Only a superuser may read the passwords of roles: this snapshot of the globals is without them.',
      ],
    }),
  }
}

/** Nothing is compressed here: the runner compresses better, and sees how many rows each table has. */
function formatArguments({ format, jobs = 2 }: DumpOptions, directory: string): string[] {
  switch (format) {
    case 'custom':
      return ['--format=custom', '--compress=0']
    case 'plain':
      return ['--format=plain']
    case 'directory':
      return ['--format=directory', '--compress=0', `--jobs=${jobs}`, `--file=${directory}`, '--no-sync']
    default: {
      const never: never = format
      throw never
    }
  }
}

function contentArguments(options: DumpOptions, toolMajor: number): string[] {
  // A partitioned table has its rows in its partitions, which have names of their own: from 16 on pg_dump knows.
  const children = toolMajor >= 16 ? '-and-children' : ''
  const args = [
    ...options.schemas.map((name) => `--schema=${toolPattern(name, 'schema')}`),
    ...options.tables.map((name) => `--table${children}=${toolPattern(name, 'table')}`),
    ...options.excludeTables.map((name) => `--exclude-table${children}=${toolPattern(name, 'table')}`),
    ...options.excludeTableData.map(
      (name) => `--exclude-table-data${children}=${toolPattern(name, 'table')}`,
    ),
  ]
  if (options.schemas.length > 0 || options.tables.length > 0) args.push('--strict-names')
  // A wildcard for the schema means the user's; pg_dump would also dump its own.
  if (options.tables.length > 0)
    args.push('--exclude-table="information_schema".*', '--exclude-table="pg_"*.*')
  if (options.schemas.length > 0)
    args.push('--exclude-schema="information_schema"', '--exclude-schema="pg_"*')
  if (!options.owners) args.push('--no-owner')
  if (!options.privileges) args.push('--no-privileges')
  if (!options.comments) args.push('--no-comments')
  if (options.serializableDeferrable) args.push('--serializable-deferrable')
  // Until 15 they were called blobs, and the short options have stayed.
  if (options.largeObjects !== undefined) args.push(options.largeObjects ? '-b' : '-B')
  return args
}
