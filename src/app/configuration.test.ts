import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { makeCertificates } from '../../test/servers/certificates.ts'
import { makeKey, writeKey } from '../lib/sealing.ts'
import { AppError } from '../shared/errors.ts'
import { readConfiguration, variableNames } from './configuration.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-configuration-'))
after(() => rmSync(folder, { recursive: true }))

const read = (environment: NodeJS.ProcessEnv) => readConfiguration(environment, { isTerminal: false })
const configuration = (environment: NodeJS.ProcessEnv) => read(environment).configuration

/** A file with this text; returns its path. */
function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** The error, and its lines, one for each variable. */
function refusal(environment: NodeJS.ProcessEnv): { error: AppError; lines: string[] } {
  try {
    read(environment)
  } catch (error) {
    assert.ok(error instanceof AppError, inspect(error))
    assert.deepEqual([error.code, error.exitCode], ['configuration_invalid', 2])
    return {
      error,
      lines: error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
    }
  }
  return assert.fail(`accepted: ${inspect(environment)}`)
}

describe('the configuration', () => {
  it('has a default for everything', () => {
    assert.deepEqual(read({ PATH: '/bin' }), {
      configuration: {
        dataDirectory: resolve('data'),
        workDirectory: resolve('data/work'),
        store: { path: resolve('data/holdfast.db') },
        host: '127.0.0.1',
        port: 7300,
        tls: undefined,
        basePath: '',
        pageDirectory: undefined,
        appUrl: undefined,
        trustedProxies: [],
        smtp: undefined,
        oidc: undefined,
        managed: undefined,
        isDemo: false,
        skipsMigrationBackup: false,
        timeZone: 'UTC',
        log: { level: 'info', format: 'json' },
        appKey: undefined,
        previousAppKeys: [],
        backupKey: undefined,
        previousBackupKeys: [],
        administrator: undefined,
        remote: { url: undefined, token: undefined },
      },
      warnings: [],
    })
    assert.equal(readConfiguration({}, { isTerminal: true }).configuration.log.format, 'pretty')
  })

  it('takes what is empty for what is not set', () => {
    const environment = Object.fromEntries(variableNames.map((name) => [name, '']))
    assert.deepEqual(read(environment), read({}))
  })

  it('says of a schedule for app backups what is wrong with it', () => {
    const managed = { HOLDFAST_MANAGED: '1' }
    const found = configuration(managed).managed
    assert.deepEqual([found?.folder, found?.keep, found?.schedules.length], ['app-backups', 7, 2])
    for (const [schedule, why] of [
      ['hourly', /migration, daily, weekly or monthly/],
      ['daily', /at least one time/],
      ['daily 25:00', /not a time of day/],
      ['daily monday 03:00', /a word too many/],
      ['migration 03:00', /a word too many/],
      ['weekly 03:00', /at least one weekday/],
      ['weekly someday 03:00', /not a weekday/],
      ['monthly 32 03:00', /from 1 to 31/],
    ] as const) {
      const { lines } = refusal({ ...managed, HOLDFAST_APP_BACKUP_SCHEDULE: `migration, ${schedule}` })
      assert.match(lines.join(), why, schedule)
      assert.ok(lines[0]?.includes(schedule), lines[0])
    }
    assert.match(refusal({ HOLDFAST_APP_BACKUP_KEEP: '16' }).lines.join(), /from 0 to 15/)
    const unused = read({ HOLDFAST_APP_BACKUP_KEEP: '3' })
    assert.match(unused.warnings.join(), /HOLDFAST_MANAGED is not 1: it is not used/)
  })

  it('is what the variables say', () => {
    const [key, former, older] = [makeKey(), makeKey(), makeKey()]
    const found = configuration({
      HOLDFAST_DATA_DIR: '/srv/holdfast',
      HOLDFAST_WORK_DIR: 'scratch',
      DATABASE_URL: 'postgres://u:p%40@db/holdfast?sslmode=verify-full',
      HOLDFAST_HOST: '[::]',
      HOLDFAST_PORT: '8080',
      HOLDFAST_BASE_PATH: '/apps/backups/',
      HOLDFAST_PAGE_DIR: '/srv/page',
      APP_URL: 'https://example.com/apps/backups/',
      TRUSTED_PROXIES: '10.0.0.7, 172.16.0.0/12,::1,fd00::/8, Loopback,',
      SMTP_URL: 'smtps://holdfast%40example.com:p%2Fw@mail.example.com',
      MAIL_FROM: 'Holdfast <holdfast@example.com>',
      HOLDFAST_TIMEZONE: 'Europe/Kyiv',
      LOG_LEVEL: 'DEBUG',
      LOG_FORMAT: 'pretty',
      APP_KEY: writeKey(key),
      APP_PREVIOUS_KEYS: `${writeKey(former)}, ${writeKey(older)}`,
      BACKUP_ENCRYPTION_KEY: 'correct horse battery staple',
      BACKUP_PREVIOUS_ENCRYPTION_KEYS: 'one, base64:AAE=',
      HOLDFAST_MANAGED: '1',
      HOLDFAST_APP_BACKUP_DIR: '/mnt/app',
      HOLDFAST_APP_BACKUP_SCHEDULE:
        'Migration, daily 15:00 03:00,weekly mon friday 01:00, monthly 31 1 02:00',
      HOLDFAST_APP_BACKUP_KEEP: '3',
      HOLDFAST_SKIP_MIGRATION_BACKUP: 'yes',
      HOLDFAST_ADMIN_EMAIL: 'Ada@Example.com',
      HOLDFAST_ADMIN_PASSWORD: 'Nacre-tiled 7 harbours',
      HOLDFAST_URL: 'http://localhost:7300',
      HOLDFAST_TOKEN: 'hf_token',
    })
    const timeZone = 'Europe/Kyiv'
    assert.ok(found.appKey?.equals(key))
    assert.ok(found.previousAppKeys[0]?.equals(former) && found.previousAppKeys[1]?.equals(older))
    assert.deepEqual(
      { ...found, appKey: 0, previousAppKeys: 0 },
      {
        dataDirectory: '/srv/holdfast',
        workDirectory: resolve('scratch'),
        store: { url: 'postgres://u:p%40@db/holdfast?sslmode=verify-full' },
        host: '::',
        port: 8080,
        tls: undefined,
        basePath: '/apps/backups',
        pageDirectory: '/srv/page',
        appUrl: 'https://example.com/apps/backups',
        trustedProxies: ['10.0.0.7', '172.16.0.0/12', '::1', 'fd00::/8', 'loopback'],
        smtp: {
          host: 'mail.example.com',
          port: 465,
          tls: 'tls',
          user: 'holdfast@example.com',
          password: 'p/w',
          from: 'Holdfast <holdfast@example.com>',
        },
        oidc: undefined,
        managed: {
          folder: '/mnt/app',
          schedules: [
            { type: 'migration', timeZone },
            { type: 'daily', times: ['03:00', '15:00'], timeZone },
            { type: 'weekly', weekdays: ['monday', 'friday'], times: ['01:00'], timeZone },
            { type: 'monthly', days: [1, 31], times: ['02:00'], timeZone },
          ],
          keep: 3,
        },
        isDemo: false,
        skipsMigrationBackup: true,
        timeZone,
        log: { level: 'debug', format: 'pretty' },
        appKey: 0,
        previousAppKeys: 0,
        backupKey: 'correct horse battery staple',
        previousBackupKeys: ['one', 'base64:AAE='],
        administrator: { email: 'ada@example.com', password: 'Nacre-tiled 7 harbours' },
        remote: { url: 'http://localhost:7300', token: 'hf_token' },
      },
    )
  })

  it('names the server for mail, which also says how its line is protected', () => {
    const from = 'holdfast@example.com'
    const mail = (url: string) => configuration({ SMTP_URL: url, MAIL_FROM: from }).smtp
    assert.deepEqual(mail('smtp://mail'), { host: 'mail', port: 587, tls: 'starttls', from })
    assert.deepEqual(mail('smtp://[::1]:25/?tls=none'), { host: '::1', port: 25, tls: 'none', from })
    assert.deepEqual(mail('smtps://u@mail'), { host: 'mail', port: 465, tls: 'tls', user: 'u', from })
    assert.deepEqual(mail('smtp://mail?tls=tls'), { host: 'mail', port: 465, tls: 'tls', from })
    const wrong = ['http://mail', 'smtp:mail', 'smtp://', 'smtp://u:hunter2%@mail', 'smtp://mail/x']
    wrong.push('smtp://mail?tls=maybe', 'smtps://mail?tls=none', 'smtp://mail?a=b', 'smtp://mail:0')
    for (const url of wrong) {
      const { error, lines } = refusal({ SMTP_URL: url, MAIL_FROM: from })
      assert.equal(lines.length, 1, url)
      assert.match(lines[0] ?? '', /^SMTP_URL: /)
      assert.ok(!inspect(error).includes('hunter2'))
    }
    assert.match(refusal({ SMTP_URL: 'smtp://mail' }).lines.join(), /^MAIL_FROM: is not set, but SMTP_URL is/)
    const injected = 'a@example.com>\r\nBcc: b@example.com'
    for (const sender of ['nobody', 'a@b c@d', injected]) {
      const { lines } = refusal({ SMTP_URL: 'smtp://mail', MAIL_FROM: sender })
      assert.match(lines[0] ?? '', /^MAIL_FROM: /)
    }
    const alone = read({ MAIL_FROM: from })
    assert.equal(alone.configuration.smtp, undefined)
    assert.match(alone.warnings.join(), /MAIL_FROM is set, but SMTP_URL is not/)
  })

  it('names an identity provider, with all that it gives', () => {
    const required = { OIDC_ISSUER: 'https://sso.example.com/realms/us/', OIDC_CLIENT_ID: 'holdfast' }
    assert.deepEqual(configuration(required).oidc, {
      name: 'Single sign-on',
      discoveryUrl: 'https://sso.example.com/realms/us/.well-known/openid-configuration',
      clientId: 'holdfast',
      clientSecret: undefined,
      scopes: undefined,
      allowHttp: false,
      autoCreate: false,
      emailDomains: [],
      claim: null,
      mappings: [],
      defaultRole: undefined,
      isStrict: false,
    })
    const { oidc } = configuration({
      ...required,
      OIDC_DISCOVERY_URL: 'https://sso.example.com/other',
      OIDC_CLIENT_SECRET_FILE: file('oidc', 'canary\n'),
      OIDC_SCOPES: 'openid, email groups',
      OIDC_EMAIL_DOMAINS: 'Example.com',
      OIDC_ROLE_CLAIM: 'groups',
      OIDC_ROLE_MAP: 'cn=admins,dc=x=Admin',
      OIDC_DEFAULT_ROLE: 'Viewer@Shop',
      OIDC_STRICT: '1',
    })
    assert.deepEqual(
      [oidc?.discoveryUrl, oidc?.clientSecret, oidc?.scopes, oidc?.emailDomains, oidc?.defaultRole],
      [
        'https://sso.example.com/other',
        'canary',
        ['openid', 'email', 'groups'],
        ['example.com'],
        { role: 'Viewer', organization: 'Shop' },
      ],
    )
    assert.equal(configuration({}).oidc, undefined)
    for (const [environment, line] of [
      [{ OIDC_CLIENT_ID: 'x' }, /^OIDC_ISSUER: is not set, but OIDC_CLIENT_ID is/],
      [{ OIDC_ISSUER: 'https://x' }, /^OIDC_CLIENT_ID: is not set/],
      [{ ...required, OIDC_SCOPES: 'email' }, /^OIDC_SCOPES: “email” has not “openid”/],
      [{ ...required, OIDC_ROLE_MAP: 'admins' }, /^OIDC_ROLE_MAP: “admins” does not say/],
      [{ ...required, OIDC_DEFAULT_ROLE: 'a@b@c' }, /^OIDC_DEFAULT_ROLE: “a@b@c” is not a role/],
      [{ ...required, OIDC_EMAIL_DOMAINS: 'x@y' }, /^OIDC_EMAIL_DOMAINS: “x@y” is not a domain/],
    ] as const) {
      assert.match(refusal(environment).lines[0] ?? '', line)
    }
  })

  it('may be read from files', () => {
    const key = makeKey()
    const path = file('key', `${writeKey(key)}\n`)
    assert.ok(configuration({ APP_KEY_FILE: path }).appKey?.equals(key))
    const values = {
      HOLDFAST_PORT: '9',
      HOLDFAST_TIMEZONE: 'Europe/Berlin',
      LOG_LEVEL: 'warn',
      HOLDFAST_TOKEN: 't',
    }
    const files = Object.entries(values).map(([name, text]) => [`${name}_FILE`, file(name, `${text}\n`)])
    assert.deepEqual(read(Object.fromEntries(files)), read(values))
    const both = read({ HOLDFAST_PORT: '10', HOLDFAST_PORT_FILE: file('port', '9') })
    assert.equal(both.configuration.port, 10)
    assert.match(both.warnings.join(), /HOLDFAST_PORT and HOLDFAST_PORT_FILE are both set/)
  })

  it('names a file that cannot be read, or is empty', () => {
    const { lines } = refusal({ APP_KEY_FILE: '/nowhere/key', HOLDFAST_TOKEN_FILE: file('empty', '\n') })
    assert.match(lines[0] ?? '', /^APP_KEY_FILE: names a file that cannot be read: ENOENT/)
    assert.match(lines[1] ?? '', /^HOLDFAST_TOKEN_FILE: names a file that is empty/)
  })

  it('says all that is wrong at once, with what to do', () => {
    const { error, lines } = refusal({
      HOLDFAST_PORT: '70000',
      HOLDFAST_HOST: 'http://0.0.0.0',
      HOLDFAST_TIMEZONE: 'Europe/Berln',
      LOG_LEVEL: 'loud',
      APP_KEY: 'base64:AAAA',
      DATABASE_URL: 'mysql://u:hunter2@db/x',
      TRUSTED_PROXIES: '10.0.0.0/8,*',
      HOLDFAST_TLS_KEY: '/nowhere/key.pem',
      APP_URL: 'backups.example.com',
      HOLDFAST_TOKEN_FILE: '/nowhere/token',
    })
    const names = lines.map((line) => line.split(':')[0])
    assert.deepEqual(names, [
      'DATABASE_URL',
      'HOLDFAST_HOST',
      'HOLDFAST_PORT',
      'HOLDFAST_TLS_CERT',
      'HOLDFAST_TLS_KEY',
      'APP_URL',
      'TRUSTED_PROXIES',
      'HOLDFAST_TIMEZONE',
      'LOG_LEVEL',
      'APP_KEY',
      'HOLDFAST_TOKEN_FILE',
    ])
    assert.match(error.message, /^11 variables of the environment cannot be used:/)
    assert.match(error.message, /HOLDFAST_PORT: “70000” is not a port\. A number from 1/)
    assert.match(error.message, /HOLDFAST_TIMEZONE: .* Did you mean Europe\/Berlin\?/)
    assert.match(error.message, /TRUSTED_PROXIES: “\*” is neither/)
    assert.match(error.message, /APP_KEY: The key must have 32 bytes; it has 3\. Make one with/)
    assert.ok(!inspect(error).includes('hunter2'))
    assert.match(error.hint ?? '', /configuration\.md/)
  })

  it('refuses what is not what it must be', () => {
    const cases: Record<string, string[]> = {
      HOLDFAST_PORT: ['-1', '1.5', '0x50', '65536', '7300 ', 'http'],
      HOLDFAST_HOST: ['a b', '999', '1.2.3.4:80', 'a_b', '-a', '256.1.1.1.'],
      HOLDFAST_BASE_PATH: ['a', '/a//b', '/a/../b', '/.', '/a?b', '/a b', 'https://x/a', '/%2e'],
      HOLDFAST_TIMEZONE: ['+01:00', 'CEST+1', 'Mars/Olympus', '-05'],
      APP_URL: ['ftp://x', 'https://u:p@x', 'https://x/?a=b', 'https://x/#a', 'x', '//x'],
      HOLDFAST_URL: ['localhost:7300'],
      TRUSTED_PROXIES: ['10.0.0.0/33', 'fd00::/129', 'proxy', '10.0.0.0/', '10.0.0.0/8/9', 'true', '1'],
      LOG_FORMAT: ['text'],
      DATABASE_URL: ['postgres:db', '/var/db', 'postgres://a b'],
      APP_PREVIOUS_KEYS: ['x', `${writeKey(makeKey())},base64:AAAA`],
      BACKUP_ENCRYPTION_KEY: ['base64:', 'base64:?'],
      BACKUP_PREVIOUS_ENCRYPTION_KEYS: ['a,base64:?'],
      HOLDFAST_TOKEN: ['a b', 'ä'],
    }
    for (const [name, values] of Object.entries(cases)) {
      for (const value of values) {
        const { lines } = refusal({ [name]: value })
        assert.equal(lines.length, 1, `${name}=${value}`)
        assert.ok(lines[0]?.startsWith(`${name}: `), lines[0])
      }
    }
  })

  it('takes what is unusual, but right', () => {
    const cases: Record<string, string[]> = {
      HOLDFAST_HOST: ['localhost', '0.0.0.0', '::1', 'db-1.internal'],
      HOLDFAST_TIMEZONE: [
        'UTC',
        'Etc/UTC',
        'Asia/Calcutta',
        'America/Argentina/Buenos_Aires',
        'europe/berlin',
      ],
      HOLDFAST_PORT: ['0', '65535'],
      DATABASE_URL: ['postgresql:///holdfast?host=/run/postgresql', 'postgres://a,b/holdfast'],
    }
    for (const [name, values] of Object.entries(cases))
      for (const value of values) configuration({ [name]: value })
  })

  it('never quotes a secret', () => {
    const secrets = ['APP_KEY', 'APP_PREVIOUS_KEYS', 'DATABASE_URL', 'HOLDFAST_TOKEN', 'HOLDFAST_TLS_KEY']
    for (const name of secrets) {
      for (const value of [
        'CAN ARY',
        'base64:CAN ARY',
        '-----BEGIN CAN ARY',
        'CAN ARY,CAN ARY',
        'base64:CANARY?',
      ]) {
        if (name === 'HOLDFAST_TLS_KEY' && !value.startsWith('-----')) continue // a path
        if (name === 'HOLDFAST_TOKEN' && !value.includes(' ')) continue // a token
        const { error } = refusal({
          [name]: value,
          HOLDFAST_TLS_CERT: name === 'HOLDFAST_TLS_KEY' ? '/x' : undefined,
        })
        assert.doesNotMatch(inspect(error), /CAN ?ARY/, name)
      }
    }
    for (const value of ['base64:CANARY?', 'base64:CAN ARY']) {
      const { error } = refusal({ BACKUP_ENCRYPTION_KEY: value, BACKUP_PREVIOUS_ENCRYPTION_KEYS: value })
      assert.doesNotMatch(inspect(error), /CAN ?ARY/)
    }
  })
})

