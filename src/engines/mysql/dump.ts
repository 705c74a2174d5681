import { compareVersions } from '../../lib/tools.ts'
import type { Dump, DumpRequest, Filter } from '../engine.ts'
import { tablesLike } from './databases.ts'
import { withoutTables, type LeftOut } from './filter.ts'
import { connectTool } from './option-file.ts'
import type { DumpOptions } from './options.ts'
import type { MysqlConnection } from './settings.ts'
import { extraDumpArguments } from './tool-options.ts'
import { pickClientTool, type PickedTool } from './tools.ts'
import { MARK } from './unfinished-mark.ts'

/** The largest statement, and so the largest row, that the protocol can carry: 1 GiB. */
export const LARGEST_PACKET = '--max-allowed-packet=1073741824'

export function planDump(request: DumpRequest<MysqlConnection, DumpOptions>): Dump {
  const { connection, database, server, options, tools, workDirectory } = request
  const tool = pickClientTool(tools, 'dump', server)
  const { args, env, files } = connectTool(tool, connection, server.tls !== false, workDirectory)
  const leftOut = leaveOut(tool, database, options)
  const patterns = [...options.excludeTables, ...options.excludeTableData]
  return {
    format: 'plain',
    extension: '.sql',
    tool: { name: tool.name, version: tool.version },
    source: {
      from: 'stdout',
      command: {
        file: tool.path,
        args: [
          ...args,
          '--single-transaction',
          '--quick',
          '--routines',
          '--triggers',
          '--events',
          '--hex-blob',
          '--default-character-set=utf8mb4',
          '--no-tablespaces',
          LARGEST_PACKET,
          ...argumentsOfMaker(tool, options.position && mayAskForPosition(request)),
          ...extraDumpArguments(options.extra),
          ...leftOut.args,
          `--ignore-table=${database}.${MARK}`,
          '--',
          database,
        ],
        env,
      },
      filter: leftOut.filter,
    },
    secretFiles: files,
    warnings: tool.warning === undefined ? undefined : [tool.warning],
    ...(patterns.length > 0 && { check: (signal) => idlePatterns(connection, database, patterns, signal) }),
  }
}

/** The tools leave out without a word what is not there: perhaps it was only misspelt. */
async function idlePatterns(
  connection: MysqlConnection,
  database: string,
  patterns: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const matches = await tablesLike(connection, database, patterns, signal)
  return patterns
    .filter((_, i) => !matches[i])
    .map((pattern) => `“${pattern}” matches no table of “${database}”: it leaves nothing out.`)
}

/** What inspect() found out holds for the user that it signed in as. */
function mayAskForPosition({ server, connection }: DumpRequest<MysqlConnection, DumpOptions>): boolean {
  return server.details?.['position'] === true && server.user?.startsWith(`${connection.user}@`) === true
}

/** Options that only one of the makers knows, and the position in the binary log, under the name it has there. */
function argumentsOfMaker(tool: PickedTool, position: boolean): string[] {
  if (tool.maker === 'mariadb') return position && tool.warning === undefined ? ['--master-data=2'] : []
  const since = (version: string) => compareVersions(tool.version, version) >= 0
  return [
    '--set-gtid-purged=OFF',
    ...(since('8.0.2') ? ['--column-statistics=0'] : []),
    ...(position ? [since('8.0.26') ? '--source-data=2' : '--master-data=2'] : []),
  ]
}

/**
 * What the tool itself leaves out is not even read from the server. It knows no wildcards, and Oracle's cannot leave out
 * the rows alone.
 */
function leaveOut(
  tool: PickedTool,
  database: string,
  { excludeTables, excludeTableData }: DumpOptions,
): { args: string[]; filter?: Filter } {
  const hasWildcard = (name: string) => name.includes('*')
  const byTool = (name: string) => !hasWildcard(name)
  const rowsByTool = (name: string) => byTool(name) && tool.maker === 'mariadb'
  const rest: LeftOut = {
    tables: excludeTables.filter(hasWildcard),
    rows: excludeTableData.filter((name) => !rowsByTool(name)),
  }
  return {
    args: [
      ...excludeTables.filter(byTool).map((name) => `--ignore-table=${database}.${name}`),
      ...excludeTableData.filter(rowsByTool).map((name) => `--ignore-table-data=${database}.${name}`),
    ],
    ...(rest.tables.length + rest.rows.length > 0 && { filter: (bytes) => withoutTables(bytes, rest) }),
  }
}
