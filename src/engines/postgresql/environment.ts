import { join } from 'node:path'
import { trustedAuthorities } from './session.ts'
import type { PostgresConnection } from './settings.ts'

/** What a tool of PostgreSQL finds in its environment, and the files that it names. */
export interface ToolEnvironment {
  env: Record<string, string>
  /** By path, for the runner to write with mode 0600. */
  secretFiles: Record<string, string>
}

/**
 * The connection as libpq's environment variables, so that no secret is in an argument and no database name is taken
 * for a connection string. What libpq would otherwise look for in the home directory is pointed to where nothing is.
 */
export function toolEnvironment(
  connection: PostgresConnection,
  database: string,
  workDirectory: string,
): ToolEnvironment {
  const nothing = join(workDirectory, 'nothing')
  const secretFiles: Record<string, string> = {}
  const file = (name: string, content: string | undefined): string => {
    if (content === undefined) return nothing
    const path = join(workDirectory, name)
    secretFiles[path] = content.endsWith('\n') ? content : `${content}\n`
    return path
  }
  const { host, port, user, password, tls, tlsCa, tlsCertificate, tlsKey, connectTimeout } = connection
  const verifies = tls === 'verify-ca' || tls === 'verify-full'
  const encrypts = tls !== 'disable'
  const ca = tlsCa ?? (verifies ? trustedAuthorities().join('\n') : undefined)
  const env = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGPASSFILE: nothing,
    PGSERVICEFILE: nothing,
    PGSYSCONFDIR: nothing,
    PGSSLMODE: tls,
    // An unverified mode verifies after all when it finds a CA, which is right only for the one that was given.
    PGSSLROOTCERT: file('server-ca.pem', encrypts && tls !== 'prefer' ? ca : undefined),
    PGSSLCERT: file('client.pem', encrypts ? tlsCertificate : undefined),
    PGSSLKEY: file('client.key', encrypts ? tlsKey : undefined),
    PGSSLCRL: nothing,
    PGGSSENCMODE: 'disable',
    PGCONNECT_TIMEOUT: String(connectTimeout),
    PGAPPNAME: 'holdfast',
    HOME: workDirectory,
    ...(password !== '' && { PGPASSWORD: password }),
  }
  return { env, secretFiles }
}
