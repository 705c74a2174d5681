import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { startMariadb } from './mariadb.ts'
import type { MysqlLikeServer } from './mysql-like.ts'
import { startMysql } from './mysql.ts'
import { skipUnless } from './needs.ts'
import { run } from './process.ts'
import { tempFolder } from './temp-folder.ts'

describe('a MariaDB server', () => {
  for (const version of ['10.11', '11.8'] as const) {
    it(`is ${version}`, { skip: skipUnless(`mariadb${version}`) }, async () => {
      await using server = await startMariadb({ version, settings: { 'wait-timeout': '77' } })
      const [row] = await server.query('select version() version, @@global.wait_timeout patience')
      assert.ok(String(row?.['version']).startsWith(`${version}.`))
      assert.equal(row?.['patience'], 77)
      assert.match(await dumpOf(server, 'mariadb-dump'), /Dump completed/)
    })

    it(
      `${version} with TLS takes a client certificate`,
      { skip: skipUnless(`mariadb${version}`) },
      async () => {
        await using server = await startMariadb({ version, tls: true })
        await takesOnlyItsCertificates(server)
      },
    )
  }
})

describe('a MySQL server', { skip: skipUnless('mysql9') }, () => {
  it('is Oracle’s 9', async () => {
    await using server = await startMysql()
    const [row] = await server.query('select version() version')
    assert.match(String(row?.['version']), /^9\./)
    assert.match(await dumpOf(server, 'mysqldump'), /Dump completed/)
  })

  it('with TLS takes a client certificate', async () => {
    await using server = await startMysql({ tls: true })
    await takesOnlyItsCertificates(server)
  })
})

async function dumpOf(server: MysqlLikeServer, program: string): Promise<string> {
  await server.query([
    'create database kept',
    'create table kept.t (id int primary key)',
    'insert into kept.t values (7)',
  ])
  await using folder = await tempFolder('dump')
  const password = await folder.write('password.cnf', `[client]\npassword=${server.password}\n`, 0o600)
  const address = [`--host=${server.host}`, `--port=${server.port}`, `--user=${server.user}`]
  const dump = await run({
    file: join(server.programs, program),
    args: [`--defaults-file=${password}`, ...address, '--single-transaction', 'kept'],
    folder: folder.path,
  })
  assert.match(dump, /INSERT INTO `t` VALUES\s*\(7\)/)
  return dump
}

async function takesOnlyItsCertificates(server: MysqlLikeServer): Promise<void> {
  const { host, port, user, password, certificates } = server
  assert.ok(certificates)
  const signIn = async (options: object) => {
    const connection = await createConnection({ host, port, user, password, ...options })
    const [rows] = await connection.query<RowDataPacket[]>('select current_user() me')
    await connection.end()
    return String(rows[0]?.['me'])
  }
  assert.match(await signIn({ ssl: { ca: certificates.ca } }), /^root@/)
  const { certificate: cert, key } = certificates.client
  assert.match(await signIn({ user: 'certified', ssl: { ca: certificates.ca, cert, key } }), /^certified@/)
  await assert.rejects(signIn({ user: 'certified', ssl: { ca: certificates.ca } }), /Access denied/)
  await assert.rejects(signIn({ ssl: { ca: certificates.otherCa } }), /certificate/)
  await assert.rejects(signIn({}), /secure transport|Access denied/)
}
