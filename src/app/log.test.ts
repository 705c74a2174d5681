import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import Fastify from 'fastify'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { placeOf } from '../store/test-bed.ts'
import { loggerOf } from './log.ts'
import { openApp } from './test-bed.ts'

/** What is written by an app with this format, line by line. */
function written(format: 'pretty' | 'json'): string[] {
  const lines: string[] = []
  const write = (text: string) => lines.push(...text.trimEnd().split('\n'))
  const { log } = Fastify({ logger: loggerOf({ level: 'info', format }, { write }) })
  log.debug('This is not wanted.')
  log.info('It listens.')
  const error = new Error('The disk\x1b[2J\nis full.')
  error.stack = `Error: ${error.message}\n    at once`
  log.child({ reqId: 'req-1' }).warn({ err: error }, 'It went\nwrong.')
  return lines
}

it('the log is lines for people, one for each message, and the stack of an error below', () => {
  const [first, ...others] = written('pretty')
  assert.match(first ?? '', /^\d{4}-\d\d-\d\dT[\d:.]{12}Z INFO {2}It listens\.$/)
  assert.match(others[0] ?? '', /Z WARN {2}It went wrong\. reqId="req-1"$/)
  assert.deepEqual(others.slice(1), ['  Error: The disk [2J', '  is full.', '      at once'])
})

it('the log is JSON for programs', () => {
  const [first, second, ...others] = written('json').map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  )
  assert.deepEqual([first?.['level'], first?.['msg']], [30, 'It listens.'])
  assert.match(JSON.stringify(second?.['err']), /is full/)
  assert.deepEqual(others, [])
})

it('the log has nothing of what a request carries, whatever goes wrong with it', async () => {
  const lines: string[] = []
  const logger = loggerOf({ level: 'trace', format: 'json' }, { write: (text) => lines.push(text) })
  await using folder = await tempFolder('log')
  await using app = await openApp(async () => placeOf('sqlite', { path: join(folder.path, 'store.db') }), {
    logger,
  })
  const config = { requires: 'view', audit: null } as const
  app.app.post('/api/v1/broken', { config }, async (request) => {
    request.log.warn({ req: request, headers: request.headers, body: request.body }, 'It will break.')
    request.log.warn({ request: { headers: request.headers, query: request.query } }, 'It will.')
    const cause = Object.assign(new Error('The cause.'), { config: { headers: request.headers } })
    throw Object.assign(new Error('It broke.', { cause }), { request: request.raw, sent: request.body })
  })
  const headers = {
    authorization: `Bearer ${app.token}`,
    cookie: 'holdfast.session=canary-cookie',
    'x-secret': 'canary-header',
  }
  const bodies: [string, string][] = [
    ['/api/v1/broken?token=canary-query', '{"password":"canary-body"}'],
    ['/api/v1/sign-in?token=canary-query', '{"email":"a@example.com","password":"canary-body"}'],
    ['/api/v1/sign-in/link', '{"token":"canary-body"}'],
    ['/api/v1/keys', '{"name":"k","kind":"password","password":"canary-body-of-a-key"}'],
    ['/api/v1/channels', '{"name":"c","kind":"webhook","settings":{"url":"https://x/canary-body"}}'],
    ['/api/v1/servers', '{"canary-body'],
    ['/api/%ff?token=canary-query', '{}'],
    [`/api/v1/${'x'.repeat(9000)}?token=canary-query`, '{}'],
    ['/api/v1/servers?token=canary-query', `{"x":"canary-body${'x'.repeat(2e6)}"}`],
  ]
  for (const [url, payload] of bodies) {
    await app.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': 'application/json' },
      payload,
    })
  }
  await app.app.inject({ url: '/api/v1/servers', headers: { authorization: 'Bearer canary-wrong' } })
  await app.app.inject({ url: '/api/v1/sign-in/providers/x/callback?code=canary-query&state=canary-query' })
  await app.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.app.server.address() as AddressInfo
  for (const rest of ['Bad Header: canary-header', `X-Large: ${'canary-header'.repeat(2000)}`]) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET /?token=canary-query HTTP/1.1\r\nAuthorization: Bearer ${app.token}\r\n${rest}\r\n\r\n`)
    await text(socket)
  }

  const log = lines.join('')
  assert.match(log, /It broke\..*caused by: Error: The cause\./)
  assert.match(log, /"req":\{"method":"POST","url":"\/api\/v1\/broken"/)
  assert.doesNotMatch(log, /canary/)
  assert.ok(!log.includes(app.token))
  // As bytes, too.
  assert.ok(!log.includes(Buffer.from('canary').join(',')))
})
