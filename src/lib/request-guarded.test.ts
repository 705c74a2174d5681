import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type LookupFunction } from 'node:net'
import { describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeCertificates } from '../../test/servers/certificates.ts'
import { type Answering, startHttpReceiver } from '../../test/servers/http-receiver.ts'
import { freePort } from '../../test/servers/port.ts'
import { AppError } from '../shared/errors.ts'
import { requestGuarded, type RequestOptions } from './request-guarded.ts'

const ok: Answering = () => ({ status: 200, body: 'fine' })
const to =
  (address: string): LookupFunction =>
  (_hostname, _options, callback) =>
    callback(null, [{ address, family: 4 }])

describe('a guarded request', { timeout: 60_000 }, () => {
  it('gives whatever was answered, with the beginning of its body', async () => {
    await using receiver = await startHttpReceiver(() => ({
      status: 418,
      headers: { 'x-a': 'b' },
      body: 'é'.repeat(50_000),
    }))
    const answer = await ask(`${receiver.origin}/a?b=c`, {
      body: 'in',
      headers: { 'X-Key': 'k' },
      maxAnswer: 10,
    })
    assert.deepEqual([answer.status, answer.body, answer.headers['x-a']], [418, 'ééééé', 'b'])
    const [{ method, path, headers, body } = assert.fail()] = receiver.received
    assert.deepEqual([method, path, headers['x-key'], body], ['POST', '/a?b=c', 'k', 'in'])
    assert.equal((await ask(receiver.origin)).status, 418)
    assert.equal(receiver.received[1]?.method, 'GET')
  })

  it('reads no more of an endless answer than it was told', async () => {
    const server = createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const write = () => {
        while (socket.writable && socket.write('x'.repeat(65_536)));
      }
      socket.on('drain', write).on('error', () => server.close())
      write()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const { body } = await ask(`http://127.0.0.1:${port}/`)
    assert.equal(body, 'x'.repeat(65_536))
    server.close()
  })

  it('connects to what it has judged: a name cannot mean something else a moment later', async () => {
    await using receiver = await startHttpReceiver(ok)
    const answers = ['127.0.0.1', '169.254.169.254']
    const rebinding: LookupFunction = (hostname, options, callback) =>
      to(answers.shift() ?? '')(hostname, options, callback)
    const url = `http://rebind.test:${receiver.port}/`
    assert.equal((await ask(url, { lookup: rebinding })).body, 'fine')
    await fails(ask(url, { lookup: rebinding }), 'address_refused')
    assert.equal(receiver.received.length, 1)
  })

  it('judges what a redirect leads to, by address and by name', async () => {
    await using receiver = await startHttpReceiver(ok)
    for (const location of [
      'http://169.254.169.254/latest/',
      'http://0xA9FEA9FE/latest/',
      '//[fd00:ec2::254]/latest/',
      'http://metadata.google.internal/computeMetadata/v1/',
    ]) {
      for (const status of [301, 302, 303, 307, 308]) {
        receiver.answer(() => ({ status, headers: { location } }))
        const error = await fails(
          ask(`${receiver.origin}/secret-path`, { lookup: to('169.254.169.254') }),
          'address_refused',
        )
        assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.cause]), /secret|latest|compute/)
      }
    }
    for (const location of ['file:///etc/passwd', 'http://user:secret-word@127.0.0.1/', 'http://']) {
      receiver.answer(() => ({ status: 307, headers: { location } }))
      const error = await fails(ask(receiver.origin), 'channel_refused')
      assert.doesNotMatch(error.message, /secret|passwd/)
    }
  })

  it('follows five redirects, and not a sixth', async () => {
    const counting =
      (last: number): Answering =>
      ({ path }) => {
        const step = Number(path.slice(1))
        return step === last
          ? { status: 200, body: path }
          : { status: 307, headers: { location: `/${step + 1}` } }
      }
    await using receiver = await startHttpReceiver(counting(5))
    assert.equal((await ask(`${receiver.origin}/0`, { body: 'kept' })).body, '/5')
    assert.ok(receiver.received.every(({ method, body }) => method === 'POST' && body === 'kept'))
    receiver.answer(counting(6))
    assert.match((await fails(ask(`${receiver.origin}/0`), 'channel_refused')).message, /after 5 redirects/)
  })

  it('takes secret headers to no other origin', async () => {
    await using other = await startHttpReceiver(ok)
    await using receiver = await startHttpReceiver(({ path }) => ({
      status: 307,
      headers: { location: path === '/a' ? '/b' : `${other.origin}/c` },
    }))
    const headers = { authorization: 'Bearer x', 'X-Gotify-Key': 'y', 'Content-Type': 'text/plain' }
    const answer = await ask(`${receiver.origin}/a`, { body: 'z', headers })
    assert.equal(answer.withoutHeadersAt, other.origin)
    assert.deepEqual(
      [...receiver.received, ...other.received].map(({ headers }) => [
        headers.authorization,
        headers['x-gotify-key'],
        headers['content-type'],
      ]),
      [
        ['Bearer x', 'y', 'text/plain'],
        ['Bearer x', 'y', 'text/plain'],
        [undefined, undefined, 'text/plain'],
      ],
    )
    const harmless = { 'Content-Type': 'text/plain' }
    assert.equal((await ask(receiver.origin, { body: 'z', headers: harmless })).withoutHeadersAt, undefined)
    assert.equal((await ask(other.origin, { body: 'z', headers })).withoutHeadersAt, undefined)
  })

  it('does not follow a redirect that would lose the body', async () => {
    await using receiver = await startHttpReceiver(({ path }) =>
      path === '/' ? { status: 302, headers: { location: '/login' } } : { status: 200 },
    )
    await fails(ask(receiver.origin, { body: 'x' }), 'channel_refused')
    assert.equal(receiver.received.length, 1)
    assert.equal((await ask(receiver.origin)).status, 200)
  })

  it('verifies certificates, and does not leave TLS by a redirect', async () => {
    const { server, ca } = await makeCertificates()
    await using plain = await startHttpReceiver(ok)
    await using receiver = await startHttpReceiver(ok, { certificate: server })
    await fails(ask(receiver.origin), 'tls_failed')
    assert.deepEqual(receiver.received, [])
    const trusted = getCACertificates('default')
    setDefaultCACertificates([...trusted, ca])
    try {
      assert.equal((await ask(receiver.origin)).body, 'fine')
      const elsewhere = `https://other.test:${receiver.port}/`
      await fails(ask(elsewhere, { lookup: to('127.0.0.1') }), 'tls_failed')
      receiver.answer(() => ({ status: 307, headers: { location: plain.origin } }))
      assert.match((await fails(ask(receiver.origin), 'channel_refused')).message, /not encrypted/)
      assert.deepEqual(plain.received, [])
    } finally {
      setDefaultCACertificates(trusted)
    }
    await fails(ask(plain.origin.replace('http:', 'https:')), 'tls_failed')
  })

  it('says what is wrong with a receiver that is not there, or speaks no HTTP', async () => {
    const closed = await freePort()
    const refused = await fails(ask(`http://127.0.0.1:${closed}/secret`), 'channel_unreachable')
    assert.match(refused.message, /ECONNREFUSED/)
    assert.doesNotMatch(refused.message, /secret/)
    assert.equal(refused.retryable, true)
    const server = createServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const error = await fails(ask(`http://127.0.0.1:${port}/`), 'channel_unreachable')
    assert.match(error.message, /did not answer in HTTP/)
    server.close()
    const unknown: LookupFunction = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), [])
    const missing = await fails(ask('http://nowhere.test/', { lookup: unknown }), 'channel_unreachable')
    assert.match(missing.message, /There is no host “nowhere\.test”/)
  })

  it('ends when its time is over, whatever it waits for', async () => {
    await using receiver = await startHttpReceiver(() => 'hang')
    await fails(ask(receiver.origin, { timeout: 100 }), 'channel_unreachable')
    const never: LookupFunction = () => undefined
    await fails(ask('http://slow.test/', { timeout: 100, lookup: never }), 'channel_unreachable')
    const server = createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')
      socket.on('error', () => undefined) // the client has given up
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    await fails(ask(`http://127.0.0.1:${port}/`, { timeout: 100 }), 'channel_unreachable')
    server.close()
  })

  it('ends with the reason of the signal', async () => {
    await using receiver = await startHttpReceiver(() => 'hang')
    const reason = new Error('stopped')
    const stop = new AbortController()
    const asked = requestGuarded(receiver.origin, {}, stop.signal)
    setTimeout(() => stop.abort(reason), 30)
    await assert.rejects(asked, (error) => error === reason)
  })
})

function ask(url: string, options: RequestOptions = {}) {
  return requestGuarded(url, options, new AbortController().signal)
}

async function fails(asked: Promise<unknown>, code: string): Promise<AppError> {
  const error: unknown = await asked.then(
    () => assert.fail('it was answered'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof AppError, String(error))
  assert.equal(error.code, code, error.message)
  return error
}