describe('the certificate of the configuration', () => {
  const path = (name: string) => join(folder, name)
  before(async () => {
    const { server, client } = await makeCertificates()
    for (const [name, { certificate, key }] of Object.entries({ a: server, b: client })) {
      file(`${name}.pem`, certificate)
      file(`${name}.key`, key)
    }
    const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
    file('locked.key', String(createPrivateKey(server.key).export(locked)))
  })
  const pem = (name: string) => readFileSync(path(name), 'utf8')

  it('is PEM, or in a file, with its key', () => {
    const expected = { certificate: pem('a.pem'), key: pem('a.key') }
    for (const environment of [
      { HOLDFAST_TLS_CERT: path('a.pem'), HOLDFAST_TLS_KEY: path('a.key') },
      { HOLDFAST_TLS_CERT: pem('a.pem'), HOLDFAST_TLS_KEY: pem('a.key') },
    ]) {
      assert.deepEqual(read(environment), {
        configuration: { ...configuration({}), tls: expected },
        warnings: [],
      })
    }
    const { tls } = configuration({
      HOLDFAST_TLS_CERT_FILE: path('a.pem'),
      HOLDFAST_TLS_KEY_FILE: path('a.key'),
    })
    assert.equal(tls?.key.trim(), expected.key.trim())
  })

  it('is refused without its key, with another one, or with one that is locked', () => {
    const wrong = (
      HOLDFAST_TLS_CERT: string | undefined,
      HOLDFAST_TLS_KEY: string | undefined,
      port?: string,
    ) => refusal({ HOLDFAST_TLS_CERT, HOLDFAST_TLS_KEY, HOLDFAST_PORT: port }).lines.join('\n')
    assert.match(wrong(path('a.pem'), undefined), /^HOLDFAST_TLS_KEY: is not set, but HOLDFAST_TLS_CERT is/)
    assert.match(wrong(undefined, path('a.key')), /^HOLDFAST_TLS_CERT: is not set/)
    assert.match(
      wrong(path('a.pem'), path('b.key')),
      /^HOLDFAST_TLS_KEY: is not the key of HOLDFAST_TLS_CERT\.$/,
    )
    assert.match(
      wrong(path('a.pem'), path('b.key'), 'x'),
      /HOLDFAST_PORT: .*\nHOLDFAST_TLS_KEY: is not the key/,
    )
    assert.match(
      wrong(path('a.pem'), path('locked.key')),
      /^HOLDFAST_TLS_KEY: is not a private key in PEM without/,
    )
    assert.match(wrong(path('a.key'), path('a.key')), /^HOLDFAST_TLS_CERT: is not a certificate in PEM/)
    assert.match(
      wrong('/nowhere.pem', path('a.key')),
      /^HOLDFAST_TLS_CERT: it names a file that cannot be read: ENOENT/,
    )
  })

  it('is told to have expired', () => {
    const environment = { HOLDFAST_TLS_CERT: path('a.pem'), HOLDFAST_TLS_KEY: path('a.key') }
    const { warnings } = readConfiguration(environment, { now: new Date(Date.now() + 3 * 86_400_000) })
    assert.match(warnings.join(), /HOLDFAST_TLS_CERT expired on/)
  })
})

