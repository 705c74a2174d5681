import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { it } from 'node:test'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { problem } from '../../shared/problems.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { buildApp } from '../app.ts'
import { openApp } from '../test-bed.ts'

const HOUR = 3_600_000
const connection = { host: 'db.example', user: 'backup', password: 'canary' }
const shop = { name: 'shop', engine: 'postgresql', connection }

/** The app, with a route that counts how often it was really done, and answers in the given way. */
async function openCounting(
  makePlace: Parameters<typeof openApp>[0],
  answer: (count: number) => unknown = (count) => ({ count }),
) {
  const opened = await openApp(makePlace)
  let count = 0
  const config = { requires: 'sign-in', audit: null } as const
  opened.app.post(
    '/api/v1/count',
    { config, schema: { body: z.unknown() } },
    async () => await answer(++count),
  )
  const post = (key: string, payload: object = {}, url = '/api/v1/count') =>
    opened.ask('POST', url, payload, { 'idempotency-key': key })
  return { ...opened, post, count: () => count }
}

async function age(opened: Awaited<ReturnType<typeof openApp>>, milliseconds: number): Promise<void> {
  await opened.store.db
    .updateTable('idempotencyKeys')
    .set((eb) => ({ createdAt: eb('createdAt', '-', milliseconds) }))
    .execute()
}

