import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError, messageOf } from '../../shared/errors.ts'
import { secret } from '../../shared/secrets.ts'

const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** How a PostgreSQL server is reached. The TLS modes mean what they mean to libpq. */
export const connectionSettings = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .regex(/^[^\0,]+$/, 'One host; not a list.')
      .meta({ title: 'Host', description: 'A name, an address, or the directory of a Unix socket' }),
    port: z.int().min(1).max(65_535).default(5432).meta({ title: 'Port' }),
    user: z.string().min(1).meta({ title: 'User' }),
    password: secret('Password').default(''),
    maintenanceDatabase: z.string().min(1).default('postgres').meta({
      title: 'Maintenance database',
      description: 'What to connect to when no particular database is meant',
    }),
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
    connectTimeout: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .meta({ title: 'Connect timeout', description: 'Seconds' }),
  })
  .refine((settings) => !settings.tlsCertificate === !settings.tlsKey, {
    message: 'A client certificate needs its key, and the key its certificate.',
    path: ['tlsKey'],
  })

export type PostgresConnection = z.output<typeof connectionSettings>

/**
 * `postgresql://user:password@host:port/database?sslmode=…` as libpq reads it. The files that `sslrootcert`,
 * `sslcert` and `sslkey` name are read here. `HOLDFAST_DATABASE_PASSWORD`, or the file that
 * `HOLDFAST_DATABASE_PASSWORD_FILE` names, goes before a password in the URL. Throws `invalid_input`.
 */
export function fromUrl(
  url: string,
  environment: NodeJS.ProcessEnv,
): { connection: unknown; database: string | undefined } {
  const parsed = parseUrl(url)
  const connection: Record<string, unknown> = {}
  const host = decode(parsed.hostname, 'host').replace(/^\[(.*)\]$/, '$1')
  if (host !== '' && host !== NO_HOST) connection['host'] = host
  if (parsed.port !== '') connection['port'] = Number(parsed.port)
  if (parsed.username !== '') connection['user'] = decode(parsed.username, 'user')
  if (parsed.password !== '') connection['password'] = decode(parsed.password, 'password')
  let database = decode(parsed.pathname.slice(1), 'database') || undefined
  for (const [name, value] of queryOf(parsed)) {
    if (name === 'dbname') database = value
    else Object.assign(connection, parameter(name, value))
  }
  const password = passwordOf(environment)
  if (password !== undefined) connection['password'] = password
  return { connection, database }
}

/** Stands for the host in `postgresql://user@/database?host=/run/postgresql`, which is no URL to others. */
const NO_HOST = 'none.invalid'

function parseUrl(url: string): URL {
  if (/^postgres(ql)?:\/\/\/?[^/]*,/.test(url.replace(/^([^:]+:\/\/)[^@/]*@/, '$1'))) {
    throw new AppError('invalid_input', 'A PostgreSQL URL with several hosts is not supported.', {
      hint: 'Name the one server that is to be backed up.',
    })
  }
  let parsed: URL
  try {
    parsed = new URL(url.replace(/^([^:/]+:\/\/[^/?#]*@)(?=[/?#]|$)/, `$1${NO_HOST}`))
  } catch {
    // Neither the URL nor the parser's error is quoted: both hold the password.
    throw new AppError('invalid_input', 'This is not a PostgreSQL URL.', {
      hint: 'postgresql://user:password@host:5432/database; a special character of the password is written as %40.',
    })
  }
  if (parsed.protocol !== 'postgresql:' && parsed.protocol !== 'postgres:') {
    throw new AppError(
      'invalid_input',
      `A PostgreSQL URL begins with postgresql://, not with ${parsed.protocol}//.`,
    )
  }
  return parsed
}

/** Like URLSearchParams, but a plus is a plus, as it is to libpq. */
function queryOf(url: URL): [string, string][] {
  return url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = equals === -1 ? pair : pair.slice(0, equals)
      return [decode(name, 'parameter'), equals === -1 ? '' : decode(pair.slice(equals + 1), name)]
    })
}

function parameter(name: string, value: string): Record<string, unknown> {
  switch (name) {
    case 'host':
      return { host: value }
    case 'port':
      return { port: Number(value) }
    case 'user':
      return { user: value }
    case 'password':
      return { password: value }
    case 'sslmode':
      if (value === 'allow') {
        throw new AppError(
          'invalid_input',
          'sslmode=allow is not supported: it encrypts only when forced to.',
          {
            hint: 'Use prefer, or better verify-full.',
          },
        )
      }
      return { tls: value }
    case 'sslrootcert':
      return value === 'system' ? {} : { tlsCa: readPem(name, value) }
    case 'sslcert':
      return { tlsCertificate: readPem(name, value) }
    case 'sslkey':
      return { tlsKey: readPem(name, value) }
    case 'connect_timeout':
      return { connectTimeout: Number(value) }
    case 'maintenance_database':
      return { maintenanceDatabase: value }
    case 'application_name':
      return {}
    default:
      throw new AppError('invalid_input', `The parameter “${name}” of the PostgreSQL URL is not known.`, {
        hint: 'Known are host, port, user, password, dbname, sslmode, sslrootcert, sslcert, sslkey, connect_timeout and maintenance_database.',
      })
  }
}

function readPem(name: string, path: string): string {
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

function passwordOf(environment: NodeJS.ProcessEnv): string | undefined {
  const password = environment['HOLDFAST_DATABASE_PASSWORD']
  if (password !== undefined) return password
  const path = environment['HOLDFAST_DATABASE_PASSWORD_FILE']
  if (path === undefined) return undefined
  return readPem('HOLDFAST_DATABASE_PASSWORD_FILE', path).replace(/\r?\n$/, '')
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AppError(
      'invalid_input',
      `The ${part} of the PostgreSQL URL is not properly percent-encoded.`,
      {
        hint: 'A percent sign itself is written as %25.',
      },
    )
  }
}