describe('a variable that is not known', () => {
  it('is told, with the one that was meant', () => {
    const cases: Record<string, RegExp> = {
      HOLDFAST_PROT: /^HOLDFAST_PROT is not a variable of Holdfast: did you mean HOLDFAST_PORT\?$/,
      HOLDFAST_DATADIR: /did you mean HOLDFAST_DATA_DIR\?$/,
      HOLDFAST_TIME_ZONE_FILE: /did you mean HOLDFAST_TIMEZONE_FILE\?$/,
      HOLDFAST_APP_KEY: /did you mean APP_KEY\?$/,
      HOLDFAST_LOGLEVEL: /did you mean LOG_LEVEL\?$/,
      HOLDFAST_DATABASE_URL: /did you mean DATABASE_URL\?$/,
      HOLDFAST_ADMIN_MAIL: /did you mean HOLDFAST_ADMIN_EMAIL\?$/,
      HOLDFAST_COMPLETELY_UNKNOWN_THING:
        /^HOLDFAST_COMPLETELY_UNKNOWN_THING is not a variable of Holdfast\.$/,
    }
    for (const [name, expected] of Object.entries(cases)) {
      const { warnings } = read({ [name]: 'CANARY' })
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', expected)
    }
  })

  it('is none of those that are read elsewhere, or later, or belong to others', () => {
    const names = ['HOLDFAST_AGENT_TOKEN_FILE', 'OAUTH_ISSUER', 'HOLDFAST_TEST_X', 'PORT', 'APP_NAME']
    assert.deepEqual(read(Object.fromEntries(names.map((name) => [name, 'x']))).warnings, [])
  })

  it('is not what Kubernetes sets for a service called “holdfast”', () => {
    const { configuration, warnings } = read({
      HOLDFAST_PORT: 'tcp://10.96.0.7:7300',
      HOLDFAST_PORT_7300_TCP: 'tcp://10.96.0.7:7300',
      HOLDFAST_PORT_7300_TCP_ADDR: '10.96.0.7',
      HOLDFAST_SERVICE_HOST: '10.96.0.7',
      HOLDFAST_SERVICE_PORT_HTTP: '7300',
    })
    assert.equal(configuration.port, 7300)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /HOLDFAST_PORT .* Kubernetes .* enableServiceLinks/)
  })

  it('is none that our own code reads', () => {
    const sources = globSync('src/**/*.ts', { exclude: ['**/*.test.ts', '**/test-*.ts'] })
    const names = sources.flatMap(
      (path) => readFileSync(path, 'utf8').match(/\bHOLDFAST_[A-Z_]+[A-Z]\b/g) ?? [],
    )
    assert.ok(names.length > 20)
    const { warnings } = read(
      Object.fromEntries(names.map((name) => [name.replace(/(_FILE)?$/, '_FILE'), ''])),
    )
    assert.deepEqual(warnings, [])
  })
})

describe('the page about the configuration', () => {
  it('has a row for each variable that is read', () => {
    const page = readFileSync(new URL('../../docs/guide/configuration.md', import.meta.url), 'utf8')
    for (const name of variableNames) assert.match(page, new RegExp(`^\\| [^|]*\`${name}\``, 'm'), name)
  })
})
