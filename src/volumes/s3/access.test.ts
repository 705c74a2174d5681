import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import { startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { digest, fails, keys, pattern, read, signal, text } from '../conformance.ts'
import { openVolumeUrl } from '../index.ts'
import { testVolume } from '../test-volume.ts'
import type { StoredFile } from '../volume.ts'
import { testWriteOnly } from '../write-only.ts'
import { openS3, openS3WriteOnly, type S3Settings } from './index.ts'
import { digestOf, leftovers, MB, owned, quick, settingsFor, startTlsProxy } from './test-bed.ts'

const skip = skipUnless('ceph')
const MiB = 1024 * 1024
let ceph: CephServer
before(async () => {
  if (!skip) ceph = await startCeph()
})
after(() => ceph?.[Symbol.asyncDispose]())

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
      'tls_failed',
      attempt(settingsFor(ceph, 'bucket', { endpoint: ceph.endpoint.replace('http:', 'https:') })),
    )
    assert.match(error.hint ?? '', /speaks http\?/)
    assert.match(error.message, /: wrong version number\.$/)
  })

  it('a bucket that lives elsewhere', async () => {
    const bucket = await ceph.createBucket()
    await using proxy = await startHttpProxy({ to: ceph.endpoint })
    proxy.trouble({ answer: { status: 301, code: 'PermanentRedirect' } })
    await using volume = openS3(settingsFor(ceph, bucket, { endpoint: proxy.endpoint }), quick)
    for (const work of [
      () => keys(volume),
      () => volume.stat('a', signal()),
      () => volume.write('a', text('x'), signal()),
    ]) {
      assert.match((await fails('volume_refused', work())).hint ?? '', /another region than “us-east-1”/)
    }
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

describe('S3 that may only be written to', { skip, timeout: 120_000 }, () => {
  const file = async (folder: string, bytes: number): Promise<StoredFile> => {
    const path = join(folder, `${bytes}`)
    await pipeline(pattern(bytes), createWriteStream(path))
    return { path, ...(await digestOf(bytes)) }
  }
  /** A user with these rights on the objects of a bucket, and a proxy that sees what is asked. */
  const openBucket = async (actions: string[]) => {
    const bucket = await ceph.createBucket()
    const { accessKeyId, secretAccessKey, arn } = await ceph.createUser()
    // What one user has put, another one may see only if he is told to: the owner of the bucket, too.
    const other = await ceph.createUser()
    await using owner = owned(ceph)
    const objects = `arn:aws:s3:::${bucket}/*`
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: [arn] }, Action: actions, Resource: objects },
      { Effect: 'Allow', Principal: { AWS: [other.arn] }, Action: 's3:*', Resource: objects },
      {
        Effect: 'Allow',
        Principal: { AWS: [other.arn] },
        Action: 's3:*',
        Resource: `arn:aws:s3:::${bucket}`,
      },
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await owner.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }))
    const proxy = await startHttpProxy({ to: ceph.endpoint })
    const endpoint = proxy.endpoint
    return {
      bucket,
      proxy,
      settings: settingsFor(ceph, bucket, { endpoint, accessKeyId, secretAccessKey, prefix: 'app' }),
      all: () => openS3(settingsFor({ ...ceph, ...other }, bucket, { prefix: 'app' }), quick),
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    }
  }
  const small = { single: 6 * MiB, part: 5 * MiB }

  it('puts and removes with the rights to do that, in one request or in parts, and asks for nothing else', async () => {
    await using folder = await tempFolder('write-only')
    await using test = await openBucket(['s3:PutObject', 's3:DeleteObject'])
    await using volume = openS3WriteOnly(test.settings, quick, 20_000, small)
    await using reader = test.all()
    for (const bytes of [0, 1000, small.single, small.single + 1, 13 * MB]) {
      const stored = await file(folder.path, bytes)
      await volume.put(`a/${bytes}`, stored, signal())
      assert.deepEqual(await digest(reader, `a/${bytes}`), { bytes, sha256: stored.sha256 })
    }
    const methods = new Set(test.proxy.requests.map(({ method }) => method))
    assert.deepEqual([...methods].sort(), ['POST', 'PUT'], 'a POST begins and ends an upload in parts')
    assert.deepEqual(
      test.proxy.requests.filter(({ status = 0 }) => status >= 300),
      [],
    )
    for (const { headers, method, path } of test.proxy.requests) {
      if (method === 'PUT') assert.match(String(headers['x-amz-checksum-sha256']), /^[\w+/]{43}=$/, path)
    }
    for (const key of await keys(reader)) await volume.remove(key, signal())
    await volume.remove('never/was', signal())
    assert.deepEqual(await keys(reader), [])
    assert.deepEqual(await leftovers(ceph, test.bucket), [])
    const tried = await testWriteOnly(volume, folder.path, signal())
    assert.deepEqual(
      tried.map(({ step, outcome }) => [step, outcome]),
      [
        ['write', 'ok'],
        ['remove', 'ok'],
      ],
    )
    await fails('volume_refused', openAndList(test.settings), 'the server lets it list')
  })

  it('says which right is missing', async () => {
    await using folder = await tempFolder('write-only')
    for (const [right, step, permission] of [
      ['s3:PutObject', 'remove', /s3:DeleteObject/],
      ['s3:DeleteObject', 'write', /s3:PutObject/],
    ] as const) {
      await using test = await openBucket([right])
      await using volume = openS3WriteOnly(test.settings, quick, 20_000)
      const steps = await testWriteOnly(volume, folder.path, signal())
      const failed = steps.find(({ outcome }) => outcome === 'failed')
      assert.equal(failed?.step, step)
      assert.match(failed.detail ?? '', permission)
    }
  })

  it('tries again what passes, and refuses bytes that are not those of the file', async () => {
    await using folder = await tempFolder('write-only')
    await using test = await openBucket(['s3:PutObject', 's3:DeleteObject'])
    await using volume = openS3WriteOnly(test.settings, quick, 20_000, small)
    await using reader = test.all()
    const stored = await file(folder.path, 2 * MB)
    for (const trouble of [
      { cutUpload: MB },
      { loseReply: true },
      { answer: { status: 503, code: 'SlowDown' } },
    ]) {
      const made = test.proxy.trouble({ ...trouble, times: 1 })
      await volume.put('again', stored, signal())
      assert.equal(made.used, 1)
      made.end()
      assert.equal((await digest(reader, 'again')).sha256, stored.sha256)
    }
    await appendFile(stored.path, 'x')
    await assert.rejects(volume.put('other', { ...stored, bytes: stored.bytes + 1 }, signal()))
    await fails('object_not_found', reader.stat('other', signal()))
    const parts = await file(folder.path, 13 * MB)
    const lost = test.proxy.trouble({
      when: ({ path }) => /partNumber=2/.test(path),
      answer: { status: 403, code: 'AccessDenied' },
    })
    await fails(
      'volume_refused',
      volume.put('parts', parts, signal()),
      'it may not abort, and says why it failed',
    )
    lost.end()
    await fails('object_not_found', reader.stat('parts', signal()))
  })

  const openAndList = async (settings: S3Settings) => {
    await using volume = openS3(settings, { ...quick, tries: 2 }, 5_000)
    return await keys(volume)
  }
})

