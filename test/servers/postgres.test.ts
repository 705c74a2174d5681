import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Client as PostgresClient } from 'pg'
import { skipUnless } from './needs.ts'
import { startPostgres } from './postgres.ts'
import { run } from './process.ts'
import { tempFolder } from './temp-folder.ts'

describe('a PostgreSQL server', () => {
  for (const major of [15, 17, 18] as const) {
    it(`is ${major}, and its own pg_dump dumps it`, { skip: skipUnless(`postgres${major}`) }, async () => {
      await using server = await startPostgres({ major, settings: { wal_level: 'logical' } })
      await server.query(['create table kept (text text)', "insert into kept values ('ünïcode')"])
      const [row] = await server.query("select current_setting('wal_level') wal, version()")
      assert.equal(row?.['wal'], 'logical')
      assert.match(String(row?.['version']), new RegExp(`^PostgreSQL ${major}\\.`))
      await using folder = await tempFolder('dump')
      const dump = await run({
        file: join(server.programs, 'pg_dump'),
        args: ['--host', server.host, '--port', String(server.port), '--username', server.user, 'postgres'],
        folder: folder.path,
        env: { PGPASSWORD: server.password },
      })
      assert.match(dump, /ünïcode/)
    })
  }

  it('refuses a wrong password', { skip: skipUnless('postgres15') }, async () => {
    await using server = await startPostgres({ major: 15, password: `a'b"c:d\\e@f/g%h` })
    const { host, port, user } = server
    const wrong = new PostgresClient({ host, port, user, password: 'wrong', database: 'postgres' })
    await assert.rejects(wrong.connect(), /password authentication failed/)
    assert.equal((await server.query('select 1')).length, 1)
  })

  it(
    'with TLS proves who it is, and takes a client certificate',
    { skip: skipUnless('postgres15') },
    async () => {
      await using server = await startPostgres({ major: 15, tls: true })
      const { host, port, user, password, certificates } = server
      assert.ok(certificates)
      const signIn = async (options: object) => {
        const client = new PostgresClient({ host, port, database: 'postgres', user, password, ...options })
        await client.connect()
        const { rows } = await client.query<{ me: string }>('select current_user me')
        await client.end()
        return rows[0]?.me
      }
      assert.equal(await signIn({ ssl: { ca: certificates.ca } }), 'postgres')
      const { certificate: cert, key } = certificates.client
      const certified = { user: 'certified', password: '', ssl: { ca: certificates.ca, cert, key } }
      assert.equal(await signIn(certified), 'certified')
      await assert.rejects(signIn({ ...certified, ssl: { ca: certificates.ca } }), /certificate/)
      await assert.rejects(signIn({ ssl: { ca: certificates.otherCa } }), /certificate/)
      await assert.rejects(signIn({}), /no encryption/)
    },
  )

  it('can have a certificate for another name', { skip: skipUnless('postgres15') }, async () => {
    await using server = await startPostgres({ major: 15, tls: { serverNames: ['elsewhere.invalid'] } })
    const { host, port, user, password, certificates } = server
    const ssl = { ca: certificates?.ca }
    const client = new PostgresClient({ host, port, user, password, database: 'postgres', ssl })
    await assert.rejects(client.connect(), /does not match/)
  })
})
