import {
  compareVersions,
  installHint,
  majorOf,
  pickTool,
  type FoundTool,
  type ToolNeed,
} from '../../lib/tools.ts'
import { AppError } from '../../shared/errors.ts'

function clientTool(name: string): ToolNeed {
  return {
    name,
    places: [
      '/usr/lib/postgresql/*/bin',
      '/usr/libexec/postgresql*',
      '/usr/pgsql-*/bin',
      '/opt/postgresql*/bin',
      '/opt/postgresql/*/bin',
      '/opt/homebrew/opt/postgresql@*/bin',
      '/opt/homebrew/opt/libpq/bin',
      '/usr/local/opt/postgresql@*/bin',
      '/usr/local/opt/libpq/bin',
      '/Applications/Postgres.app/Contents/Versions/*/bin',
    ],
    wrapper: /\/pg_wrapper$/, // Debian's /usr/bin/pg_dump, which looks at the host, among other things
    versionPattern: /\(PostgreSQL\) (\d+(?:\.\d+)*)/,
    install: { debian: 'postgresql-client', alpine: 'postgresql-client', macos: 'libpq' },
  }
}

export const pgDump = clientTool('pg_dump')
export const pgDumpAll = clientTool('pg_dumpall')
export const pgRestore = clientTool('pg_restore')
export const psql = clientTool('psql')

/**
 * The smallest version that is not older than the server: an older pg_dump refuses, and a newer one writes what the
 * server itself cannot read back without help.
 */
export function pickDumpTool(tools: readonly FoundTool[], need: ToolNeed, serverVersion: string): FoundTool {
  return pickTool(tools, need, majorOf(serverVersion))
}

/**
 * A tool that reads what `madeBy` wrote: not older than it. Among those one of the server's own kind, because from 17 on
 * they begin with a setting which older servers refuse.
 */
export function pickRestoreTool(
  tools: readonly FoundTool[],
  need: ToolNeed,
  madeBy: string | undefined,
  serverVersion: string,
): FoundTool {
  const oldest = madeBy === undefined ? 0 : majorOf(madeBy)
  const readers = tools
    .filter((tool) => tool.name === need.name && majorOf(tool.version) >= oldest)
    .sort((a, b) => compareVersions(a.version, b.version))
  const harmless = readers.filter((tool) => !needsFilter(tool.version, serverVersion))
  // A file of unknown origin may be of any version: the newest tool reads most.
  const chosen =
    madeBy === undefined
      ? (readers.at(-1) ?? harmless.at(-1))
      : (harmless.find((tool) => majorOf(tool.version) >= majorOf(serverVersion)) ??
        harmless.at(-1) ??
        readers[0])
  return chosen ?? missing(tools, need, oldest)
}

/** True if what the tool sends first is a setting that this older server does not know. */
export function needsFilter(toolVersion: string, serverVersion: string): boolean {
  return majorOf(toolVersion) >= 17 && majorOf(serverVersion) < 17
}

/** psql refuses all other meta-commands between `\restrict` and `\unrestrict` since these minor releases. */
export function canRestrict(psqlVersion: string): boolean {
  const since: Record<number, string> = { 13: '13.22', 14: '14.19', 15: '15.14', 16: '16.10', 17: '17.6' }
  const major = majorOf(psqlVersion)
  const first = since[major]
  return first === undefined ? major >= 18 : compareVersions(psqlVersion, first) >= 0
}

function missing(tools: readonly FoundTool[], need: ToolNeed, oldest: number): never {
  const found = tools
    .filter((tool) => tool.name === need.name)
    .map((tool) => `${tool.version} (${tool.path})`)
  const wanted = oldest === 0 ? need.name : `${need.name} ${oldest} or newer`
  throw new AppError(
    'tool_missing',
    `${wanted} is needed; ${found.length > 0 ? `found only ${found.join(', ')}` : 'found none'}.`,
    {
      hint: installHint(need),
    },
  )
}
