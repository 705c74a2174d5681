import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toolEnvironment } from './environment.ts'
import { connectionSettings } from './settings.ts'

const settings = { host: 'db', user: 'me', password: 'canary', tlsCertificate: 'certificate', tlsKey: 'key' }

function environment(more: object) {
  return toolEnvironment(connectionSettings.parse({ ...settings, ...more }), '-d x=y', '/work')
}

describe('what a PostgreSQL tool finds in its environment', () => {
  it('is the connection, with certificate and key in files of the work directory', () => {
    const { env, secretFiles } = environment({ tls: 'verify-ca', tlsCa: 'ca' })
    assert.equal(env['PGDATABASE'], '-d x=y')
    assert.equal(env['PGPASSWORD'], 'canary')
    assert.equal(env['PGSSLMODE'], 'verify-ca')
    assert.deepEqual(secretFiles, {
      '/work/server-ca.pem': 'ca\n',
      '/work/client.pem': 'certificate\n',
      '/work/client.key': 'key\n',
    })
    for (const [variable, file] of [
      ['PGSSLROOTCERT', 'server-ca.pem'],
      ['PGSSLCERT', 'client.pem'],
      ['PGSSLKEY', 'client.key'],
    ] as const) {
      assert.equal(env[variable], `/work/${file}`)
    }
  })

  it('never leads libpq to a file in a home directory', () => {
    const { env } = toolEnvironment(connectionSettings.parse({ host: 'db', user: 'me' }), 'd', '/work')
    for (const variable of [
      'PGPASSFILE',
      'PGSERVICEFILE',
      'PGSSLROOTCERT',
      'PGSSLCERT',
      'PGSSLKEY',
      'PGSSLCRL',
    ]) {
      assert.equal(env[variable], '/work/nothing')
    }
    assert.equal(env['HOME'], '/work')
    assert.equal(env['PGPASSWORD'], undefined)
  })

  it('verifies against the well-known authorities where no other is given, and with prefer against none', () => {
    const wellKnown = environment({ tls: 'verify-full' }).secretFiles['/work/server-ca.pem']
    assert.match(wellKnown ?? '', /^-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----\n$/)
    assert.equal(environment({ tls: 'prefer', tlsCa: 'ca' }).env['PGSSLROOTCERT'], '/work/nothing')
    assert.equal(environment({ tls: 'require', tlsCa: 'ca' }).env['PGSSLROOTCERT'], '/work/server-ca.pem')
  })

  it('has no certificate where nothing is encrypted', () => {
    assert.deepEqual(environment({ tls: 'disable', tlsCa: 'ca' }).secretFiles, {})
  })
})
