import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import type { HttpTrouble, SeenRequest } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { startTcpProxy } from '../../../test/servers/tcp-proxy.ts'
import { digest, failing, fails, keys, pattern, read, signal, text } from '../conformance.ts'
import { openS3 } from './index.ts'
import { behindTrouble, digestOf, leftovers, MB, quick, settingsFor } from './test-bed.ts'

const skip = skipUnless('ceph')
let ceph: CephServer
before(async () => {
  if (!skip) ceph = await startCeph()
})
after(() => ceph?.[Symbol.asyncDispose]())

const isPart = ({ method, path }: SeenRequest) => method === 'PUT' && path.includes('partNumber=')
const isPut = ({ method, path }: SeenRequest) => method === 'PUT' && !path.includes('partNumber=')
const isCreate = ({ method, path }: SeenRequest) => method === 'POST' && path.includes('uploads')
const isComplete = ({ method, path }: SeenRequest) => method === 'POST' && path.includes('uploadId=')
const isAbort = ({ method, path }: SeenRequest) => method === 'DELETE' && path.includes('uploadId=')
const isGet = ({ method, path }: SeenRequest) => method === 'GET' && path.includes('GetObject')
const isList = ({ method, path }: SeenRequest) => method === 'GET' && path.includes('list-type=2')

