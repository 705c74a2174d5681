import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { secret } from '../../shared/secrets.ts'
import type { UrlOrigin } from '../engine.ts'
import { readFileOfUrl, readServerUrl } from '../server-url.ts'
import { halfIdentity, hasWholeIdentity, tlsFields, tlsModes, type TlsMode } from '../tls.ts'

/** How a MySQL or MariaDB server is reached. The TLS modes mean the same with every client. */
export const connectionSettings = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .regex(/^[^\0\s]+$/, 'One host name or address.')
      .default('localhost')
      .meta({ title: 'Host', addressee: true }),
    port: z.int().min(1).max(65_535).default(3306).meta({ title: 'Port', addressee: true }),
    socket: z
      .string()
      .regex(/^\/[^\0]+$/, 'The absolute path of a socket.')
      .optional()
      .meta({ title: 'Unix socket', description: 'Instead of host and port', addressee: true }),
    user: z.string('The user to sign in as is missing.').min(1).meta({ title: 'User', addressee: true }),
    password: secret('Password').default(''),
    ...tlsFields,
  })
  .refine(hasWholeIdentity, halfIdentity)

export type MysqlConnection = z.output<typeof connectionSettings>

/** Where the server is, for sentences. */
export function addressOf({ socket, host, port }: MysqlConnection): string {
  return socket ?? `${host}:${port}`
}

/**
 * `mysql://user:password@host:port/database?ssl-mode=…`, or `mariadb://`. The files that `ssl-ca`, `ssl-cert` and
 * `ssl-key` name are read if it was written here. `HOLDFAST_DATABASE_PASSWORD`, or the file that `HOLDFAST_DATABASE_PASSWORD_FILE`
 * names, goes before a password in the URL. Throws `invalid_input`.
 */
export function fromUrl(
  url: string,
  environment: NodeJS.ProcessEnv,
  origin: UrlOrigin = 'here',
): { connection: unknown; database: string | undefined } {
  const kind = {
    label: 'MySQL',
    schemes: ['mysql', 'mariadb'],
    example: 'mysql://user:password@host:3306/database',
  }
  const { connection, database, parameters } = readServerUrl(url, environment, kind, origin)
  for (const [name, value] of parameters) Object.assign(connection, parameter(name, value, origin))
  return { connection, database }
}

/** The names of Oracle's tools for the modes, and our own. */
const modes: Record<string, TlsMode> = {
  disabled: 'disable',
  preferred: 'prefer',
  required: 'require',
  verify_ca: 'verify-ca',
  verify_identity: 'verify-full',
  ...Object.fromEntries(tlsModes.map((mode) => [mode, mode])),
}

function parameter(name: string, value: string, origin: UrlOrigin): Record<string, unknown> {
  switch (name) {
    case 'socket':
      return { socket: value }
    case 'ssl-mode':
      return { tls: modes[value.toLowerCase()] ?? value }
    case 'ssl-ca':
      return { tlsCa: readFileOfUrl(name, value, origin) }
    case 'ssl-cert':
      return { tlsCertificate: readFileOfUrl(name, value, origin) }
    case 'ssl-key':
      return { tlsKey: readFileOfUrl(name, value, origin) }
    default:
      throw new AppError('invalid_input', `${quoted(name)} of the MySQL URL is not known.`, {
        hint: 'Known are socket, ssl-mode, ssl-ca, ssl-cert and ssl-key.',
      })
  }
}

/** What does not look like a name may be the rest of a password with a question mark in it. */
function quoted(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? `The parameter “${name}”` : 'A parameter'
}
