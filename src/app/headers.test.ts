import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { problem } from '../shared/problems.ts'
import { describeStores } from '../store/test-bed.ts'
import { describedRoutes, withIds } from './api-test-bed.ts'
import { buildApp } from './app.ts'
import { openApp } from './test-bed.ts'

const POLICY =
  "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** What is wrong with the headers of an answer, in words. */
function faultsOf({ headers }: Pick<LightMyRequestResponse, 'headers'>): string[] {
  const expected: Record<string, string> = {
    'cache-control': 'no-store',
    'content-security-policy': POLICY,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
  const faults = Object.entries(expected).flatMap(([name, value]) =>
    headers[name] === value ? [] : [`${name}: ${String(headers[name])}`],
  )
  const telling = Object.keys(headers).filter((name) =>
    /^(server|x-powered-by|access-control-.*)$/.test(name),
  )
  return [...faults, ...telling]
}

const furtherHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'x-frame-options': 'DENY',
}

describeStores('what answers say to browsers', (makePlace) => {
  it('of every route is to keep nothing, load nothing, guess nothing and tell nobody', async () => {
    await using app = await openApp(makePlace)
    const { routes } = await describedRoutes(app)
    const faults: string[] = []
    const look = async (what: string, request: InjectOptions) => {
      const answer = await app.app.inject(request)
      faults.push(...faultsOf(answer).map((fault) => `${what} (${answer.statusCode}): ${fault}`))
      return answer
    }
    const authorization = `Bearer ${app.token}`
    for (const { method, path, name, isStream } of routes) {
      const url = withIds(path, randomUUID())
      await look(`${name} of nobody`, { method, url })
      if (method !== 'GET') {
        const headers = { authorization, 'content-type': 'application/json' }
        await look(`${name} with a body that is none`, { method, url, headers, payload: '{' })
      } else if (!isStream) await look(name, { method, url, headers: { authorization } })
    }
    const errors: [number, InjectOptions][] = [
      [401, { url: '/api/v1/no-such-thing' }],
      [404, { url: '/api/v1/no-such-thing', headers: { authorization } }],
      [404, { url: '/', headers: { authorization } }],
      [400, { url: '/api/v1/servers?limit=x', headers: { authorization } }],
      [400, { url: '/api/%ff' }],
      [414, { url: `/api/v1/servers/${'x'.repeat(5000)}` }],
      [
        413,
        {
          method: 'POST',
          url: '/api/v1/servers',
          headers: { authorization },
          payload: { name: 'x'.repeat(2e6) },
        },
      ],
      [
        415,
        {
          method: 'POST',
          url: '/api/v1/servers',
          headers: { authorization, 'content-type': 'text/xml' },
          payload: '<a/>',
        },
      ],
    ]
    for (const [status, request] of errors) {
      const answer = await look(JSON.stringify(request.url).slice(0, 80), request)
      assert.equal(answer.statusCode, status, answer.body)
      problem.parse(answer.json())
    }
    assert.deepEqual(faults, [])
  })

  it('keeps windows and files of others apart, and gives no page the camera', async () => {
    await using app = await openApp(makePlace)
    for (const url of ['/health/live', '/api/docs', '/api/v1/no-such-thing']) {
      const { headers } = await app.get(url)
      for (const [name, value] of Object.entries(furtherHeaders)) assert.equal(headers[name], value, url)
      assert.match(String(headers['permissions-policy']), /camera=\(\).*microphone=\(\)/)
    }
  })

  it('lets the pages of the API load what the app has, and no script that stands in them', async () => {
    await using app = await openApp(makePlace)
    const page = await app.get('/api/docs')
    const policy = String(page.headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; script-src 'self';/)
    assert.match(policy, /object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/)
    assert.doesNotMatch(policy, /unsafe-eval|https?:|\*/)
    assert.doesNotMatch(page.body, /<script[^>]*>[^<]|\son\w+=|javascript:/i)
    assert.equal(page.headers['cache-control'], 'no-cache')
    const description = await app.get('/api/openapi.json')
    assert.equal(description.headers['cache-control'], 'no-cache')
    assert.equal(description.headers['content-security-policy'], POLICY)
  })

  it('asks for TLS for a year where the app has it, or a proxy before it', async () => {
    await using app = await openApp(makePlace)
    const transportOf = async (context: object) => {
      await using other = await buildApp({ ...app.context, ...context }, {})
      return (await other.inject('/health/live')).headers['strict-transport-security']
    }
    assert.equal(await transportOf({}), undefined)
    assert.equal(await transportOf({ appUrl: 'http://backups.example' }), undefined)
    assert.equal(
      await transportOf({ appUrl: 'https://backups.example' }),
      'max-age=31536000; includeSubDomains',
    )
    const below = { appUrl: 'https://example.com/backups', basePath: '/backups' }
    assert.equal(await transportOf(below), 'max-age=31536000', 'the host is not the app’s alone')
  })
})

