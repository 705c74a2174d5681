import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import {
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
} from '@aws-sdk/client-s3'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import { type HttpTrouble, type SeenRequest, startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { type S3Server, s3Client } from '../../../test/servers/s3-server.ts'
import { startSwift } from '../../../test/servers/swift.ts'
import { startTcpProxy } from '../../../test/servers/tcp-proxy.ts'
import {
  digest,
  failing,
  fails,
  keys,
  pattern,
  read,
  signal,
  text,
  volumeConformance,
} from '../conformance.ts'
import { openVolumeUrl } from '../index.ts'
import { isTemporary, withCheckedKeys } from '../key.ts'
import { testVolume } from '../test-volume.ts'
import { openS3, s3, type S3Settings } from './index.ts'

const quick = { tries: 6, firstPause: 5, longestPause: 20 }
const MB = 1_000_000
const MiB = 1024 * 1024
const skip = skipUnless('ceph')

let ceph: CephServer
let swift: S3Server

before(async () => {
  if (!skip) ceph = await startCeph()
  if (!skipUnless('swift')) swift = await startSwift()
})
after(async () => {
  await swift?.[Symbol.asyncDispose]()
  await ceph?.[Symbol.asyncDispose]()
})

const settingsFor = (server: S3Server, bucket: string, more: Partial<S3Settings> = {}) =>
  s3.config.parse({
    bucket,
    endpoint: server.endpoint,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
    ...more,
  })

/** A bucket of its own, reached through a proxy that can stop the line. */
const opener = (server: () => S3Server) => async () => {
  const bucket = await server().createBucket()
  const { hostname, port } = new URL(server().endpoint)
  const proxy = await startTcpProxy({ to: { host: hostname, port: Number(port) } })
  const settings = settingsFor(server(), bucket, {
    endpoint: `http://127.0.0.1:${proxy.port}`,
    prefix: 'pre/fix',
  })
  const volume = withCheckedKeys(openS3(settings, quick, 20_000))
  const client = s3Client(server())
  return {
    volume,
    leftovers: () => leftovers(server(), bucket),
    async abandon(key: string) {
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: `pre/fix/${key}` }))
    },
    stall: { begin: () => (proxy.trouble.stalled = true), end: () => (proxy.trouble.stalled = false) },
    async [Symbol.asyncDispose]() {
      client.destroy()
      await volume[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await empty(server(), bucket)
    },
  }
}

// Four parts of 16 MiB, and one that waits for its head.
const options = { ahead: 5 * 16 * MiB, memory: 5 * 16 * MiB }
volumeConformance(
  'S3 by Ceph',
  opener(() => ceph),
  { ...options, skip },
)
volumeConformance(
  'S3 by Swift',
  opener(() => swift),
  {
    ...options,
    skip: skipUnless('swift'),
    tooSlowForMany: 'Swift takes a minute to store a thousand objects; it pages its listings as Ceph does.',
    cannotDecideRaces: 'Swift knows no “If-None-Match: *” for S3: it answers 501.',
  },
)

