import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { it } from 'node:test'
import { problem } from '../shared/problems.ts'
import { describeStores } from '../store/test-bed.ts'
import { firstOrganization } from './organizations/organizations.ts'
import { openApp } from './test-bed.ts'

describeStores('the app', (makePlace) => {
  it('makes one organization, at its first start, and keeps nothing of a token but a hash', async () => {
    await using opened = await openApp(makePlace)
    assert.match(opened.token, /^hf_[\w-]{43}$/)
    assert.equal(await firstOrganization(opened.store), undefined)
    const rows = JSON.stringify(await opened.store.db.selectFrom('tokens').selectAll().execute())
    assert.ok(!rows.includes(opened.token.slice(3)))
  })

  it('says whether it lives and can work, to everybody', async () => {
    await using opened = await openApp(makePlace)
    for (const url of ['/health/live', '/health/ready']) {
      const response = await opened.get(url)
      assert.equal(response.statusCode, 200)
      assert.deepEqual(response.json(), { status: 'ok' })
    }
  })

  it('is not ready without its store', async () => {
    await using opened = await openApp(makePlace)
    await opened.store[Symbol.asyncDispose]()
    const response = await opened.get('/health/ready')
    assert.equal(response.statusCode, 503)
    assert.deepEqual(response.json(), { status: 'unavailable' })
    assert.equal((await opened.get('/health/live')).statusCode, 200)
  })

  it('is not ready while one of its loops hangs', async () => {
    await using app = await openApp(makePlace)
    app.context.heartbeats.set('scheduler', performance.now())
    app.context.heartbeats.set('worker', performance.now() - 60_000)
    assert.equal((await app.get('/health/ready')).statusCode, 200)
    app.context.heartbeats.set('worker', performance.now() - 600_000)
    assert.equal((await app.get('/health/ready')).statusCode, 503)
  })

  it('is not ready without its data directory, and the log says so', async () => {
    const log: string[] = []
    const stream = { write: (line: string) => log.push(line) }
    await using app = await openApp(makePlace, { logger: { level: 'warn', stream } })
    await rm(app.context.dataDirectory, { recursive: true })
    const response = await app.get('/health/ready')
    assert.equal(response.statusCode, 503)
    assert.deepEqual(response.json(), { status: 'unavailable' })
    assert.match(log.join(), new RegExp(`"${app.context.dataDirectory} cannot be reached.`))
  })

  it('takes an empty body for none, whatever its type is said to be', async () => {
    await using app = await openApp(makePlace)
    const empty = (url: string) => app.ask('POST', url, undefined, { 'content-type': 'application/json' })
    const run = await empty('/api/v1/plans/01900000-0000-7000-8000-000000000000/run')
    assert.equal(problem.parse(run.json()).code, 'not_found')
    const addition = await empty('/api/v1/plans')
    assert.equal(addition.statusCode, 400)
    const { code, title } = problem.parse(addition.json())
    assert.deepEqual([code, title], ['invalid_input', 'body: Invalid input: expected object, received null'])
  })

  it('tells nothing to who has no valid token, not even what there is', async () => {
    await using opened = await openApp(makePlace)
    for (const authorization of [
      undefined,
      'Bearer',
      'Bearer hf_nonsense',
      `Bearer hf_${'a'.repeat(43)}`,
      `Basic ${opened.token}`,
      `Bearer ${opened.token}x`,
    ]) {
      for (const url of ['/api/v1/servers', '/api/v1/no-such-thing']) {
        const response = await opened.get(url, authorization)
        assert.equal(response.statusCode, 401, `${authorization}`)
        assert.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
        assert.equal(problem.parse(response.json()).code, 'not_signed_in')
      }
    }
  })

  it('notes when a token was used last', async () => {
    await using opened = await openApp(makePlace)
    await opened.get('/api/v1/no-such-thing', `Bearer ${opened.token}`)
    const { lastUsedAt } = await opened.store.db
      .selectFrom('tokens')
      .select('lastUsedAt')
      .executeTakeFirstOrThrow()
    assert.ok(Math.abs((lastUsedAt ?? 0) - Date.now()) < 60_000)
  })

  it('answers what it cannot do with a problem', async () => {
    await using opened = await openApp(makePlace)
    const headers = { authorization: `Bearer ${opened.token}` }
    const missing = await opened.app.inject({ url: '/api/v1/no-such-thing?password=canary', headers })
    assert.equal(missing.statusCode, 404)
    assert.equal(problem.parse(missing.json()).code, 'not_found')
    assert.doesNotMatch(missing.body, /canary/)
    const json = { ...headers, 'content-type': 'application/json' }
    const broken = await opened.app.inject({ method: 'POST', url: '/api/v1/x', headers: json, payload: '{' })
    assert.ok(broken.statusCode >= 400 && broken.statusCode < 500)
    problem.parse(broken.json())
    const odd = await opened.app.inject({ url: '/api/%ff', headers })
    assert.ok(odd.statusCode >= 400 && odd.statusCode < 500)
    problem.parse(odd.json())
  })

  it('limits the requests of a token, and says when the next one may come', async () => {
    await using opened = await openApp(makePlace, { rateLimit: 3 })
    opened.app.get('/api/v1/anything', { config: { requires: 'view' } }, async () => ({}))
    const ask = () => opened.get('/api/v1/anything', `Bearer ${opened.token}`)
    for (let n = 0; n < 3; n++) assert.equal((await ask()).statusCode, 200)
    const refused = await ask()
    assert.equal(refused.statusCode, 429)
    assert.equal(problem.parse(refused.json()).code, 'too_many_requests')
    assert.ok(Number(refused.headers['retry-after']) > 0)
    assert.equal((await opened.get('/health/live')).statusCode, 200)
  })

  it('tells nobody what it did not foresee', async () => {
    await using opened = await openApp(makePlace)
    opened.app.get('/api/v1/broken', { config: { requires: 'view' } }, async () => {
      throw new Error('canary at /secret/place')
    })
    const response = await opened.get('/api/v1/broken', `Bearer ${opened.token}`)
    assert.equal(response.statusCode, 500)
    assert.equal(problem.parse(response.json()).code, 'internal')
    assert.doesNotMatch(response.body, /canary/)
  })

  it('describes itself as OpenAPI 3.1', async () => {
    await using opened = await openApp(makePlace)
    const response = await opened.get('/api/openapi.json')
    assert.equal(response.statusCode, 200)
    const description = response.json()
    assert.match(description.openapi, /^3\.1/)
    assert.ok(description.paths['/health/ready'].get.responses['503'])
  })
})
