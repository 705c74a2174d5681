import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type CephServer, type CephUser, startCeph } from '../../../test/servers/ceph.ts'
import { startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { startTcpProxy } from '../../../test/servers/tcp-proxy.ts'
import { digest, fails, keys, pattern, signal } from '../conformance.ts'
import { openVolumeUrl } from '../index.ts'
import { testVolume } from '../test-volume.ts'
import { openS3, type S3Settings } from './index.ts'
import { digestOf, MB, quick, settingsFor, startTlsProxy } from './test-bed.ts'

const skip = skipUnless('ceph')
let ceph: CephServer
before(async () => {
  if (!skip) ceph = await startCeph({ lendsRoles: true })
})
after(() => ceph?.[Symbol.asyncDispose]())

describe('S3 by a role', { skip, timeout: 120_000 }, () => {
  /** A user who may do nothing but take on the role, and what the role opens. */
  const prepare = async () => {
    const user = await ceph.createUser()
    return { user, roleArn: await ceph.createRole(user), bucket: await ceph.createBucket() }
  }
  const by = ({ accessKeyId, secretAccessKey }: CephUser, more: Partial<S3Settings>) => ({
    accessKeyId,
    secretAccessKey,
    ...more,
  })

  it('may do what the role may, and names its session', async () => {
    const { user, roleArn, bucket } = await prepare()
    await using alone = openS3(settingsFor(ceph, bucket, by(user, {})), quick)
    await fails('volume_refused', keys(alone))
    await using sts = await startStsProxy()
    const url = `s3://${bucket}/in?endpoint=${ceph.endpoint}&role-arn=${roleArn}&sts-endpoint=${sts.endpoint}`
    const { volume } = openVolumeUrl(`${url}&role-session-name=nightly`, {
      AWS_ACCESS_KEY_ID: user.accessKeyId,
      AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    })
    await volume.write('a', { body: pattern(20 * MB) }, signal())
    assert.deepEqual(await digest(volume, 'a'), await digestOf(20 * MB))
    const steps = await testVolume(volume, signal())
    assert.deepEqual(
      steps.filter(({ outcome }) => outcome !== 'ok'),
      [],
    )
    assert.equal(sts.requests.length, 1)
    assert.equal(sts.requests[0]?.get('RoleSessionName'), 'nightly')
    const link = await volume.presign?.('a', 60)
    assert.equal((await (await fetch(link ?? '')).arrayBuffer()).byteLength, 20 * MB)
    await volume[Symbol.asyncDispose]()
  })

  it('asks the storage’s own endpoint by default, over TLS too', async () => {
    const { user, roleArn, bucket } = await prepare()
    await using proxy = await startTlsProxy(ceph.endpoint)
    const { ca } = proxy.certificates
    const settings = settingsFor(ceph, bucket, by(user, { roleArn, endpoint: proxy.endpoint, ca }))
    await using volume = openS3(settings, quick)
    assert.deepEqual(await keys(volume), [])
  })

  it('takes the role on again when its time ends', async () => {
    const { user, roleArn, bucket } = await prepare()
    await using sts = await startStsProxy({ endsIn: 60_000 })
    const settings = settingsFor(ceph, bucket, by(user, { roleArn, stsEndpoint: sts.endpoint }))
    await using volume = openS3(settings, quick)
    await volume.write('a', { body: pattern(40 * MB) }, signal())
    assert.deepEqual(await digest(volume, 'a'), await digestOf(40 * MB))
    assert.ok(sts.requests.length > 1)
  })

  it('gets over a token service that is overloaded for a moment', async () => {
    const { user, roleArn, bucket } = await prepare()
    await using proxy = await startHttpProxy({ to: ceph.endpoint })
    const made = proxy.trouble({ times: 2, answer: { status: 503, code: 'ServiceUnavailable' } })
    const settings = settingsFor(ceph, bucket, by(user, { roleArn, stsEndpoint: proxy.endpoint }))
    await using volume = openS3(settings, quick)
    assert.deepEqual(await keys(volume), [])
    assert.equal(made.used, 2)
  })

  it('explains why it is not lent', async () => {
    const { user, roleArn, bucket } = await prepare()
    const stranger = await ceph.createUser()
    const attempt = async (who: CephUser, more: Partial<S3Settings> = {}) => {
      const settings = settingsFor(ceph, bucket, by(who, { roleArn, ...more }))
      await using volume = openS3(settings, { ...quick, tries: 2 }, 5_000)
      return await keys(volume)
    }
    const untrusted = await fails('authentication_failed', attempt(stranger))
    assert.ok(untrusted.message.includes(roleArn) && untrusted.message.includes(ceph.endpoint))
    assert.match(untrusted.hint ?? '', /trust policy/)
    const wrong = await fails('authentication_failed', attempt({ ...user, secretAccessKey: 'canary-secret' }))
    assert.doesNotMatch(JSON.stringify([wrong.message, wrong.hint]), /canary/)
    const missing = await fails('authentication_failed', attempt(user, { roleArn: `${roleArn}-of-nobody` }))
    assert.match(missing.hint ?? '', /no such role/)
    const unreachable = { stsEndpoint: 'http://127.0.0.1:1' }
    assert.match((await fails('volume_unreachable', attempt(user, unreachable))).hint ?? '', /STS endpoint/)
  })

  it('gives up on a token service that stands still, and stops waiting when it is cancelled', async () => {
    const { user, roleArn, bucket } = await prepare()
    const { hostname, port } = new URL(ceph.endpoint)
    await using proxy = await startTcpProxy({ to: { host: hostname, port: Number(port) } })
    proxy.trouble.stalled = true
    const settings = settingsFor(
      ceph,
      bucket,
      by(user, { roleArn, stsEndpoint: `http://127.0.0.1:${proxy.port}` }),
    )
    await using impatient = openS3(settings, { ...quick, tries: 2 }, 300)
    const error = await fails('volume_unreachable', keys(impatient))
    assert.match(error.message, /did not answer for 0\.3 seconds/)
    await using waiting = openS3(settings, quick)
    const cancel = new AbortController()
    const listing = Array.fromAsync(waiting.list('', cancel.signal))
    while (proxy.connections < 3) await new Promise((resolve) => setImmediate(resolve))
    cancel.abort(new Error('cancelled by the test'))
    await assert.rejects(listing, /cancelled by the test/)
    proxy.resetAll()
  })
})

/** Ceph’s token service, whose requests can be read, and whose credentials seem to end sooner than they do. */
async function startStsProxy({ endsIn }: { endsIn?: number } = {}) {
  const requests: URLSearchParams[] = []
  const { hostname, port } = new URL(ceph.endpoint)
  const forward = async ({ method, url, rawHeaders }: IncomingMessage, body: string) => {
    requests.push(new URLSearchParams(body))
    // With the headers as they are, also `Host`, which is signed.
    const upstream = request({ hostname, port, method, path: url, headers: rawHeaders, agent: false }).end(
      body,
    )
    const [reply] = (await once(upstream, 'response')) as [IncomingMessage]
    const answer = await text(reply)
    if (endsIn === undefined) return { status: reply.statusCode, answer }
    const end = new Date(Date.now() + endsIn).toISOString()
    return { status: reply.statusCode, answer: answer.replace(/(?<=<Expiration>)[^<]+/, end) }
  }
  const listener = createServer((incoming, response) => {
    text(incoming)
      .then((body) => forward(incoming, body))
      .then(({ status = 502, answer }) =>
        response.writeHead(status, { 'content-type': 'text/xml' }).end(answer),
      )
      .catch((error: Error) => response.destroy(error))
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    endpoint: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections()
      await promisify(listener.close.bind(listener))()
    },
  }
}
