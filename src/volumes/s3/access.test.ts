import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import { startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { digest, fails, keys, pattern, read, signal, text } from '../conformance.ts'
import { openVolumeUrl } from '../index.ts'
import { testVolume } from '../test-volume.ts'
import { openS3, type S3Settings } from './index.ts'
import { digestOf, leftovers, MB, owned, quick, settingsFor, startTlsProxy } from './test-bed.ts'

const skip = skipUnless('ceph')
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
