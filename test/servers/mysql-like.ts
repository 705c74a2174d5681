import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { type Certificates, certifiedUser, makeCertificates, type TlsOptions } from './certificates.ts'
import { freePort } from './port.ts'
import { run, type ServerProcess, startServer } from './process.ts'
import { tempFolder } from './temp-folder.ts'
import { copyTemplate } from './template.ts'

export interface MysqlLikeOptions {
  password?: string
  /**
   * Every connection must then be encrypted. The user `certified` signs in with the client certificate and the
   * same password.
   */
  tls?: true | TlsOptions
  /** As after `--` on the server's command line. */
  settings?: Record<string, string>
}

export interface MysqlLikeServer extends AsyncDisposable {
  host: string
  port: number
  /** May do everything. */
  user: string
  password: string
  /** The folder of the client programs of the same version. */
  programs: string
  certificates: Certificates | undefined
  process: ServerProcess
  /** Runs the statements, one after the other, and returns the rows of the last one. */
  query(statements: string | string[], database?: string): Promise<Record<string, unknown>[]>
}

/** What MariaDB's and MySQL's servers do not have in common. */
export interface MysqlLike {
  name: string
  /** Names all that an empty system database depends on. */
  template: string
  programs: string
  server: string
  /** Where the parts of the server are, if it is not installed. */
  locations: Record<string, string>
  settings: Record<string, string>
  /** Makes an empty system database. */
  initialize(data: string): { file: string; args: string[] }
}

export async function startMysqlLike(kind: MysqlLike, options: MysqlLikeOptions): Promise<MysqlLikeServer> {
  const { password = randomBytes(12).toString('hex'), tls } = options
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder(kind.name))
  const data = join(folder.path, 'data')
  const [certificates] = await Promise.all([
    tls && makeCertificates(tls === true ? {} : tls),
    copyTemplate(kind.template, data, async (path, folder) => {
      await run({ ...kind.initialize(path), folder })
    }),
  ])
  const port = await freePort()
  const secret = quote(password)
  const accounts = [
    // MariaDB's installation already makes this one, MySQL's does not.
    `create user if not exists root@'127.0.0.1'`,
    `alter user root@'127.0.0.1' identified by ${secret}`,
    `grant all on *.* to root@'127.0.0.1' with grant option`,
    `alter user root@localhost identified by ${secret}`,
    ...(certificates
      ? [
          `create user ${certifiedUser}@'127.0.0.1' identified by ${secret} require subject '/CN=${certifiedUser}'`,
          `grant all on *.* to ${certifiedUser}@'127.0.0.1'`,
        ]
      : []),
  ]
  const settings = {
    ...kind.locations,
    datadir: data,
    tmpdir: await folder.makeFolder('tmp'),
    socket: join(folder.path, 'socket'),
    'pid-file': join(folder.path, 'pid'),
    port: String(port),
    'bind-address': '127.0.0.1',
    'skip-name-resolve': 'ON',
    // The server takes each line for one statement.
    'init-file': await folder.write('accounts.sql', accounts.map((line) => `${line};\n`).join(''), 0o600),
    'innodb-buffer-pool-size': '32M',
    'innodb-flush-log-at-trx-commit': '0',
    ...(certificates && {
      'ssl-ca': await folder.write('ca.pem', certificates.ca),
      'ssl-cert': await folder.write('server.pem', certificates.server.certificate),
      'ssl-key': await folder.write('server.key', certificates.server.key, 0o600),
      'require-secure-transport': 'ON',
    }),
    ...kind.settings,
    ...options.settings,
  }
  const query = async (statements: string | string[], database?: string) => {
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'root',
      password,
      database,
      ...(certificates && { ssl: { ca: certificates.ca, verifyIdentity: false } }),
    })
    try {
      let rows: Record<string, unknown>[] = []
      for (const statement of [statements].flat()) [rows] = await connection.query<RowDataPacket[]>(statement)
      return rows
    } finally {
      await connection.end()
    }
  }
  const server = stack.use(
    await startServer({
      name: kind.name,
      file: kind.server,
      args: ['--no-defaults', ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`)],
      folder: folder.path,
      // What it would still write, nobody reads.
      stopSignal: 'SIGKILL',
      isReady: async () => (await query('select 1')).length === 1,
    }),
  )
  const cleanUp = stack.move()
  return {
    host: '127.0.0.1',
    port,
    user: 'root',
    password,
    programs: kind.programs,
    certificates: certificates || undefined,
    process: server,
    query,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
