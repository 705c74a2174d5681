import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { GetObjectRetentionCommand } from '@aws-sdk/client-s3'
import { type CephServer, startCeph } from '../../../test/servers/ceph.ts'
import { type SeenRequest, startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { listingPage } from '../../../test/servers/s3-server.ts'
import { digest, fails, keys, pattern, signal, text, volumeConformance } from '../conformance.ts'
import { openVolumeUrl } from '../index.ts'
import { openS3 } from './index.ts'
import {
  behindTrouble,
  bounds,
  digestOf,
  leftovers,
  MB,
  opener,
  owned,
  quick,
  settingsFor,
} from './test-bed.ts'

const skip = skipUnless('ceph')
let ceph: CephServer
before(async () => {
  if (!skip) ceph = await startCeph()
})
after(() => ceph?.[Symbol.asyncDispose]())

volumeConformance(
  'S3 by Ceph',
  opener(() => ceph),
  { ...bounds, skip, page: listingPage },
)

const isPart = ({ method, path }: SeenRequest) => method === 'PUT' && path.includes('partNumber=')

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
      await using test = await behindTrouble(ceph, { concurrency })
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
    // Parts of the smallest size that S3 allows, and fewer than anyone may set.
    const size = () => 5 * 1024 * 1024
    await using volume = openS3({ ...settingsFor(ceph, bucket), maxParts: 2 }, quick, 20_000, size)
    await volume.write('fits', { body: pattern(10 * MB) }, signal())
    await fails('volume_full', volume.write('a', { body: pattern(11 * MB) }, signal()))
    assert.deepEqual(await keys(volume), ['fits'])
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