/** A volume on Ceph behind a proxy that makes trouble with requests. */
async function behindTrouble(more: Partial<S3Settings> = {}, idle = 20_000) {
  const bucket = await ceph.createBucket()
  const proxy = await startHttpProxy({ to: ceph.endpoint })
  const volume = withCheckedKeys(
    openS3(settingsFor(ceph, bucket, { endpoint: proxy.endpoint, ...more }), quick, idle),
  )
  return {
    volume,
    proxy,
    bucket,
    leftovers: () => leftovers(ceph, bucket),
    async [Symbol.asyncDispose]() {
      await volume[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await empty(ceph, bucket)
    },
  }
}

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
    [
      'the completion is answered with 500',
      { when: isComplete, times: 2, answer: { status: 500, code: 'InternalError' } },
    ],
    ['the reply to the completion is lost', { when: isComplete, times: 1, loseReply: true }],
  ]
  for (const [what, trouble] of passing) {
    for (const ifAbsent of [false, true]) {
      it(`stores the object though ${what}${ifAbsent ? ', only if absent' : ''}`, async () => {
        await using test = await behindTrouble()
        const made = test.proxy.trouble(trouble)
        await test.volume.write('a', { body: pattern(40 * MB) }, signal(), { ifAbsent })
        assert.equal(made.used, trouble.times)
        made.end()
        assert.deepEqual(await digest(test.volume, 'a'), await digestOf(40 * MB))
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
      await using test = await behindTrouble()
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
      await using test = await behindTrouble()
      await test.volume.write('a', text('old'), signal())
      const made = test.proxy.trouble(trouble)
      // Aborting is not easy either.
      test.proxy.trouble({ when: isAbort, times: 2, answer: { status: 500, code: 'InternalError' } })
      let refused = 0
      await fails(code, test.volume.write('a', { body: pattern(60 * MB) }, signal()))
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
    await using test = await behindTrouble()
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
    await using test = await behindTrouble()
    await test.volume.write('a', { body: pattern(20 * MB) }, signal())
    const made = test.proxy.trouble({ when: isGet, times: 7, truncateReply: 2 * MB })
    assert.deepEqual(await digest(test.volume, 'a'), await digestOf(20 * MB))
    assert.equal(made.used, 7)
    const ranged = test.proxy.trouble({ when: isGet, times: 2, truncateReply: 1000 })
    assert.equal((await digest(test.volume, 'a', { start: 100, end: 5 * MB })).bytes, 5 * MB - 99)
    assert.equal(ranged.used, 2)
  })

  it('fails rather than ends when replies bring nothing any more', async () => {
    await using test = await behindTrouble()
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
    await using test = await behindTrouble()
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
    await using test = await behindTrouble()
    await test.volume.write('a', { body: pattern(100_000) }, signal())
    test.proxy.trouble({ when: isGet, corruptReply: 50_000 })
    await fails('volume_corrupted', digest(test.volume, 'a'))
  })

  it('lists everything though listings are cut short or refused', async () => {
    await using test = await behindTrouble()
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

describe('S3 explains what is wrong', { skip, timeout: 120_000 }, () => {
  const attempt = async (settings: S3Settings) => {
    await using volume = openS3(settings, { ...quick, tries: 2 }, 5_000)
    return await keys(volume)
  }

  it('a bucket that is not there', async () => {
    const settings = settingsFor(ceph, 'no-such-bucket')
    assert.match((await fails('volume_refused', attempt(settings))).hint ?? '', /Make the bucket/)
    await using volume = openS3(settings, quick)
    await fails('volume_refused', volume.stat('a', signal()))
    await fails('volume_refused', volume.write('a', text('x'), signal()))
    await fails('volume_refused', read(volume, 'a'))
  })

  it('a wrong secret and an unknown key, without naming the secret', async () => {
    const bucket = await ceph.createBucket()
    const wrong = await fails(
      'authentication_failed',
      attempt(settingsFor(ceph, bucket, { secretAccessKey: 'canary-secret' })),
    )
    assert.match(wrong.hint ?? '', /secret access key/)
    assert.doesNotMatch(JSON.stringify([wrong.message, wrong.hint]), /canary/)
    await fails('authentication_failed', attempt(settingsFor(ceph, bucket, { accessKeyId: 'UNKNOWN' })))
  })

  it('a host that is not there, and one where nothing listens', async () => {
    await fails(
      'volume_unreachable',
      attempt(settingsFor(ceph, 'bucket', { endpoint: 'http://127.0.0.1:1' })),
    )
    const error = await fails(
      'volume_unreachable',
      attempt(settingsFor(ceph, 'bucket', { endpoint: 'http://no-such-host.invalid' })),
    )
    assert.match(error.hint ?? '', /endpoint/)
  })

  it('TLS that cannot be', async () => {
    const error = await fails(
      'volume_unreachable',
      attempt(settingsFor(ceph, 'bucket', { endpoint: ceph.endpoint.replace('http:', 'https:') })),
    )
    assert.match(error.hint ?? '', /TLS/)
    assert.equal(error.retryable, false)
  })

  it('a permission that is missing, with the policy to paste; and the policy is enough', async () => {
    const bucket = await ceph.createBucket()
    const { accessKeyId, secretAccessKey, arn } = await ceph.createUser()
    const settings = settingsFor(ceph, bucket, { accessKeyId, secretAccessKey, prefix: 'backups' })
    const error = await fails('volume_refused', attempt(settings))
    assert.match(error.hint ?? '', /s3:ListBucket/)
    const policy = JSON.parse(/\{.*\}/.exec(error.hint ?? '')?.[0] ?? '') as { Statement: object[] }
    policy.Statement = policy.Statement.map((statement) => ({ ...statement, Principal: { AWS: [arn] } }))
    await using owner = owned(ceph)
    await owner.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }))
    await using volume = openS3(settings, quick)
    const steps = await testVolume(volume, signal())
    assert.deepEqual(
      steps.filter(({ outcome }) => outcome !== 'ok'),
      [],
    )
    await volume.write('a/large', { body: pattern(20 * MB) }, signal(), { ifAbsent: true })
    await volume.discard('a/large', signal())

    // The permission goes while a write is under way.
    await volume.write('b', text('old'), signal())
    const body = async function* () {
      yield* pattern(20 * MB)
      await owner.client.send(new DeleteBucketPolicyCommand({ Bucket: bucket }))
      yield* pattern(40 * MB)
    }
    const lost = await fails('volume_refused', volume.write('b', { body: body() }, signal()))
    assert.match(lost.message, /403/)
    await owner.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify(policy) }))
    assert.equal(await read(volume, 'b'), 'old')
    await volume.discard('b', signal())
    assert.deepEqual(await leftovers(ceph, bucket), [])
  })
})

