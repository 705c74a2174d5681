import { z } from 'zod'
import { fromEnvironment } from '../../lib/environment.ts'
import { AppError } from '../../shared/errors.ts'
import { secret } from '../../shared/secrets.ts'
import type { UrlOrigin } from '../engine.ts'
import { readFileOfUrl, readServerUrl } from '../server-url.ts'
import { halfIdentity, hasWholeIdentity, tlsFields } from '../tls.ts'

/** How a PostgreSQL server is reached. The TLS modes mean what they mean to libpq. */
export const connectionSettings = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .regex(/^[^\0,]+$/, 'One host; not a list.')
      .meta({
        title: 'Host',
        description: 'A name, an address, or the directory of a Unix socket',
        addressee: true,
      }),
    port: z.int().min(1).max(65_535).default(5432).meta({ title: 'Port', addressee: true }),
    user: z.string('The user to sign in as is missing.').min(1).meta({ title: 'User', addressee: true }),
    password: secret('Password').default(''),
    maintenanceDatabase: z.string().min(1).default('postgres').meta({
      title: 'Maintenance database',
      description: 'What to connect to when no particular database is meant',
    }),
    ...tlsFields,
    connectTimeout: z
      .int()
      .min(1)
      .max(300)
      .default(10)
      .meta({ title: 'Connect timeout', description: 'Seconds' }),
  })
  .refine(hasWholeIdentity, halfIdentity)

export type PostgresConnection = z.output<typeof connectionSettings>

/**
 * `postgresql://user:password@host:port/database?sslmode=…` as libpq reads it. The files that `sslrootcert`,
 * `sslcert` and `sslkey` name are read if it was written here. `HOLDFAST_DATABASE_PASSWORD`, or the file that
 * `HOLDFAST_DATABASE_PASSWORD_FILE` names, goes before a password in the URL. Throws `invalid_input`.
 */
export function fromUrl(
  url: string,
  environment: NodeJS.ProcessEnv,
  origin: UrlOrigin = 'here',
): { connection: unknown; database: string | undefined } {
  if (/^postgres(ql)?:\/\/\/?[^/]*,/.test(url.replace(/^([^:]+:\/\/)[^@/]*@/, '$1'))) {
    throw new AppError('invalid_input', 'A PostgreSQL URL with several hosts is not supported.', {
      hint: 'Name the one server that is to be backed up.',
    })
  }
  const kind = {
    label: 'PostgreSQL',
    schemes: ['postgresql', 'postgres'],
    example: 'postgresql://user:password@host:5432/database',
  }
  const { connection, database, parameters } = readServerUrl(url, environment, kind, origin)
  const hasPassword = fromEnvironment(environment, 'HOLDFAST_DATABASE_PASSWORD') !== undefined
  let named = database
  for (const [name, value] of parameters) {
    if (name === 'dbname') named = value
    else if (name !== 'password' || !hasPassword) Object.assign(connection, parameter(name, value, origin))
  }
  return { connection, database: named }
}

function parameter(name: string, value: string, origin: UrlOrigin): Record<string, unknown> {
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
      return value === 'system' ? {} : { tlsCa: readFileOfUrl(name, value, origin) }
    case 'sslcert':
      return { tlsCertificate: readFileOfUrl(name, value, origin) }
    case 'sslkey':
      return { tlsKey: readFileOfUrl(name, value, origin) }
    case 'connect_timeout':
      return { connectTimeout: Number(value) }
    case 'maintenance_database':
      return { maintenanceDatabase: value }
    case 'application_name':
      return {}
    default:
      throw new AppError('invalid_input', `${quoted(name)} of the PostgreSQL URL is not known.`, {
        hint: 'Known are host, port, user, password, dbname, sslmode, sslrootcert, sslcert, sslkey, connect_timeout and maintenance_database.',
      })
  }
}

/** What does not look like a name may be the rest of a password with a question mark in it. */
function quoted(name: string): string {
  return /^[\w-]{1,40}$/.test(name) ? `The parameter “${name}”` : 'A parameter'
}