describe('S3 by a clock that is wrong', { skip, timeout: 120_000 }, () => {
  for (const hours of [1, -1]) {
    it(`works ${hours} h off, with the storage’s time`, async (context) => {
      const bucket = await ceph.createBucket()
      const now = Date.now
      context.mock.method(Date, 'now', () => now() + hours * 3_600_000)
      const open = () => openS3(settingsFor(ceph, bucket), quick)
      await using first = open()
      await first.write('a', { body: pattern(20 * MB) }, signal())
      await using second = open()
      await fails('object_not_found', second.stat('b', signal()))
      await using third = open()
      assert.deepEqual(await digest(third, 'a'), await digestOf(20 * MB))
      const [clock] = (await third.examine?.(signal())) ?? []
      assert.equal(clock?.outcome, 'warning')
      assert.match(clock.detail ?? '', hours > 0 ? /ahead of/ : /behind/)
      await third.write('c', text('linked'), signal())
      assert.equal(await (await fetch((await third.presign?.('c', 60)) ?? '')).text(), 'linked')
    })
  }

  it('is told to set it, if it may not use the storage’s time', async () => {
    const bucket = await ceph.createBucket()
    const script = `
      const { openS3 } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)})
      const Right = Date
      globalThis.Date = class extends Right {
        constructor(...time) { super(...(time.length > 0 ? time : [Right.now() + 3_600_000])) }
        static now() { return Right.now() + 3_600_000 }
      }
      const volume = openS3(${JSON.stringify(settingsFor(ceph, bucket))}, ${JSON.stringify(quick)})
      const failure = await volume.stat('a', new AbortController().signal).catch((error) => error)
      console.log(JSON.stringify({ code: failure.code, message: failure.message, hint: failure.hint }))`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
      { env: { ...process.env, AWS_DISABLE_CLOCK_SKEW_CORRECTION: 'true' } },
    )
    const { code, message, hint } = JSON.parse(stdout) as Record<string, string>
    assert.equal(code, 'volume_refused')
    assert.match(message ?? '', /RequestTimeTooSkewed/)
    assert.match(hint ?? '', /set the clock/)
  })
})