describe('S3', { skip, timeout: 120_000 }, () => {
  it('takes keys, region and endpoint from the environment', async () => {
    const bucket = await ceph.createBucket()
    const { volume, config, warnings } = openVolumeUrl(`s3://${bucket}/some/prefix/?path-style=true`, {
      AWS_ACCESS_KEY_ID: ceph.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ceph.secretAccessKey,
      AWS_ENDPOINT_URL: ceph.endpoint,
      AWS_REGION: 'eu-central-1',
    })
    await volume.write('a', text('x'), signal())
    assert.equal(volume.location, `s3://${bucket}/some/prefix`)
    assert.equal(config['region'], 'eu-central-1')
    assert.deepEqual(warnings, [])
    await volume[Symbol.asyncDispose]()
  })

  it('works with old servers that want no checksums', async () => {
    const bucket = await ceph.createBucket()
    await using proxy = await startHttpProxy({ to: ceph.endpoint })
    const settings = settingsFor(ceph, bucket, {
      endpoint: proxy.endpoint,
      requestChecksums: 'when-required',
    })
    await using volume = openS3(settings, quick)
    await volume.write('a', { body: pattern(20 * MB) }, signal())
    await volume.write('b', text('small'), signal())
    assert.deepEqual(await digest(volume, 'a'), await digestOf(20 * MB))
    const names = proxy.requests.flatMap(({ headers }) => Object.keys(headers))
    assert.deepEqual(
      names.filter((name) => name.startsWith('x-amz-checksum') || name.startsWith('x-amz-sdk-checksum')),
      [],
    )
  })

  it('locks objects for so many days', async () => {
    const bucket = await ceph.createBucket({ objectLock: true })
    await using volume = openS3(
      settingsFor(ceph, bucket, { objectLockMode: 'GOVERNANCE', objectLockDays: 3 }),
      quick,
    )
    await volume.write('small', text('x'), signal())
    await volume.write('large', { body: pattern(20 * MB) }, signal())
    await using owner = owned(ceph)
    for (const Key of ['small', 'large']) {
      const { Retention } = await owner.client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key }))
      assert.equal(Retention?.Mode, 'GOVERNANCE')
      const days = ((Retention.RetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000
      assert.ok(days > 2.9 && days < 3.1)
    }
    const steps = await volume.examine?.(signal())
    assert.deepEqual(steps?.map(({ step, outcome }) => [step, outcome]).at(-1), ['object lock', 'ok'])
    const unlocked = settingsFor(ceph, await ceph.createBucket(), {
      objectLockMode: 'GOVERNANCE',
      objectLockDays: 3,
    })
    await using without = openS3(unlocked, quick)
    assert.equal((await without.examine?.(signal()))?.at(-1)?.outcome, 'failed')
  })

  it('links by the public endpoint', async () => {
    const bucket = await ceph.createBucket()
    const publicEndpoint = ceph.endpoint.replace('127.0.0.1', 'localhost')
    await using volume = openS3(settingsFor(ceph, bucket, { publicEndpoint }), quick)
    await volume.write('a', text('linked'), signal())
    const link = (await volume.presign?.('a', 60)) ?? ''
    assert.ok(link.startsWith(publicEndpoint))
    assert.equal(await (await fetch(link)).text(), 'linked')
  })

  it('has at least four parts in flight, and no more than it was told', async () => {
    for (const concurrency of [1, 4]) {
      await using test = await behindTrouble({ concurrency })
      test.proxy.trouble({ when: isPart, delay: 300 })
      let most = 0
      const watch = setInterval(() => {
        const open = test.proxy.requests.filter((request) => isPart(request) && request.status === undefined)
        most = Math.max(most, open.length)
      }, 5)
      await test.volume.write('a', { body: pattern(90 * MB) }, signal())
      clearInterval(watch)
      assert.equal(most, concurrency)
    }
  })

  it('refuses more parts than the provider allows, and leaves nothing', async () => {
    const bucket = await ceph.createBucket()
    // Not to be set by anyone; 100 parts of 16 MiB would take this test minutes.
    await using volume = openS3({ ...settingsFor(ceph, bucket), maxParts: 2 }, quick)
    await fails('volume_full', volume.write('a', { body: pattern(1200 * MB) }, signal()))
    assert.deepEqual(await keys(volume), [])
    assert.deepEqual(await leftovers(ceph, bucket), [])
  })

  it('fails when the server is killed half-way', async () => {
    const bucket = await ceph.createBucket()
    await using volume = openS3(settingsFor(ceph, bucket), quick, 5_000)
    const body = async function* () {
      yield* pattern(20 * MB)
      await ceph.process.kill()
      yield* pattern(60 * MB)
    }
    const error = await fails('volume_unreachable', volume.write('a', { body: body() }, signal()))
    assert.match(error.message, /ECONNREFUSED|ECONNRESET|socket hang up/)
  })
})