describeBothStores('a POST with an Idempotency-Key', (makePlace) => {
  it('is done once, and answered again as it was', async () => {
    await using app = await openApp(makePlace)
    const headers = { 'idempotency-key': randomUUID() }
    const first = await app.ask('POST', '/api/v1/servers', shop, headers)
    const again = await app.ask('POST', '/api/v1/servers', shop, headers)
    assert.equal(first.statusCode, 201, first.body)
    assert.equal(first.headers['idempotency-replayed'], undefined)
    assert.equal(again.headers['idempotency-replayed'], 'true')
    assert.equal(again.statusCode, 201)
    assert.equal(again.body, first.body)
    for (const name of ['location', 'etag', 'content-type']) {
      assert.equal(again.headers[name], first.headers[name], name)
    }
    const twin = await app.ask('POST', '/api/v1/servers', shop, { 'idempotency-key': randomUUID() })
    assert.equal(twin.statusCode, 409, 'another key is another request')
  })

  it('is answered again by another node', async () => {
    await using app = await openApp(makePlace)
    const headers = { authorization: `Bearer ${app.token}`, 'idempotency-key': 'abc' }
    const request = { method: 'POST', url: '/api/v1/servers', payload: shop, headers } as const
    const first = await app.app.inject(request)
    const other = await buildApp(app.context, { rateLimit: 0 })
    const quoted = { ...headers, 'idempotency-key': '"abc"' }
    const again = await other.inject({ ...request, headers: quoted })
    await other.close()
    assert.equal(again.headers['idempotency-replayed'], 'true')
    assert.equal(again.body, first.body)
  })

  it('and another request of that key is refused', async () => {
    await using app = await openCounting(makePlace)
    await app.post('a', { n: 1 })
    for (const other of [await app.post('a', { n: 2 }), await app.post('a', { n: 1 }, '/api/v1/count?x=1')]) {
      assert.equal(other.statusCode, 422)
      assert.equal(problem.parse(other.json()).code, 'idempotency_key_reused')
    }
    assert.equal(app.count(), 1)
    assert.deepEqual((await app.post('b', { n: 2 })).json(), { count: 2 })
  })

  it('waits while the first one is being answered', async () => {
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    await using app = await openCounting(makePlace, async (count) => {
      begin()
      await mayEnd
      return { count }
    })
    const first = app.post('a')
    await begun
    const second = await app.post('a')
    assert.equal(second.statusCode, 409)
    const { code, retryable } = problem.parse(second.json())
    assert.equal(code, 'request_in_progress')
    assert.equal(retryable, true)
    assert.ok(second.headers['retry-after'])
    end()
    assert.deepEqual((await first).json(), { count: 1 })
    assert.deepEqual((await app.post('a')).json(), { count: 1 })
  })

  it('is done once, however many come at once', async () => {
    await using app = await openCounting(makePlace)
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.post('a')))
    assert.equal(app.count(), 1)
    for (const { statusCode, body } of answers) {
      if (statusCode === 200) assert.equal(body, '{"count":1}')
      else assert.equal(statusCode, 409)
    }
  })

  it('may be tried again after what another try can change', async () => {
    for (const code of ['internal', 'store_unavailable', 'database_in_use', 'cancelled'] as const) {
      await using app = await openCounting(makePlace, (count) => {
        if (count === 1) throw new AppError(code, 'It failed.')
        return { count }
      })
      assert.notEqual((await app.post('a')).statusCode, 200)
      assert.deepEqual((await app.post('a')).json(), { count: 2 }, code)
    }
  })

  it('is refused again where it was refused for good', async () => {
    await using app = await openCounting(makePlace, (count) => {
      if (count === 1) throw new AppError('name_taken', 'There is one.')
      return { count }
    })
    await app.post('a')
    const again = await app.post('a')
    assert.equal(again.statusCode, 409)
    assert.equal(problem.parse(again.json()).code, 'name_taken')
    assert.equal(app.count(), 1)
  })

  it('reserves nothing when it is not valid', async () => {
    await using app = await openApp(makePlace)
    const headers = { 'idempotency-key': 'a' }
    assert.equal((await app.ask('POST', '/api/v1/servers', { name: '' }, headers)).statusCode, 400)
    assert.equal((await app.ask('POST', '/api/v1/servers', shop, headers)).statusCode, 201)
  })

  it('and a key that is none is refused', async () => {
    await using app = await openCounting(makePlace)
    for (const key of ['', '""', 'a b', 'x'.repeat(256), 'ü']) {
      const answer = await app.post(key)
      assert.equal(answer.statusCode, 400, key)
      assert.equal(problem.parse(answer.json()).errors?.[0]?.field, 'Idempotency-Key')
    }
    assert.equal(app.count(), 0)
  })

  it('answers nothing again that is a stream, or huge', async () => {
    await using stream = await openCounting(makePlace, (count) => Readable.from([String(count)]))
    assert.equal((await stream.post('a')).body, '1')
    assert.equal((await stream.post('a')).body, '2')
    await using huge = await openCounting(makePlace, (count) => ({ count, text: 'x'.repeat(2_000_000) }))
    await huge.post('a')
    assert.equal((await huge.post('a')).json().count, 2)
  })

  it('is done anew after a day, or when its answer never came', async () => {
    await using app = await openCounting(makePlace)
    await app.post('a')
    await age(app, 23 * HOUR)
    assert.equal((await app.post('a')).json().count, 1)
    await age(app, 2 * HOUR)
    assert.equal((await app.post('a')).json().count, 2)

    // As a process leaves it that is killed while it answers.
    await app.store.db.updateTable('idempotencyKeys').set({ status: null, body: null }).execute()
    await age(app, 4 * 60_000)
    assert.equal((await app.post('a')).statusCode, 409)
    await age(app, 2 * 60_000)
    assert.equal((await app.post('a')).json().count, 3)
  })

  it('whose time is over does not answer for the one that came after it', async () => {
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const mayEnd = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    await using app = await openCounting(makePlace, async (count) => {
      begun[count - 1]?.resolve()
      await mayEnd[count - 1]?.promise
      return { count }
    })
    const first = app.post('a')
    await begun[0]?.promise
    await age(app, 6 * 60_000)
    const second = app.post('a')
    await begun[1]?.promise
    mayEnd[0]?.resolve()
    assert.equal((await first).json().count, 1)
    assert.equal((await app.post('a')).statusCode, 409, 'the second one is still being answered')
    mayEnd[1]?.resolve()
    assert.equal((await second).json().count, 2)
    assert.equal((await app.post('a')).json().count, 2)
  })

  it('belongs to one token', async () => {
    await using app = await openCounting(makePlace)
    const { token, id } = (await app.ask('POST', '/api/v1/tokens', { name: 'ci' })).json()
    const as = (token: string) => ({ authorization: `Bearer ${token}`, 'idempotency-key': 'a' })
    await app.ask('POST', '/api/v1/count', {}, as(app.token))
    assert.equal((await app.ask('POST', '/api/v1/count', {}, as(token))).json().count, 2)
    await app.ask('DELETE', `/api/v1/tokens/${id}`)
    const kept = await app.store.db.selectFrom('idempotencyKeys').select('tokenId').execute()
    assert.equal(kept.length, 1, 'of the token that is gone nothing is kept')
  })

  it('keeps what it shows once, and not in the clear', async () => {
    await using app = await openApp(makePlace)
    const headers = { 'idempotency-key': 'a' }
    const name = 'a name that is nowhere else'
    const { token } = (await app.ask('POST', '/api/v1/tokens', { name }, headers)).json()
    const rows = JSON.stringify(await app.store.db.selectFrom('idempotencyKeys').selectAll().execute())
    assert.ok(!rows.includes(token))
    assert.ok(!rows.includes(name))
    assert.equal((await app.ask('POST', '/api/v1/tokens', { name }, headers)).json().token, token)
  })

  it('keeps nothing that a guess at what was sent could be compared with', async () => {
    await using app = await openApp(makePlace)
    await app.ask('POST', '/api/v1/servers', shop, { 'idempotency-key': 'a' })
    const sent = JSON.stringify(['POST', '/api/v1/servers', shop])
    const rows = JSON.stringify(await app.store.db.selectFrom('idempotencyKeys').selectAll().execute())
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      assert.ok(!rows.includes(createHash('sha256').update(sent).digest(encoding)))
    }
  })
})

describeBothStores('text that cannot be stored', (makePlace) => {
  it('is refused before anybody tries', async () => {
    await using app = await openApp(makePlace)
    for (const [body, field] of [
      [{ ...shop, name: 'a\0b' }, 'name'],
      [{ ...shop, labels: { team: 'a\ud800b' } }, 'labels.team'],
      [{ ...shop, connection: { ...connection, 'pass\0word': 'x' } }, 'connection'],
    ] as const) {
      const answer = await app.ask('POST', '/api/v1/servers', body)
      assert.equal(answer.statusCode, 400, answer.body)
      assert.equal(problem.parse(answer.json()).errors?.[0]?.field, field)
    }
    assert.equal((await app.ask('GET', '/api/v1/servers/%00')).statusCode, 400)
    assert.equal((await app.ask('GET', '/api/v1/servers?engine=%00')).statusCode, 400)
    const nested = await app.app.inject({
      method: 'POST',
      url: '/api/v1/servers',
      headers: { authorization: `Bearer ${app.token}`, 'content-type': 'application/json' },
      payload: `${'{"connection":'.repeat(60_000)}1${'}'.repeat(60_000)}`,
    })
    assert.equal(nested.statusCode, 400)
    assert.match(problem.parse(nested.json()).title, /too deeply/)
  })
})