describe('S3 with a line that breaks', { skip, timeout: 300_000 }, () => {
  const passing: [string, HttpTrouble][] = [
    ['a part is cut off', { when: isPart, times: 2, cutUpload: 5 * MB }],
    [
      'a part is answered with 503 SlowDown',
      { when: isPart, times: 3, answer: { status: 503, code: 'SlowDown' } },
    ],
    [
      'a part is answered with 500',
      { when: isPart, times: 3, answer: { status: 500, code: 'InternalError' } },
    ],
    ['the reply to a part is lost', { when: isPart, times: 2, loseReply: true }],
    [
      'the upload cannot begin at once',
      { when: isCreate, times: 2, answer: { status: 503, code: 'SlowDown' } },
    ],
    ['the reply to the beginning is lost', { when: isCreate, times: 2, loseReply: true }],
    [
      'the completion is answered with 500',
      { when: isComplete, times: 2, answer: { status: 500, code: 'InternalError' } },
    ],
    ['the reply to the completion is lost', { when: isComplete, times: 1, loseReply: true }],
  ]
  for (const [what, trouble] of passing) {
    for (const ifAbsent of [false, true]) {
      it(`stores the object though ${what}${ifAbsent ? ', only if absent' : ''}`, async () => {
        await using test = await behindTrouble(ceph)
        const made = test.proxy.trouble(trouble)
        await test.volume.write('a', { body: pattern(25 * MB) }, signal(), { ifAbsent })
        assert.equal(made.used, trouble.times)
        made.end()
        assert.deepEqual(await digest(test.volume, 'a'), await digestOf(25 * MB))
        assert.deepEqual(await test.leftovers(), [])
      })
    }
  }

  const small: [string, HttpTrouble][] = [
    ['it is cut off', { when: isPut, times: 2, cutUpload: 1 * MB }],
    ['it is answered with 503', { when: isPut, times: 2, answer: { status: 503, code: 'SlowDown' } }],
    ['the reply is lost', { when: isPut, times: 1, loseReply: true }],
  ]
  for (const [what, trouble] of small) {
    it(`stores a small object though ${what}, only if absent`, async () => {
      await using test = await behindTrouble(ceph)
      const made = test.proxy.trouble(trouble)
      await test.volume.write('a', { body: pattern(3 * MB) }, signal(), { ifAbsent: true })
      assert.equal(made.used, trouble.times)
      assert.deepEqual(await digest(test.volume, 'a'), await digestOf(3 * MB))
    })
  }

  const lasting: [string, HttpTrouble, 'volume_unreachable' | 'volume_refused'][] = [
    ['every part is cut off', { when: isPart, cutUpload: 5 * MB }, 'volume_unreachable'],
    [
      'every part is answered with 503',
      { when: isPart, answer: { status: 503, code: 'SlowDown' } },
      'volume_unreachable',
    ],
    [
      'a part is refused',
      {
        when: (r) => isPart(r) && r.path.includes('partNumber=2'),
        answer: { status: 403, code: 'AccessDenied' },
      },
      'volume_refused',
    ],
    [
      'the completion is refused',
      { when: isComplete, answer: { status: 403, code: 'AccessDenied' } },
      'volume_refused',
    ],
    [
      'no upload can begin',
      { when: isCreate, answer: { status: 500, code: 'InternalError' } },
      'volume_unreachable',
    ],
    ['every reply to the beginning is lost', { when: isCreate, loseReply: true }, 'volume_unreachable'],
  ]
  for (const [what, trouble, code] of lasting) {
    it(`keeps the old object and leaves nothing when ${what}`, async () => {
      await using test = await behindTrouble(ceph)
      await test.volume.write('a', text('old'), signal())
      const made = test.proxy.trouble(trouble)
      // Aborting is not easy either.
      test.proxy.trouble({ when: isAbort, times: 2, answer: { status: 500, code: 'InternalError' } })
      let refused = 0
      await fails(code, test.volume.write('a', { body: pattern(35 * MB) }, signal()))
      refused = made.used
      assert.ok(refused > 0)
      made.end()
      assert.equal(await read(test.volume, 'a'), 'old')
      assert.deepEqual(await keys(test.volume), ['a'])
      assert.deepEqual(await test.leftovers(), [])
      // What cannot pass by itself is not tried again.
      if (code === 'volume_refused') assert.equal(refused, 1)
      else assert.ok(refused >= quick.tries)
    })
  }

  it('says so when the upload cannot be aborted', async () => {
    await using test = await behindTrouble(ceph)
    const made = test.proxy.trouble({ when: isAbort, answer: { status: 500, code: 'InternalError' } })
    const error = await test.volume
      .write('a', { body: failing(40 * MB, new Error('The dump failed.')) }, signal())
      .then(
        () => assert.fail(),
        (failure: unknown) => failure as Error,
      )
    assert.match(error.message, /The dump failed\. .*could not be removed/)
    assert.equal((await test.leftovers()).length, 1)
    made.end()
    await test.volume.discard('a', signal())
    assert.deepEqual(await test.leftovers(), [])
  })

  it('goes on reading when replies are cut short', async () => {
    await using test = await behindTrouble(ceph)
    await test.volume.write('a', { body: pattern(20 * MB) }, signal())
    const made = test.proxy.trouble({ when: isGet, times: 7, truncateReply: 2 * MB })
    assert.deepEqual(await digest(test.volume, 'a'), await digestOf(20 * MB))
    assert.equal(made.used, 7)
    const ranged = test.proxy.trouble({ when: isGet, times: 2, truncateReply: 1000 })
    assert.equal((await digest(test.volume, 'a', { start: 100, end: 5 * MB })).bytes, 5 * MB - 99)
    assert.equal(ranged.used, 2)
  })

  it('fails rather than ends when replies bring nothing any more', async () => {
    await using test = await behindTrouble(ceph)
    await test.volume.write('a', { body: pattern(5 * MB) }, signal())
    let replies = 0
    test.proxy.trouble({ when: (request) => isGet(request) && replies++ === 0, truncateReply: 1 * MB })
    test.proxy.trouble({ when: isGet, answer: { status: 503, code: 'SlowDown' } })
    let bytes = 0
    await fails(
      'volume_unreachable',
      (async () => {
        for await (const chunk of test.volume.read('a', signal())) bytes += chunk.length
      })(),
    )
    assert.equal(bytes, 1 * MB)
  })

  it('notices that an object was replaced while it was read', async () => {
    await using test = await behindTrouble(ceph)
    await test.volume.write('a', { body: pattern(20 * MB) }, signal())
    test.proxy.trouble({ when: isGet, times: 1, truncateReply: 2 * MB })
    await fails(
      'volume_corrupted',
      (async () => {
        let replaced = false
        for await (const chunk of test.volume.read('a', signal())) {
          assert.ok(chunk.length > 0)
          if (!replaced) await test.volume.write('a', { body: pattern(20 * MB, 1) }, signal())
          replaced = true
        }
      })(),
    )
  })

  it('notices one wrong bit in a small object', async () => {
    await using test = await behindTrouble(ceph)
    await test.volume.write('a', { body: pattern(100_000) }, signal())
    test.proxy.trouble({ when: isGet, corruptReply: 50_000 })
    await fails('volume_corrupted', digest(test.volume, 'a'))
  })

  it('lists everything though listings are cut short or refused', async () => {
    await using test = await behindTrouble(ceph)
    const all = ['a', 'b', 'c', 'd']
    for (const key of all) await test.volume.write(key, text(key), signal())
    const cut = test.proxy.trouble({ when: isList, times: 1, truncateReply: 300 })
    const slow = test.proxy.trouble({ when: isList, times: 1, answer: { status: 503, code: 'SlowDown' } })
    assert.deepEqual(await keys(test.volume), all)
    assert.deepEqual([cut.used, slow.used], [1, 1])
  })

  it('gives up on a server that stands still', async () => {
    const bucket = await ceph.createBucket()
    const { hostname, port } = new URL(ceph.endpoint)
    await using proxy = await startTcpProxy({ to: { host: hostname, port: Number(port) } })
    const settings = settingsFor(ceph, bucket, { endpoint: `http://127.0.0.1:${proxy.port}` })
    await using volume = openS3(settings, { ...quick, tries: 2 }, 500)
    await volume.write('a', { body: pattern(20 * MB) }, signal())
    proxy.trouble.stalled = true
    const error = await fails('volume_unreachable', volume.stat('a', signal()))
    assert.match(error.message, /did not answer/)
    await fails('volume_unreachable', volume.write('b', { body: pattern(1 * MB) }, signal()))
    proxy.trouble.stalled = false
    let bytes = 0
    await fails(
      'volume_unreachable',
      (async () => {
        for await (const chunk of volume.read('a', signal())) {
          bytes += chunk.length
          proxy.trouble.stalled = true
        }
      })(),
    )
    assert.ok(bytes < 20 * MB)
  })

  it('does not take a line that drips for one that stands still', async () => {
    const bucket = await ceph.createBucket()
    const { hostname, port } = new URL(ceph.endpoint)
    await using proxy = await startTcpProxy({ to: { host: hostname, port: Number(port) } })
    const settings = settingsFor(ceph, bucket, { endpoint: `http://127.0.0.1:${proxy.port}` })
    await using volume = openS3(settings, { ...quick, tries: 1 }, 4_000)
    // Six seconds each way, of which sockets on loopback hide two or three.
    proxy.trouble.bytesPerSecond = 2.5 * MB
    await volume.write('a', { body: pattern(15 * MB) }, signal())
    assert.deepEqual(await digest(volume, 'a'), await digestOf(15 * MB))
  })

  for (const bytes of [1 * MB, 20 * MB]) {
    it(`sends again what was damaged on the way, of ${bytes} bytes`, async () => {
      const bucket = await ceph.createBucket()
      await using proxy = await startDamagingProxy(ceph.endpoint, 2)
      await using volume = openS3(settingsFor(ceph, bucket, { endpoint: proxy.endpoint }), quick)
      await volume.write('a', { body: pattern(bytes) }, signal())
      assert.equal(proxy.damaged(), 2)
      assert.deepEqual(await digest(volume, 'a'), await digestOf(bytes))
    })

    it(`never stores what is always damaged on the way, of ${bytes} bytes`, async () => {
      const bucket = await ceph.createBucket()
      await using proxy = await startDamagingProxy(ceph.endpoint, Infinity)
      await using volume = openS3(settingsFor(ceph, bucket, { endpoint: proxy.endpoint }), quick)
      await fails('volume_corrupted', volume.write('a', { body: pattern(bytes) }, signal()))
      assert.deepEqual(await keys(volume), [])
      assert.deepEqual(await leftovers(ceph, bucket), [])
    })
  }
})

/** Changes one bit in the middle of so many uploads. */
async function startDamagingProxy(to: string, times: number) {
  const { hostname, port } = new URL(to)
  let damaged = 0
  const listener = createServer((request, response) => {
    const { method, url, rawHeaders } = request
    const damages = method === 'PUT' && Number(request.headers['content-length']) > 100_000 && damaged < times
    if (damages) damaged++
    const upstream = httpRequest(
      { hostname, port, method, path: url, headers: rawHeaders, agent: false },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.rawHeaders)
        reply.pipe(response)
      },
    )
    upstream.on('error', () => response.destroy())
    let passed = 0
    request.on('data', (chunk: Buffer) => {
      const bytes = Buffer.from(chunk)
      if (damages && passed <= 50_000 && passed + bytes.length > 50_000) {
        bytes.writeUInt8(bytes.readUInt8(50_000 - passed) ^ 1, 50_000 - passed)
      }
      passed += bytes.length
      upstream.write(bytes)
    })
    request.on('end', () => upstream.end())
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    endpoint: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    damaged: () => damaged,
    async [Symbol.asyncDispose]() {
      listener.close()
      listener.closeAllConnections()
      await once(listener, 'close')
    },
  }
}
