import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { connectionOfString } from '../../shared/servers.ts'
import { describeStores } from '../../store/test-bed.ts'
import { loggerOf } from '../log.ts'
import { openApp } from '../test-bed.ts'

const CANARY = 'canary-password-1234'
const url = '/api/v1/connection-strings'

describeStores('a connection string', (makePlace) => {
  it('is read by the engine that it is of, and nothing is made up', async () => {
    await using app = await openApp(makePlace)
    const cases: [url: string, read: unknown][] = [
      [
        `postgresql://backup:${CANARY}@db.example:5433/shop?sslmode=verify-full`,
        {
          engine: 'postgresql',
          connection: {
            host: 'db.example',
            port: 5433,
            user: 'backup',
            password: CANARY,
            tls: 'verify-full',
          },
          database: 'shop',
        },
      ],
      ['postgres://db.example', { engine: 'postgresql', connection: { host: 'db.example' }, database: null }],
      [
        'mariadb://root@[::1]/the%20shop',
        { engine: 'mysql', connection: { host: '::1', user: 'root' }, database: 'the shop' },
      ],
      [
        'sqlite:/srv/shop.db',
        { engine: 'sqlite', connection: { path: '/srv/shop.db' }, database: '/srv/shop.db' },
      ],
    ]
    for (const [text, expected] of cases) {
      const answer = await app.ask('POST', url, { url: text })
      assert.equal(answer.statusCode, 200, answer.body)
      assert.deepEqual(connectionOfString.parse(answer.json()), expected)
    }
  })

  it('that cannot be read is refused in a sentence at its field, without the password', async () => {
    await using app = await openApp(makePlace)
    const cases: [url: string, told: RegExp][] = [
      [`oracle://u:${CANARY}@h`, /“oracle:” is no kind of database/],
      [CANARY, /A database URL is wanted/],
      [`postgresql://u:${CANARY}@h:99999/d`, /not a PostgreSQL URL/],
      [`postgresql://u:${CANARY}@h/d?sslmode=nonsense`, /In the PostgreSQL URL: tls: /],
      [`postgresql://u:${CANARY}@h/d?connect_timeout=soon`, /In the PostgreSQL URL: connectTimeout: /],
      [`mysql://u:${CANARY}@h/d?nonsense=1`, /“nonsense” of the MySQL URL is not known/],
      ['sqlite:shop.db', /names no absolute path/],
      ['sqlite:', /names no file/],
    ]
    for (const [text, told] of cases) {
      const answer = await app.ask('POST', url, { url: text })
      assert.equal(answer.statusCode, 400, text)
      const { code, title, errors } = problem.parse(answer.json())
      assert.equal(code, 'invalid_input')
      assert.match(title, told)
      assert.deepEqual(errors, [{ field: 'url', message: title }])
      assert.ok(!answer.body.includes(CANARY), answer.body)
    }
    const unknown = await app.ask('POST', url, { url: 'oracle://h' })
    assert.match(problem.parse(unknown.json()).hint ?? '', /postgresql: .*mysql: .*sqlite:/)
  })

  it('learns nothing of the machine: no file, no environment, no user', async () => {
    await using app = await openApp(makePlace)
    const secretFile = join(app.context.dataDirectory, 'secret.pem')
    await writeFile(secretFile, CANARY)
    const names = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => `postgresql://u@h/d?${name}=`)
    for (const start of [...names, 'mysql://u@h/?ssl-ca=', 'mysql://u@h/?ssl-key=']) {
      for (const path of [secretFile, `${secretFile}.none`]) {
        const answer = await app.ask('POST', url, { url: start + path })
        assert.equal(answer.statusCode, 400)
        assert.match(problem.parse(answer.json()).title, /names a file, and none is read/)
        assert.ok(!answer.body.includes(CANARY))
      }
    }
    process.env['HOLDFAST_DATABASE_PASSWORD'] = CANARY
    try {
      const { connection } = (await app.ask('POST', url, { url: 'postgresql://h' })).json()
      assert.deepEqual(connection, { host: 'h' })
    } finally {
      delete process.env['HOLDFAST_DATABASE_PASSWORD']
    }
  })

  it('is neither logged, nor recorded, nor kept in the clear', async () => {
    const lines: string[] = []
    const logger = loggerOf({ level: 'trace', format: 'json' }, { write: (text) => lines.push(text) })
    await using app = await openApp(makePlace, { logger })
    const good = `postgresql://backup:${CANARY}@db.example/shop`
    for (const text of [good, `${good}?nonsense=1`, `oracle://u:${CANARY}@h`]) {
      await app.ask('POST', url, { url: text }, { 'idempotency-key': `key-${text.length}` })
    }
    await app.ask('POST', url, { url: good, other: CANARY })
    const entries = await app.store.db.selectFrom('auditEntries').selectAll().execute()
    const kept = await app.store.db.selectFrom('idempotencyKeys').selectAll().execute()
    assert.ok(kept.length > 0)
    assert.ok(!JSON.stringify([lines, entries, kept]).includes(CANARY))
  })
})