describeStores('the app, on the line', (makePlace) => {
  async function listen() {
    const app = await openApp(makePlace)
    await app.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.app.server.address() as AddressInfo
    /** What comes back for these bytes, until the connection is closed. */
    const say = async (bytes: string) => {
      const socket = connect(port, '127.0.0.1')
      socket.setTimeout(10_000, () => socket.destroy(new Error('The connection was left open.')))
      await once(socket, 'connect')
      socket.write(bytes)
      return await text(socket)
    }
    return {
      ...app,
      say,
      url: `http://127.0.0.1:${port}`,
      [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
    }
  }
  const end = 'Host: x\r\nConnection: close\r\n\r\n'

  it('says the same of a stream of events', async () => {
    await using app = await listen()
    const stream = await fetch(`${app.url}/api/v1/events`, {
      headers: { authorization: `Bearer ${app.token}` },
    })
    const headers = Object.fromEntries(stream.headers)
    await stream.body?.cancel()
    assert.equal(stream.status, 200)
    assert.deepEqual(faultsOf({ headers }), [])
  })

  it('has no use for methods that are not those of its routes, nor for headers that name another one', async () => {
    await using app = await listen()
    const signed = `Authorization: Bearer ${app.token}\r\n`
    for (const method of ['TRACE', 'OPTIONS', 'PROPFIND', 'PUT']) {
      const answer = await app.say(`${method} /api/v1/servers HTTP/1.1\r\n${signed}${end}`)
      assert.match(answer, /^HTTP\/1\.1 404 /, method)
      assert.ok(!answer.includes(app.token))
    }
    assert.match(await app.say(`CONNECT x:1 HTTP/1.1\r\n${signed}${end}`), /^$|^HTTP\/1\.1 4/)
    const overridden = `X-HTTP-Method-Override: DELETE\r\n${signed}${end}`
    const answer = await app.say(`GET /api/v1/servers?_method=DELETE HTTP/1.1\r\n${overridden}`)
    assert.match(answer, /^HTTP\/1\.1 200 /)
  })

  it('refuses what two readers could read in two ways', async () => {
    await using app = await listen()
    const requests = {
      'two lengths': 'POST /api/v1/servers HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n',
      'a length and pieces':
        'POST /api/v1/servers HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n',
      'a space before the colon': 'GET /health/live HTTP/1.1\r\nContent-Length : 0\r\n',
      'a folded header': 'GET /health/live HTTP/1.1\r\nX-One: a\r\n  b\r\n',
    }
    for (const [what, head] of Object.entries(requests)) {
      assert.match(await app.say(`${head}${end}`), /^HTTP\/1\.1 400 /, what)
    }
    const without = await app.say('GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n')
    assert.match(without, /^HTTP\/1\.1 400 /, 'no host')
  })

  it('takes the first of two tokens', async () => {
    await using app = await listen()
    const twice = (first: string, second: string) =>
      app.say(
        `GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\n${end}`,
      )
    assert.match(await twice(app.token, 'hf_x'), /^HTTP\/1\.1 200 /)
    assert.match(await twice('hf_x', app.token), /^HTTP\/1\.1 401 /)
  })

  it('refuses headers that are too large with a problem, and what is no HTTP', async () => {
    await using app = await listen()
    const large = await app.say(`GET /health/live HTTP/1.1\r\nX-Large: ${'x'.repeat(20_000)}\r\n${end}`)
    assert.match(large, /^HTTP\/1\.1 431 /)
    assert.match(large, /\r\nCache-Control: no-store\r\n/)
    problem.parse(JSON.parse(large.split('\r\n\r\n')[1] ?? ''))
    assert.match(await app.say('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /)
  })

  it('waits neither for ever for a request, nor only so long for its answer', async () => {
    await using app = await openApp(makePlace)
    const { server } = app.app
    assert.ok(server.headersTimeout > 0 && server.headersTimeout <= server.requestTimeout)
    assert.ok(server.requestTimeout <= 60_000)
    assert.ok(server.timeout >= 300_000, 'a silent connection')
  })
})
