import { Socket } from 'node:net'
import { getCACertificates, TLSSocket, type ConnectionOptions } from 'node:tls'
import type { Client, DatabaseError, QueryResultRow } from 'pg'
import { AppError, messageOf } from '../../shared/errors.ts'
import { explainError } from './explain.ts'
import type { PostgresConnection } from './settings.ts'

/** A connection to one database of the server, on which nothing runs in parallel. */
export interface Session {
  /** Runs one statement and returns its rows. Failures are explained. */
  query: <Row extends QueryResultRow>(statement: string, values?: unknown[]) => Promise<Row[]>
  /** `TLSv1.3`, or false if the connection is in the clear. */
  readonly tls: string | false
  /** 15 for 15.18 */
  readonly major: number
}

/** Questions to a server that answers at all are answered in this time. */
const QUESTION_LIMIT = 10_000

/**
 * Connects, with the TLS of the settings as libpq understands it, does the work and disconnects. All of it together
 * may take ten seconds, or as long as the settings allow for connecting; another `limit` is for the work.
 */
export async function withSession<T>(
  connection: PostgresConnection,
  database: string,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
  { limit = Math.max(QUESTION_LIMIT, connection.connectTimeout * 1000) }: { limit?: number } = {},
): Promise<T> {
  signal.throwIfAborted()
  const late = new AbortController()
  const timer = Number.isFinite(limit) ? setTimeout(() => late.abort(), limit) : undefined
  const stop = AbortSignal.any([signal, late.signal])
  const where = whereIs(connection)
  let open: OpenClient | undefined
  try {
    open = await connect(connection, database, stop)
    return await work(await sessionOf(open, where))
  } catch (error) {
    signal.throwIfAborted()
    if (late.signal.aborted) {
      throw new AppError(
        'database_unreachable',
        `${where}: the server did not answer within ${limit / 1000} seconds.`,
        {
          hint: 'Check host and port; a firewall that drops packets looks like this, and so does a server under heavy load.',
          cause: error,
        },
      )
    }
    throw explainError(error, where)
  } finally {
    clearTimeout(timer)
    await open?.close()
  }
}

function whereIs({ host, port }: PostgresConnection): string {
  return host.startsWith('/')
    ? `PostgreSQL at ${host}/.s.PGSQL.${port}`
    : `PostgreSQL at ${bracketed(host)}:${port}`
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

interface OpenClient {
  client: Client
  tls: string | false
  close(): Promise<void>
}

/** With `prefer`, a server that offers no TLS, or lets nobody in with it, is asked again in the clear, as libpq does. */
async function connect(
  connection: PostgresConnection,
  database: string,
  stop: AbortSignal,
): Promise<OpenClient> {
  const overSocket = connection.host.startsWith('/')
  if (connection.tls === 'disable' || overSocket) return connectOnce(connection, database, stop, false)
  const options = tlsOptions(connection)
  if (connection.tls !== 'prefer') return connectOnce(connection, database, stop, options)
  try {
    return await connectOnce(connection, database, stop, options)
  } catch (error) {
    if (stop.aborted || !mayWorkInTheClear(error)) throw error
    try {
      return await connectOnce(connection, database, stop, false)
    } catch (inTheClear) {
      const offersTls = !/does not support SSL/.test(messageOf(error))
      throw offersTls && isAnswer(error) ? error : inTheClear
    }
  }
}

/** The server answered, but not with TLS for this user. A wrong password is wrong in the clear too. */
function mayWorkInTheClear(error: unknown): boolean {
  if (isAnswer(error)) return error.code === '28000'
  const code = (error as { code?: string } | undefined)?.code ?? ''
  return /SSL|TLS|CERT|EPROTO/.test(`${code} ${messageOf(error)}`)
}

/** An error that the server itself sent. */
function isAnswer(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error
}

/**
 * What libpq does for the mode. `prefer` verifies nothing, and `require` only the chain, and only if a CA is given.
 * Also without SNI for addresses, which pg sees to.
 */
function tlsOptions({ tls, tlsCa, tlsCertificate, tlsKey }: PostgresConnection): ConnectionOptions {
  const identity: ConnectionOptions = {
    ...(tlsCertificate && { cert: tlsCertificate }),
    ...(tlsKey && { key: tlsKey }),
  }
  const verifiesChain = tls === 'verify-ca' || tls === 'verify-full' || (tls === 'require' && !!tlsCa)
  if (!verifiesChain) return { ...identity, rejectUnauthorized: false }
  const chain = { ...identity, ca: tlsCa ?? trustedAuthorities(), rejectUnauthorized: true }
  return tls === 'verify-full' ? chain : { ...chain, checkServerIdentity: () => undefined }
}

/** The well-known authorities that both our client and the tools trust where no CA was given. */
export function trustedAuthorities(): string[] {
  return getCACertificates('default')
}

async function connectOnce(
  connection: PostgresConnection,
  database: string,
  stop: AbortSignal,
  tls: ConnectionOptions | false,
): Promise<OpenClient> {
  const { Client } = await import('pg') // only who connects waits for it to load
  stop.throwIfAborted()
  const { host, port, user, password, connectTimeout } = connection
  const socket = new Socket()
  const client = new Client({
    host,
    port,
    user,
    password: () => password, // a function, for pg would look for an empty password in its environment
    database,
    ssl: tls,
    connectionTimeoutMillis: connectTimeout * 1000,
    application_name: 'holdfast',
    stream: () => socket,
  })
  let brokenBy: Error | undefined
  client.on('error', (error) => (brokenBy = error)) // the query that meets it throws it
  const abort = () => socket.destroy(new Error('The connection was given up.'))
  stop.addEventListener('abort', abort, { once: true })
  const close = async () => {
    stop.removeEventListener('abort', abort)
    if (!stop.aborted && !brokenBy && !socket.destroyed) await endWithin(client, 1_000)
    socket.destroy()
  }
  try {
    await client.connect()
  } catch (error) {
    stop.removeEventListener('abort', abort)
    socket.destroy()
    throw error
  }
  const stream = (client as unknown as { connection: { stream: unknown } }).connection.stream
  const protocol = stream instanceof TLSSocket ? (stream.getProtocol() ?? 'TLS') : false
  return { client, tls: protocol, close }
}

async function sessionOf({ client, tls }: OpenClient, where: string): Promise<Session> {
  const query = async <Row extends QueryResultRow>(statement: string, values?: unknown[]): Promise<Row[]> => {
    try {
      return (await client.query<Row>(statement, values)).rows
    } catch (error) {
      throw explainError(error, where)
    }
  }
  const [version] = await query<{ number: number }>(
    `select current_setting('server_version_num')::int as number`,
  )
  return { query, tls, major: Math.floor((version?.number ?? 0) / 10_000) }
}

/** Says goodbye to the server, and does not wait for ever until it has heard it. */
async function endWithin(client: Client, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)))
  await Promise.race([client.end(), late])
  clearTimeout(timer)
}
