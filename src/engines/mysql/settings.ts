import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError, messageOf } from '../../shared/errors.ts'
import { secret } from '../../shared/secrets.ts'

const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** How a MySQL or MariaDB server is reached. The TLS modes mean the same with every client. */
export const connectionSettings = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .regex(/^[^\0\s]+$/, 'One host name or address.')
      .default('localhost')
      .meta({ title: 'Host' }),
    port: z.int().min(1).max(65_535).default(3306).meta({ title: 'Port' }),
    socket: z
      .string()
      .regex(/^\/[^\0]+$/, 'The absolute path of a socket.')
      .optional()
      .meta({ title: 'Unix socket', description: 'Instead of host and port' }),
    user: z.string().min(1).meta({ title: 'User' }),
    password: secret('Password').default(''),
    tls: z.enum(tlsModes).default('prefer').meta({
      title: 'TLS',
      description:
        'prefer: if the server offers it · verify-ca: a certificate we trust · verify-full: and for this host',
    }),
    tlsCa: z.string().optional().meta({
      title: 'CA certificate',
      description: 'PEM. Without it, verifying relies on the well-known authorities',
      multiline: true,
    }),
    tlsCertificate: z
      .string()
      .optional()
      .meta({ title: 'Client certificate', description: 'PEM', multiline: true }),
    tlsKey: secret('Client key', 'PEM').optional(),
  })
  .refine((settings) => !settings.tlsCertificate === !settings.tlsKey, {
    message: 'A client certificate needs its key, and the key its certificate.',
    path: ['tlsKey'],
  })

export type MysqlConnection = z.output<typeof connectionSettings>

/** Where the server is, for sentences. */
export function addressOf({ socket, host, port }: MysqlConnection): string {
  return socket ?? `${host}:${port}`
}

/**
 * `mysql://user:password@host:port/database?ssl-mode=…`, or `mariadb://`. The files that `ssl-ca`, `ssl-cert` and
 * `ssl-key` name are read here. `HOLDFAST_DATABASE_PASSWORD`, or the file that `HOLDFAST_DATABASE_PASSWORD_FILE`
 * names, goes before a password in the URL. Throws `invalid_input`.
 */
export function fromUrl(
  url: string,
  environment: NodeJS.ProcessEnv,
): { connection: unknown; database: string | undefined } {
  const parsed = parseUrl(url)
  const connection: Record<string, unknown> = {}
  const host = decode(parsed.hostname, 'host').replace(/^\[(.*)\]$/, '$1')
  if (host !== '') connection['host'] = host
  if (parsed.port !== '') connection['port'] = Number(parsed.port)
  if (parsed.username !== '') connection['user'] = decode(parsed.username, 'user')
  if (parsed.password !== '') connection['password'] = decode(parsed.password, 'password')
  for (const [name, value] of queryOf(parsed)) Object.assign(connection, parameter(name, value))
  const password = passwordOf(environment)
  if (password !== undefined) connection['password'] = password
  return { connection, database: decode(parsed.pathname.slice(1), 'database') || undefined }
}

function parseUrl(url: string): URL {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    // Neither the URL nor the parser's error is quoted: both hold the password.
    throw new AppError('invalid_input', 'This is not a MySQL URL.', {
      hint: 'mysql://user:password@host:3306/database; a special character of the password is written as %40.',
    })
  }
  if (parsed.protocol !== 'mysql:' && parsed.protocol !== 'mariadb:') {
    throw new AppError(
      'invalid_input',
      `A MySQL URL begins with mysql:// or mariadb://, not ${parsed.protocol}.`,
    )
  }
  return parsed
}

/** Like URLSearchParams, but a plus is a plus: it may be part of a path. */
function queryOf(url: URL): [string, string][] {
  return url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [decode(name, 'parameter'), decode(value.join('='), name)]
    })
}

/** The names of Oracle's tools for the modes, and our own. */
const modes: Record<string, (typeof tlsModes)[number]> = {
  disabled: 'disable',
  preferred: 'prefer',
  required: 'require',
  verify_ca: 'verify-ca',
  verify_identity: 'verify-full',
  ...Object.fromEntries(tlsModes.map((mode) => [mode, mode])),
}

function parameter(name: string, value: string): Record<string, unknown> {
  switch (name) {
    case 'socket':
      return { socket: value }
    case 'ssl-mode':
      return { tls: modes[value.toLowerCase()] ?? value }
    case 'ssl-ca':
      return { tlsCa: readText(name, value) }
    case 'ssl-cert':
      return { tlsCertificate: readText(name, value) }
    case 'ssl-key':
      return { tlsKey: readText(name, value) }
    default:
      throw new AppError('invalid_input', `The parameter “${name}” of the MySQL URL is not known.`, {
        hint: 'Known are socket, ssl-mode, ssl-ca, ssl-cert and ssl-key.',
      })
  }
}

function passwordOf(environment: NodeJS.ProcessEnv): string | undefined {
  const password = environment['HOLDFAST_DATABASE_PASSWORD']
  if (password !== undefined) return password
  const path = environment['HOLDFAST_DATABASE_PASSWORD_FILE']
  if (path === undefined) return undefined
  return readText('HOLDFAST_DATABASE_PASSWORD_FILE', path).replace(/\r?\n$/, '')
}

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new AppError(
      'invalid_input',
      `The file that ${name} names could not be read: ${messageOf(error)}.`,
      {
        cause: error,
      },
    )
  }
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AppError('invalid_input', `The ${part} of the MySQL URL is not properly percent-encoded.`, {
      hint: 'A percent sign itself is written as %25.',
    })
  }
}
