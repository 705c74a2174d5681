import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { openApp } from '../app/test-bed.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { describeStores } from '../store/test-bed.ts'
import { type ClientOptions, connect, itemsOf } from './client.ts'

const shop = {
  name: 'shop',
  engine: 'postgresql',
  connection: { host: 'db.example', user: 'backup', password: 'secret' },
}

async function openClient(
  makePlace: Parameters<typeof openApp>[0],
  options: Partial<ClientOptions> & { rateLimit?: number } = {},
) {
  const { rateLimit = 0, ...rest } = options
  const opened = await openApp(makePlace, { rateLimit })
  const url = await opened.app.listen({ port: 0, host: '127.0.0.1' })
  return { ...opened, url, client: connect({ url, token: opened.token, pause: 1, ...rest }) }
}

function has(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code
}

/** A server that answers each request with the next of these; then with the last. */
async function answering(...answers: { status: number; type?: string; body?: string; after?: string }[]) {
  let asked = 0
  const server = createServer((_request, response) => {
    const { status, type, body, after } = answers[Math.min(asked++, answers.length - 1)] ?? { status: 500 }
    response.writeHead(status, {
      ...(type && { 'content-type': type }),
      ...(after && { 'retry-after': after }),
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describeStores('the client', (makePlace) => {
  it('asks for what the API has, and changes it as it was read', async () => {
    await using app = await openClient(makePlace)
    const { client } = app
    const added = await client.ask('POST /api/v1/servers', { body: shop })
    assert.equal(added.status, 201)
    const { id } = added.body
    assert.equal(added.location, `/api/v1/servers/${id}`)
    const read = await client.ask('GET /api/v1/servers/{id}', { params: { id } })
    assert.deepEqual(read.body, added.body)
    const change = (name: string) =>
      client.ask('PATCH /api/v1/servers/{id}', { params: { id }, body: { name }, ifMatch: read.etag })
    assert.equal((await change('store')).body.name, 'store')
    await assert.rejects(change('shop'), has('changed_meanwhile'))
    assert.equal((await client.ask('DELETE /api/v1/servers/{id}', { params: { id } })).body, null)
    await assert.rejects(
      client.ask('GET /api/v1/servers/{id}', { params: { id: 'a/../b' } }),
      has('not_found'),
    )
  })

  it('throws the app’s errors, with what helps and the fields', async () => {
    await using app = await openClient(makePlace)
    await assert.rejects(
      app.client.ask('POST /api/v1/servers', { body: { ...shop, maxRunning: 0 } }),
      (error: AppError) => error.code === 'invalid_input' && error.fields?.[0]?.field === 'maxRunning',
    )
    await assert.rejects(
      connect({ url: app.url }).ask('GET /api/v1/servers'),
      (error: AppError) => error.code === 'not_signed_in' && /holdfast token create/.test(error.hint ?? ''),
    )
  })

  it('reads a list to its end', async () => {
    await using app = await openClient(makePlace)
    const names = Array.from({ length: 5 }, (_, n) => `server ${n}`)
    for (const name of names) await app.client.ask('POST /api/v1/servers', { body: { ...shop, name } })
    const found = await Array.fromAsync(itemsOf(app.client, 'GET /api/v1/servers', { query: { limit: 2 } }))
    assert.deepEqual(
      found.map(({ name }) => name),
      names,
    )
  })

  it('sends a POST again whose answer was lost, and it is done once', async () => {
    let sent = 0
    await using app = await openClient(makePlace, {
      fetch: async (...request) => {
        const response = await fetch(...request)
        if (++sent > 2) return response
        await response.text()
        throw new TypeError('fetch failed', { cause: new Error('the line was cut') })
      },
    })
    const added = await app.client.ask('POST /api/v1/servers', { body: shop })
    assert.equal(sent, 3)
    assert.equal(added.isReplayed, true)
    assert.equal(added.body.name, 'shop')
    const { items } = (await app.client.ask('GET /api/v1/servers')).body
    assert.equal(items.length, 1)
  })

  it('sends a change only once', async () => {
    let sent = 0
    await using app = await openClient(makePlace, {
      fetch: async (...request) => {
        if ((request[1]?.method ?? '') === 'POST') return await fetch(...request)
        sent++
        throw new TypeError('fetch failed')
      },
    })
    const { id } = (await app.client.ask('POST /api/v1/servers', { body: shop })).body
    const change = app.client.ask('PATCH /api/v1/servers/{id}', { params: { id }, body: { name: 'x' } })
    await assert.rejects(change, has('app_unreachable'))
    assert.equal(sent, 1)
  })
})

describe('the client', () => {
  it('waits for who is busy, and gives up in the end', async () => {
    const type = 'application/problem+json'
    const problem = { type: '', title: 'Busy.', status: 503, code: 'store_unavailable', retryable: true }
    const busy = { status: 503, type, body: JSON.stringify(problem) }
    const good = { status: 200, type: 'application/json', body: '{"items":[],"nextCursor":null}' }
    await using soon = await answering(busy, busy, good)
    assert.deepEqual((await connect({ url: soon.url, pause: 1 }).ask('GET /api/v1/servers')).body.items, [])
    assert.equal(soon.asked(), 3)
    await using never = await answering(busy)
    const asked = connect({ url: never.url, pause: 1, tries: 2 }).ask('GET /api/v1/servers')
    await assert.rejects(asked, has('store_unavailable'))
    assert.equal(never.asked(), 2)
  })

  it('waits as long as it is told to', async () => {
    const problem = { type: '', title: 'Too many.', status: 429, code: 'too_many_requests', retryable: true }
    const limited = {
      status: 429,
      type: 'application/problem+json',
      body: JSON.stringify(problem),
      after: '30',
    }
    await using server = await answering(limited)
    const stop = new AbortController()
    const asked = connect({ url: server.url, pause: 1 }).ask('GET /api/v1/servers', { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 300)
    await assert.rejects(asked, /enough/)
    assert.equal(server.asked(), 1)
  })

  it('says so when nobody answers, or somebody else', async () => {
    await using page = await answering({ status: 200, type: 'text/html', body: '<html>' })
    await using broken = await answering({ status: 200, type: 'application/json', body: '{"items":' })
    await using proxy = await answering({ status: 502, type: 'text/html', body: '<html>' })
    const gone = 'http://127.0.0.1:1'
    for (const url of [page.url, broken.url, proxy.url, gone]) {
      const asked = connect({ url, token: 'hf_canary', pause: 1 }).ask('GET /api/v1/servers')
      await assert.rejects(
        asked,
        (error: AppError) =>
          has('app_unreachable')(error) && error.message.includes(url) && !error.message.includes('canary'),
      )
    }
  })

  it('knows what to make of an error of a newer app', async () => {
    const problem = { type: '', title: 'Something new.', status: 418, code: 'of_tomorrow', retryable: false }
    await using server = await answering({
      status: 418,
      type: 'application/problem+json',
      body: JSON.stringify(problem),
    })
    await assert.rejects(
      connect({ url: server.url }).ask('GET /api/v1/servers'),
      (error: AppError) => error.code === 'internal' && error.message === 'Something new.',
    )
  })
})
