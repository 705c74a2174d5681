import { compareVersions, installHint, type FoundTool, type ToolNeed } from '../../lib/tools.ts'
import { AppError } from '../../shared/errors.ts'
import type { ServerFacts } from '../engine.ts'

const places = [
  '/opt/mysql*/bin',
  '/opt/mariadb*/bin',
  '/usr/local/mysql*/bin',
  '/usr/local/mariadb*/bin',
  '/opt/homebrew/opt/mysql*/bin',
  '/opt/homebrew/opt/mariadb*/bin',
  '/usr/local/opt/mysql*/bin',
  '/usr/local/opt/mariadb*/bin',
]
const install = {
  mariadb: { debian: 'mariadb-client', alpine: 'mariadb-client', macos: 'mariadb' },
  // Debian's own default-mysql-client is MariaDB's; Oracle's is in Oracle's repository and in Debian sid.
  mysql: {
    debian: 'mysql-client (from repo.mysql.com)',
    alpine: 'mariadb-client (Oracle’s is not packaged)',
    macos: 'mysql-client',
  },
}

/**
 * MariaDB installs its tools under both names. The version tells them apart, and keeps its suffix:
 * `10.11.14-MariaDB` is MariaDB's, `9.7.4` Oracle's.
 */
function clientTool(name: string, kind: 'mariadb' | 'mysql'): ToolNeed {
  return {
    name,
    places,
    versionPattern: /(?:Distrib|from|Ver) (\d+\.\d+\.\d+(?:-MariaDB)?)/,
    install: install[kind],
  }
}

const needs = {
  dump: { mariadb: clientTool('mariadb-dump', 'mariadb'), mysql: clientTool('mysqldump', 'mysql') },
  client: { mariadb: clientTool('mariadb', 'mariadb'), mysql: clientTool('mysql', 'mysql') },
} as const

export const mysqlTools: readonly ToolNeed[] = [
  needs.dump.mariadb,
  needs.client.mariadb,
  needs.dump.mysql,
  needs.client.mysql,
]

export type Purpose = keyof typeof needs

export interface PickedTool {
  path: string
  /** `mariadb-dump`, also where it was found as mysqldump. */
  name: string
  /** Without a suffix. */
  version: string
  maker: 'mariadb' | 'mysql'
  /** Why another one would be better. */
  warning?: string
}

/**
 * The tool of the server's own maker, in the smallest version that is not older than the server's: of Oracle's the first
 * number counts, of MariaDB's, whose yearly versions are 10.6, 10.11, 11.4, the first two. For Oracle's server MariaDB's tools are a fallback, with a warning; for MariaDB's server there is none, since Oracle's tools
 * no longer know how its users sign in. Throws `tool_missing`.
 */
export function pickClientTool(
  tools: readonly FoundTool[],
  purpose: Purpose,
  server: Pick<ServerFacts, 'flavour' | 'version'>,
): PickedTool {
  const found = tools
    .filter(({ name }) => name === needs[purpose].mariadb.name || name === needs[purpose].mysql.name)
    .map((tool) => describeTool(tool, purpose))
    .sort((a, b) => compareVersions(a.version, b.version))
  const maker = server.flavour === 'mariadb' ? 'mariadb' : 'mysql'
  const oldest = seriesOf(server.version, maker)
  const own = found.find((tool) => tool.maker === maker && compareVersions(tool.version, oldest) >= 0)
  if (own) return own
  const fallback = found.findLast((tool) => tool.maker === 'mariadb')
  if (maker === 'mysql' && fallback) {
    const warning = `MySQL ${server.version} is served by MariaDB’s ${fallback.name} ${fallback.version}, because no ${needs[purpose].mysql.name} ${oldest} or newer of Oracle’s was found. It may not know everything of this server.`
    return { ...fallback, warning }
  }
  const need = needs[purpose][maker]
  const present = found.map((tool) => `${tool.name} ${tool.version} (${tool.path})`).join(', ')
  throw new AppError(
    'tool_missing',
    `${need.name} ${oldest} or newer is needed; found ${present === '' ? 'none' : `only ${present}`}.`,
    { hint: installHint(need) },
  )
}

/** The part of a version within which tools and servers understand each other. */
function seriesOf(version: string, maker: PickedTool['maker']): string {
  const numbers = version.split('.')
  return numbers.slice(0, maker === 'mariadb' ? 2 : 1).join('.')
}

function describeTool(tool: FoundTool, purpose: Purpose): PickedTool {
  const maker = tool.name.startsWith('mariadb') || tool.version.endsWith('-MariaDB') ? 'mariadb' : 'mysql'
  return {
    path: tool.path,
    name: needs[purpose][maker].name,
    version: tool.version.replace('-MariaDB', ''),
    maker,
  }
}
