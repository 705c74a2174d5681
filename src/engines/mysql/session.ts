import { connect as connectSocket, isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { explainConnecting } from './explain.ts'
import type { MysqlConnection } from './settings.ts'

/** A signed-in connection. Disposing closes it; so does the signal. */
export interface Session extends AsyncDisposable {
  /** The protocol version in use (`TLSv1.3`), or false. */
  tls: string | false
  /** The rows of a statement; `?` stands for a value. Numbers that JavaScript cannot hold come as text. */
  query<Row>(sql: string, values?: unknown[]): Promise<Row[]>
}

const CONNECT_LIMIT = 10_000

/** Signs in. Every failure is explained. */
export async function openSession(
  settings: MysqlConnection,
  signal: AbortSignal,
  database?: string,
): Promise<Session> {
  signal.throwIfAborted()
  try {
    if (settings.tls !== 'prefer' || settings.socket !== undefined) {
      return await signIn(settings, signal, settings.tls !== 'disable', database)
    }
    try {
      return await signIn(settings, signal, true, database)
    } catch (error) {
      if ((error as { code?: string }).code !== 'HANDSHAKE_NO_SSL_SUPPORT') throw error
      return await signIn(settings, signal, false, database)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw explainConnecting(error, settings)
  }
}

/** Backticks around a name, those within it doubled. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

async function signIn(
  settings: MysqlConnection,
  signal: AbortSignal,
  tls: boolean,
  database: string | undefined,
): Promise<Session> {
  const { host, port, user, password, socket } = settings
  const { createConnection } = await import('mysql2/promise') // only who connects waits for it to load
  signal.throwIfAborted()
  const connecting = createConnection({
    ...(socket === undefined ? { host, port, stream: () => socketTo(host, port) } : { socketPath: socket }),
    user,
    password,
    database,
    ssl: tls && socket === undefined ? tlsOptions(settings) : undefined,
    connectTimeout: CONNECT_LIMIT,
    charset: 'utf8mb4',
    supportBigNumbers: true,
    dateStrings: true,
  })
  // A connection that comes when nobody waits for it any more is closed.
  const connection = await raceAbort(connecting, signal, (late) => late.destroy())
  const stop = () => connection.destroy()
  signal.addEventListener('abort', stop, { once: true })
  return {
    tls: protocolOf(connection),
    async query<Row>(sql: string, values?: unknown[]) {
      try {
        const [rows] = await connection.query<RowDataPacket[]>(sql, values)
        return rows as unknown as Row[]
      } catch (error) {
        signal.throwIfAborted()
        throw explainConnecting(error, settings)
      }
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', stop)
      connection.destroy()
    },
  }
}

/** For TLS, Node must know the address that the certificate is to be for; mysql2 passes only names on to it. */
function socketTo(host: string, port: number) {
  const socket = connectSocket({ host, port, noDelay: true, keepAlive: true })
  return isIP(host) ? Object.assign(socket, { _host: host }) : socket
}

function tlsOptions({ tls, tlsCa, tlsCertificate, tlsKey }: MysqlConnection) {
  const verified = tls === 'verify-ca' || tls === 'verify-full'
  return {
    rejectUnauthorized: verified,
    verifyIdentity: tls === 'verify-full',
    ...(verified && tlsCa !== undefined && { ca: tlsCa }),
    cert: tlsCertificate,
    key: tlsKey,
  }
}

function protocolOf(connection: Connection): string | false {
  // The types do not tell of the socket within.
  const { stream } = (connection as unknown as { connection: { stream: TLSSocket } }).connection
  return stream.encrypted ? (stream.getProtocol() ?? 'TLS') : false
}

function raceAbort<T>(promise: Promise<T>, signal: AbortSignal, late: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason as Error)
      promise.then(late, () => {})
    }
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
