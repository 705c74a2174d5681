import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { compareVersions } from '../../lib/tools.ts'
import type { MysqlConnection } from './settings.ts'
import type { PickedTool } from './tools.ts'

/** How a tool connects: arguments that must come first, environment, and the files that they name. */
export interface ToolConnection {
  args: string[]
  env: Record<string, string>
  files: Record<string, string>
}

/**
 * Everything about the connection is in one option file, and no other is read. `serverTls` says whether the server
 * offers TLS: MariaDB's tools know no “if it is offered”.
 */
export function connectTool(
  tool: PickedTool,
  settings: MysqlConnection,
  serverTls: boolean,
  workDirectory: string,
): ToolConnection {
  const path = join(workDirectory, 'connection.cnf')
  const files: Record<string, string> = {}
  const store = (name: string, text: string) => {
    const file = join(workDirectory, name)
    files[file] = text
    return file
  }
  const options: Record<string, string | true> = { user: settings.user, password: settings.password }
  if (settings.socket === undefined) {
    Object.assign(options, { host: settings.host, port: String(settings.port), protocol: 'TCP' })
    Object.assign(options, tlsOptions(tool, settings, serverTls, store))
  } else Object.assign(options, { socket: settings.socket, protocol: 'SOCKET' })
  files[path] = optionFile(options)
  return {
    args: [`--defaults-file=${path}`],
    // Oracle's tools read ~/.mylogin.cnf besides the one option file, unless it is elsewhere.
    env: { MYSQL_TEST_LOGIN_FILE: join(workDirectory, 'no-login-file') },
    files,
  }
}

/** The text of an option file. Values are quoted so that every password survives. */
export function optionFile(options: Record<string, string | true>): string {
  const lines = Object.entries(options).map(([name, value]) =>
    value === true ? name : `${name}=${quote(value)}`,
  )
  return ['[client]', ...lines, ''].join('\n')
}

// Source of the escapes: mysys/my_default.c of both.
const escapes: Record<string, string> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
}

function quote(value: string): string {
  return `"${value.replaceAll(/[\\"\n\r\t\b]/g, (character) => escapes[character] ?? character)}"`
}

function tlsOptions(
  tool: PickedTool,
  { tls, tlsCa, tlsCertificate, tlsKey }: MysqlConnection,
  serverTls: boolean,
  store: (name: string, text: string) => string,
): Record<string, string | true> {
  const options: Record<string, string | true> = {}
  const encrypted = tls === 'prefer' ? serverTls : tls !== 'disable'
  const verified = tls === 'verify-ca' || tls === 'verify-full'
  if (encrypted && verified) options['ssl-ca'] = store('ca.pem', tlsCa ?? rootCertificates.join('\n'))
  if (encrypted && tlsCertificate !== undefined && tlsKey !== undefined) {
    options['ssl-cert'] = store('certificate.pem', tlsCertificate)
    options['ssl-key'] = store('key.pem', tlsKey)
  }
  if (tool.maker === 'mysql') {
    options['ssl-mode'] = oracleModes[tls]
    // Without TLS caching_sha2_password needs the server's public key. Whoever chose “disable” trusts the network.
    if (!encrypted) options['get-server-public-key'] = true
    return options
  }
  if (!encrypted) return { 'skip-ssl': true }
  // Before 11.4 a CA alone means: verify the chain, not the name. From then on it is both or nothing.
  const both = tls === 'verify-full' || (tls === 'verify-ca' && compareVersions(tool.version, '11.4') >= 0)
  return { ssl: true, 'ssl-verify-server-cert': both ? '1' : '0', ...options }
}

const oracleModes = {
  disable: 'DISABLED',
  prefer: 'PREFERRED',
  require: 'REQUIRED',
  'verify-ca': 'VERIFY_CA',
  'verify-full': 'VERIFY_IDENTITY',
} as const
