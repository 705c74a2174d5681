import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { type Certificates, certifiedUser, makeCertificates, type TlsOptions } from './certificates.ts'
import { rootOf } from './needs.ts'
import { freePort } from './port.ts'
import { run, type ServerProcess, startServer } from './process.ts'
import { tempFolder } from './temp-folder.ts'
import { copyTemplate } from './template.ts'

/** Until a server has its own. */
const TEMPLATE_PASSWORD = 'template'

export interface PostgresOptions {
  major: 15 | 17 | 18
  password?: string
  /**
   * Every connection must then be encrypted. The user `certified` signs in with the client certificate and no
   * password.
   */
  tls?: true | TlsOptions
  /** As in postgresql.conf. */
  settings?: Record<string, string>
}

export interface PostgresServer extends AsyncDisposable {
  host: string
  port: number
  /** A superuser. */
  user: string
  password: string
  /** The folder of psql, pg_dump and pg_restore of the same major version. */
  programs: string
  certificates: Certificates | undefined
  process: ServerProcess
  /** Runs the statements, one after the other, and returns the rows of the last one. */
  query(statements: string | string[], database?: string): Promise<Record<string, unknown>[]>
}

export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { major, password = randomBytes(12).toString('hex'), tls, settings = {} } = options
  const programs = join(rootOf(`postgres${major}`), 'usr/lib/postgresql', String(major), 'bin')
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder(`postgres${major}`))
  const data = join(folder.path, 'data')
  const [certificates] = await Promise.all([
    tls && makeCertificates(tls === true ? {} : tls),
    copyTemplate(`postgres${major}`, data, (path, folder) => initialize(programs, path, folder)),
  ])
  const port = await freePort()
  const allSettings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    // In the data folder, and so gone with it, also if the server is killed.
    dynamic_shared_memory_type: 'mmap',
    ...(certificates && {
      ssl: 'on',
      ssl_ca_file: await folder.write('ca.pem', certificates.ca),
      ssl_cert_file: await folder.write('server.pem', certificates.server.certificate),
      ssl_key_file: await folder.write('server.key', certificates.server.key, 0o600),
      hba_file: await folder.write(
        'pg_hba.conf',
        `hostssl all ${certifiedUser} 127.0.0.1/32 cert\nhostssl all,replication all 127.0.0.1/32 scram-sha-256\n`,
      ),
    }),
    ...settings,
  }
  const client = (database = 'postgres', secret = password) =>
    new Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      password: secret,
      database,
      ...(certificates && { ssl: { ca: certificates.ca, checkServerIdentity: () => undefined } }),
    })
  const query = async (statements: string | string[], database?: string) => {
    const connection = client(database)
    await connection.connect()
    try {
      let rows: Record<string, unknown>[] = []
      for (const statement of [statements].flat()) ({ rows } = await connection.query(statement))
      return rows
    } finally {
      await connection.end()
    }
  }
  let hasPassword = false
  const setPassword = async () => {
    const connection = client('postgres', TEMPLATE_PASSWORD)
    await connection.connect()
    try {
      await connection.query(`alter role postgres password ${connection.escapeLiteral(password)}`)
      hasPassword = true
    } finally {
      await connection.end()
    }
  }
  stack.defer(() => freeSharedMemory(folder.path))
  const server = stack.use(
    await startServer({
      name: 'postgres',
      file: join(programs, 'postgres'),
      args: [
        '-D',
        data,
        ...Object.entries(allSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      folder: folder.path,
      // SIGTERM would wait until all clients have left.
      stopSignal: 'SIGINT',
      async isReady() {
        if (!hasPassword) await setPassword()
        return (await query('select 1')).length === 1
      },
    }),
  )
  if (certificates) await query(`create role ${certifiedUser} login superuser`)
  const cleanUp = stack.move()
  return {
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    programs,
    certificates: certificates || undefined,
    process: server,
    query,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

async function initialize(programs: string, path: string, folder: string): Promise<void> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, TEMPLATE_PASSWORD)
  const identity = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const form = ['--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions']
  await run({ file: join(programs, 'initdb'), args: [`--pgdata=${path}`, ...identity, ...form], folder })
}

/** A killed server leaves a small System V segment behind, which it names in the seventh line of this file. */
async function freeSharedMemory(folder: string): Promise<void> {
  const pidFile = join(folder, 'data', 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const [, id] = (await readFile(pidFile, 'utf8')).split('\n')[6]?.trim().split(/\s+/) ?? []
  if (id !== undefined) await run({ file: 'ipcrm', args: ['--shmem-id', id], folder })
}
