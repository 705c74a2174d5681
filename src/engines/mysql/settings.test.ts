import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { connectionSettings, fromUrl } from './settings.ts'

describe('a MySQL URL', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'holdfast-mysql-'))))
  after(() => rmSync(folder, { recursive: true }))

  it('says host, port, user, password and database', () => {
    const { connection, database } = fromUrl('mysql://a%40b:p%2F%3A@db.example:3307/the%20shop', {})
    assert.deepEqual(connectionSettings.parse(connection), {
      host: 'db.example',
      port: 3307,
      user: 'a@b',
      password: 'p/:',
      tls: 'prefer',
    })
    assert.equal(database, 'the shop')
    const short = fromUrl('mariadb://root@[::1]', {})
    assert.deepEqual(short.connection, { host: '::1', user: 'root' })
    assert.equal(short.database, undefined)
  })

  it('carries every password and database name', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }),
        fc.string({ minLength: 1, unit: 'grapheme' }),
        (password, database) => {
          fc.pre(!/^\.{1,2}$/.test(database))
          const url = `mysql://u:${encodeURIComponent(password)}@h/${encodeURIComponent(database)}`
          assert.deepEqual(fromUrl(url, {}), { connection: { host: 'h', user: 'u', password }, database })
        },
      ),
    )
  })

  it('names a socket, TLS and the files of its certificates', () => {
    const ca = join(folder, 'ca+1.pem')
    writeFileSync(ca, 'the CA')
    const { connection } = fromUrl(
      `mysql://u@h/d?ssl-mode=VERIFY_IDENTITY&ssl-ca=${ca}&socket=/run/my.sock`,
      {},
    )
    assert.deepEqual(connection, {
      host: 'h',
      user: 'u',
      tls: 'verify-full',
      tlsCa: 'the CA',
      socket: '/run/my.sock',
    })
    assert.equal(
      (fromUrl('mysql://u@h?ssl-mode=verify-ca', {}).connection as { tls: string }).tls,
      'verify-ca',
    )
  })

  it('has no file read, and no user added, if it was written elsewhere', () => {
    for (const name of ['ssl-ca', 'ssl-cert', 'ssl-key']) {
      assert.throws(() => fromUrl(`mysql://u@h/d?${name}=/etc/hosts`, {}, 'elsewhere'), /names a file/)
    }
    assert.deepEqual(fromUrl('mysql://h/d', {}, 'elsewhere').connection, { host: 'h' })
  })

  it('leaves the password to the environment', () => {
    const file = join(folder, 'password')
    writeFileSync(file, 'from file\n')
    const password = (environment: NodeJS.ProcessEnv) =>
      (fromUrl('mysql://u:url@h', environment).connection as { password: string }).password
    assert.equal(password({}), 'url')
    assert.equal(password({ HOLDFAST_DATABASE_PASSWORD_FILE: file }), 'from file')
    assert.equal(
      password({ HOLDFAST_DATABASE_PASSWORD: 'direct', HOLDFAST_DATABASE_PASSWORD_FILE: file }),
      'direct',
    )
  })

  it('that says something else is refused without quoting it', () => {
    for (const url of [
      'mysql://u:canary@h:port',
      'postgresql://u:canary@h/d',
      'mysql://u:canary@h?sslmode=require',
      'mysql://u:canary%ZZ@h',
      'mysql://u:canary@h?ssl-ca=/no/such/file',
      'canary',
    ]) {
      assert.throws(
        () => fromUrl(url, {}),
        (error) => {
          assert.ok(error instanceof AppError && error.code === 'invalid_input', url)
          assert.ok(!`${error.message} ${error.hint}`.includes('canary'), error.message)
          return true
        },
      )
    }
    assert.equal(connectionSettings.safeParse({ user: 'u', tls: 'maybe' }).success, false)
    assert.equal(connectionSettings.safeParse({ user: 'u', tlsCertificate: 'x' }).success, false)
  })
})
