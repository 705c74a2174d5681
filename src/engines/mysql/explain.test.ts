import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import type { ErrorCode } from '../../shared/errors.ts'
import { explainTool } from './explain.ts'
import { mysql } from './index.ts'

/** What the tools really said, of MariaDB 10.11 and 11.8 and of MySQL 9.7. */
const SAID: [string, ErrorCode, RegExp][] = [
  [
    "mysqldump: Got error: 1045: Access denied for user 'root'@'127.0.0.1' (using password: YES) when trying to connect",
    'authentication_failed',
    /refused user or password/,
  ],
  [
    "mariadb-dump: Got error: 1045: \"Access denied for user 'root'@'127.0.0.1' (using password: YES)\" when trying to connect",
    'authentication_failed',
    /root/,
  ],
  [
    "ERROR 1045 (28000): Access denied for user 'root'@'127.0.0.1' (using password: YES)",
    'authentication_failed',
    /refused/,
  ],
  [
    "mariadb-dump: Got error: 1044: \"Access denied for user 'u'@'%' to database 'shop'\" when selecting the database",
    'permission_denied',
    /shop/,
  ],
  [
    'mariadb-dump: Got error: 1049: "Unknown database \'nope\'" when selecting the database',
    'database_not_found',
    /nope/,
  ],
  [
    "mariadb-dump: Got error: 2002: \"Can't connect to server on '127.0.0.1' (115)\" when trying to connect",
    'database_unreachable',
    /cannot be reached/,
  ],
  [
    "mysqldump: Got error: 2003: Can't connect to MySQL server on '127.0.0.1:1' (111) when trying to connect",
    'database_unreachable',
    /cannot be reached/,
  ],
  [
    "mysqldump: Got error: 2005: Unknown MySQL server host 'nope.invalid' (-2) when trying to connect",
    'database_unreachable',
    /host name/,
  ],
  [
    'ERROR 3159 (08004): Connections using insecure transport are prohibited while --require_secure_transport=ON.',
    'tls_failed',
    /encrypted connections only/,
  ],
  [
    'ERROR 2026 (HY000): TLS/SSL error: self-signed certificate in certificate chain',
    'tls_failed',
    /self-signed/,
  ],
  [
    'ERROR 2026 (HY000): SSL connection error: error:0A000086:SSL routines::certificate verify failed',
    'tls_failed',
    /verify failed/,
  ],
  [
    'ERROR 2026 (HY000): TLS/SSL error: SSL is required, but the server does not support it',
    'tls_failed',
    /does not offer TLS/,
  ],
  [
    "mysqldump: Got error: 2059: Authentication plugin 'mysql_native_password' cannot be loaded: /usr/lib/mysql/plugin/mysql_native_password.so: cannot open shared object file: No such file or directory when trying to connect",
    'authentication_failed',
    /does not know the way/,
  ],
  [
    "mysqldump: Got error: 2061: Authentication plugin 'caching_sha2_password' reported error: Authentication requires secure connection. when trying to connect",
    'authentication_failed',
    /needs TLS/,
  ],
  [
    "mysqldump: Couldn't execute 'FLUSH /*!40101 LOCAL */ TABLES': Access denied; you need (at least one of) the RELOAD or FLUSH_TABLES privilege(s) for this operation (1227)",
    'permission_denied',
    /RELOAD/,
  ],
  [
    "mariadb-dump: Couldn't execute 'SHOW FIELDS FROM `v`': View 'x.v' references invalid table(s) or column(s) or function(s) or definer/invoker of view lack rights to use them (1356)",
    'database_error',
    /is gone/,
  ],
  [
    "ERROR 1153 (08S01) at line 23: Got a packet bigger than 'max_allowed_packet' bytes",
    'database_error',
    /max_allowed_packet/,
  ],
  [
    "ERROR 1273 (HY000) at line 25: Unknown collation: 'utf8mb4_0900_ai_ci'",
    'unsupported',
    /utf8mb4_0900_ai_ci/,
  ],
  [
    'ERROR 3546 (HY000) at line 24: @@GLOBAL.GTID_PURGED cannot be changed: the added gtid set must not overlap with @@GLOBAL.GTID_EXECUTED',
    'database_error',
    /transaction ids/,
  ],
  [
    'ERROR 2013 (HY000) at line 40: Lost connection to MySQL server during query',
    'database_unreachable',
    /closed the connection/,
  ],
]

describe('a tool’s last words', () => {
  for (const [stderr, code, sentence] of SAID) {
    it(`are explained: ${stderr.slice(0, 70)}…`, () => {
      // Warnings stand before the error, and are no error themselves.
      const explained = explainTool('t', `WARNING: option --ssl-verify-server-cert is disabled\n${stderr}\n`)
      assert.equal(explained?.code, code)
      assert.match(explained?.message ?? '', sentence)
      assert.ok(explained?.hint)
    })
  }

  it('stand for themselves when nothing is known about them', () => {
    assert.equal(explainTool('t', ''), undefined)
    assert.equal(explainTool('t', 'mysqldump: Couldn\'t find table: "x"'), undefined)
  })
})

describe('what answers, but is no server that we can use,', () => {
  const inspectWhat = async (answer: (socket: Socket) => void) => {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      const connection = mysql.connection.parse({ host: '127.0.0.1', port, user: 'u', password: 'canary' })
      return await mysql.inspect(connection, AbortSignal.timeout(60_000)).then(
        () => assert.fail('it was taken for a server'),
        (error: unknown) => error as Error & { code: string; hint?: string },
      )
    } finally {
      server.close()
    }
  }

  it('is told when it closes the connection at once', async () => {
    const error = await inspectWhat((socket) => socket.end())
    assert.equal(error.code, 'database_unreachable', error.message)
    assert.match(error.message, /127\.0\.0\.1:\d+/)
  })

  it('is told when it speaks another language', async () => {
    const error = await inspectWhat((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1 Debian\r\n'))
    assert.match(error.code, /^database_(error|unreachable)$/)
    assert.ok(!error.message.includes('canary'))
  })

  it('is told when it says nothing', async () => {
    const sockets: Socket[] = []
    const error = await inspectWhat((socket) => sockets.push(socket.on('error', () => {})))
    for (const socket of sockets) socket.destroy()
    assert.equal(error.code, 'database_unreachable', error.message)
    assert.ok(error.hint)
  })

  it('is told when it has too many connections', async () => {
    const message = 'Too many connections'
    const error = await inspectWhat((socket) => {
      const body = Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from(message)])
      socket.end(Buffer.concat([Buffer.from([body.length, 0, 0, 0]), body]))
    })
    assert.equal(error.code, 'database_unreachable', error.message)
    assert.match(error.message, /too many connections/)
  })
})
