import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { secretFields } from '../../shared/secrets.ts'
import { connectionSettings, fromUrl } from './settings.ts'

describe('a PostgreSQL URL', () => {
  const cases: [url: string, connection: object, database?: string][] = [
    [
      'postgresql://me:pass@db.example:5433/shop?sslmode=verify-full',
      { host: 'db.example', port: 5433, user: 'me', password: 'pass', tls: 'verify-full' },
      'shop',
    ],
    ['postgres://me@db/', { host: 'db', user: 'me' }],
    ['postgresql://me:p%40%3A%2F%25@db/a%2Fb%20c', { host: 'db', user: 'me', password: 'p@:/%' }, 'a/b c'],
    ['postgresql://me@[::1]:5432/shop', { host: '::1', port: 5432, user: 'me' }, 'shop'],
    ['postgresql://me@/shop?host=/run/postgresql', { host: '/run/postgresql', user: 'me' }, 'shop'],
    ['postgresql:///shop?host=/run/pg&user=a+b', { host: '/run/pg', user: 'a+b' }, 'shop'],
    ['postgresql://me@%2Frun%2Fpg/shop', { host: '/run/pg', user: 'me' }, 'shop'],
    ['postgresql://me@db?dbname=postgresql%3A%2F%2Fx', { host: 'db', user: 'me' }, 'postgresql://x'],
    [
      'postgresql://me@db/d?connect_timeout=3&port=6',
      { host: 'db', user: 'me', connectTimeout: 3, port: 6 },
      'd',
    ],
  ]
  for (const [url, connection, database] of cases) {
    it(`is read: ${url}`, () => assert.deepEqual(fromUrl(url, {}), { connection, database }))
  }

  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'settings-'))
    await writeFile(join(folder, 'ca.pem'), 'the CA')
    await writeFile(join(folder, 'password'), 'from a file\n')
  })
  after(() => rm(folder, { recursive: true }))

  it('has the files read that it names', () => {
    const { connection } = fromUrl(`postgresql://me@db/d?sslrootcert=${folder}/ca.pem`, {})
    assert.deepEqual(connection, { host: 'db', user: 'me', tlsCa: 'the CA' })
  })

  it('has no file read, and no user added, if it was written elsewhere', () => {
    for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
      const url = `postgresql://me@db/d?${name}=${folder}/ca.pem`
      assert.throws(() => fromUrl(url, {}, 'elsewhere'), /names a file, and none is read/)
    }
    const { connection } = fromUrl('postgresql://db/d?sslrootcert=system', {}, 'elsewhere')
    assert.deepEqual(connection, { host: 'db' })
  })

  it('gives way to a password in the environment, or in a file that it names, but not to PGPASSWORD', () => {
    const password = (environment: NodeJS.ProcessEnv) =>
      (fromUrl('postgresql://me:url@db/d', environment).connection as { password: string }).password
    assert.equal(password({ HOLDFAST_DATABASE_PASSWORD: 'environment' }), 'environment')
    assert.equal(password({ HOLDFAST_DATABASE_PASSWORD_FILE: join(folder, 'password') }), 'from a file')
    assert.equal(password({ PGPASSWORD: 'libpq' }), 'url')
  })

  for (const url of [
    'mysql://me@db/d',
    'postgresql://me:can%ary@db/d',
    'postgresql://me:canary@db:port/d',
    'postgresql://me:canary@one,two/d',
    'postgresql://me:canary@one:1,two:2/d',
    'postgresql://me:canary@db/d?sslmode=allow',
    'postgresql://me:canary@db/d?options=-c',
    'postgresql://me:canary@db/d?sslkey=/no/such/file',
    'not a URL with a canary',
  ]) {
    it(`is refused, and its password not repeated: ${url}`, () => {
      assert.throws(
        () => fromUrl(url, {}),
        (error) =>
          error instanceof AppError &&
          error.code === 'invalid_input' &&
          !`${error.message} ${error.hint}`.includes('canary'),
      )
    })
  }

  it('never makes anything but an AppError of nonsense', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          fromUrl(`postgresql://${text}`, {})
        } catch (error) {
          assert.ok(error instanceof AppError && error.code === 'invalid_input', String(error))
        }
      }),
    )
  })
})

describe('the settings of a PostgreSQL server', () => {
  it('prefer TLS, and know the usual port and database', () => {
    const settings = connectionSettings.parse({ host: 'db', user: 'me' })
    assert.deepEqual(settings, {
      host: 'db',
      port: 5432,
      user: 'me',
      password: '',
      maintenanceDatabase: 'postgres',
      tls: 'prefer',
      connectTimeout: 10,
    })
  })

  it('call the password and the key secret', () => {
    assert.deepEqual(secretFields(connectionSettings), ['password', 'tlsKey'])
  })

  it('refuse a certificate without its key', () => {
    assert.equal(connectionSettings.safeParse({ host: 'db', user: 'me', tlsCertificate: 'x' }).success, false)
  })
})