async function digestOf(bytes: number) {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256')
  for await (const chunk of pattern(bytes)) hash.update(chunk)
  return { bytes, sha256: hash.digest('hex') }
}

function owned(server: S3Server) {
  const client = s3Client(server)
  return { client, [Symbol.asyncDispose]: async () => client.destroy() }
}

/** Unfinished uploads and claims. */
async function leftovers(server: S3Server, bucket: string): Promise<string[]> {
  await using owner = owned(server)
  const { Uploads = [] } = await owner.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  const { Contents = [] } = await owner.client.send(new ListObjectsV2Command({ Bucket: bucket }))
  const names = Contents.flatMap(({ Key }) =>
    Key && isTemporary(Key.slice(Key.lastIndexOf('/') + 1)) ? [Key] : [],
  )
  return [...Uploads.map(({ Key }) => Key ?? ''), ...names]
}

/** The servers keep everything in memory. */
async function empty(server: S3Server, bucket: string): Promise<void> {
  await using owner = owned(server)
  const { Contents = [] } = await owner.client.send(new ListObjectsV2Command({ Bucket: bucket }))
  const large = Contents.filter(({ Size }) => (Size ?? 0) > 100_000)
  await Promise.all(
    large.map(({ Key }) => owner.client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))),
  )
}

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