describe('S3 by TLS', { skip, timeout: 120_000 }, () => {
  it('trusts the authority that it was given, as text or by a file’s name', async () => {
    await using proxy = await startTlsProxy(ceph.endpoint)
    const bucket = await ceph.createBucket()
    await using volume = openS3(
      settingsFor(ceph, bucket, { endpoint: proxy.endpoint, ca: proxy.certificates.ca }),
      quick,
    )
    await volume.write('a', { body: pattern(20 * MB) }, signal())
    assert.deepEqual(await digest(volume, 'a'), await digestOf(20 * MB))

    await using folder = await tempFolder('ca')
    const file = await folder.write('ca.pem', proxy.certificates.ca)
    const environment = { AWS_ACCESS_KEY_ID: ceph.accessKeyId, AWS_SECRET_ACCESS_KEY: ceph.secretAccessKey }
    const url = `s3://${bucket}?endpoint=${proxy.endpoint}&ca=`
    await using byFile = openVolumeUrl(url + file, environment).volume
    assert.deepEqual(await keys(byFile), ['a'])

    await folder.write('garbage.pem', 'garbage')
    for (const wrong of ['/nowhere/ca.pem', join(folder.path, 'garbage.pem')]) {
      const isNamed = (error: Error) => /\bca\b/.test(error.message)
      assert.throws(() => openVolumeUrl(url + wrong, environment), isNamed)
    }
  })

  it('refuses an authority that it does not know, and says what to do', async () => {
    await using proxy = await startTlsProxy(ceph.endpoint)
    const bucket = await ceph.createBucket()
    for (const ca of [undefined, proxy.certificates.otherCa]) {
      await using volume = openS3(settingsFor(ceph, bucket, { endpoint: proxy.endpoint, ca }), quick)
      const error = await fails('tls_failed', volume.write('a', text('x'), signal()))
      assert.match(error.hint ?? '', /set ca to its PEM/)
    }
    assert.equal(proxy.requests(), 0)
  })

  it('refuses a certificate for another name', async () => {
    await using proxy = await startTlsProxy(ceph.endpoint, { serverNames: ['s3.example'] })
    await using volume = openS3(
      settingsFor(ceph, 'bucket', { endpoint: proxy.endpoint, ca: proxy.certificates.ca }),
      quick,
    )
    const error = await fails('tls_failed', keys(volume))
    assert.match(error.hint ?? '', /another name/)
    assert.match(error.message, /127\.0\.0\.1 is not in the cert/)
  })
})
