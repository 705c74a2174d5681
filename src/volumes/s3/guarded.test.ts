import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { fails, keys } from '../conformance.ts'
import { openS3, s3 } from './index.ts'
import { quick } from './test-bed.ts'

const key = { accessKeyId: 'x', secretAccessKey: 'x' }
const attempt = async (settings: object) => {
  await using volume = openS3(s3.config.parse({ bucket: 'backups', ...key, ...settings }), quick, 5_000)
  return await keys(volume)
}

describe('an S3 endpoint', () => {
  it('is never an address at which clouds give out credentials, however it is written', async () => {
    for (const endpoint of [
      'http://169.254.169.254',
      'http://169.254.169.254:80/latest/meta-data',
      'http://2852039166',
      'http://[::ffff:169.254.169.254]',
      'http://[fd00:ec2::254]',
      'http://169.254.170.2',
      'http://100.100.100.200',
      'http://0.0.0.0',
    ]) {
      const error = await fails('address_refused', attempt({ endpoint }))
      assert.equal(error.retryable, false, endpoint)
    }
  })

  it('is none of them as that of the token service either', async () => {
    const role = { roleArn: 'arn:aws:iam::123456789012:role/backup' }
    const stsEndpoint = 'http://169.254.169.254'
    await fails('address_refused', attempt({ ...role, endpoint: 'http://127.0.0.1:1', stsEndpoint }))
  })

  it('is none of them by a name either', async (test) => {
    const answer = [{ address: '169.254.169.254', family: 4 }]
    const lookup = (...[, , done]: [string, object, (error: null, found: object[]) => void]) =>
      done(null, answer)
    test.mock.method(dns, 'lookup', lookup)
    syncBuiltinESMExports()
    try {
      await fails('address_refused', attempt({ endpoint: 'http://storage.example', pathStyle: true }))
      await fails('address_refused', attempt({ endpoint: 'https://storage.example' }))
    } finally {
      test.mock.restoreAll()
      syncBuiltinESMExports()
    }
  })

  it('may be on this machine, and by a name', async () => {
    const server = createServer((_request, response) => response.writeHead(403).end())
    await once(server.listen(0), 'listening')
    try {
      const { port } = server.address() as AddressInfo
      await fails('volume_refused', attempt({ endpoint: `http://localhost:${port}`, pathStyle: true }))
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })
})
