import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { type CephServer, startCeph } from './ceph.ts'
import { startHttpProxy } from './http-proxy.ts'
import { skipUnless } from './needs.ts'
import { s3Client, type S3Server } from './s3-server.ts'
import { startSwift } from './swift.ts'

describe('a Ceph gateway', { skip: skipUnless('ceph') }, () => {
  it('is a strict S3 server', async () => {
    await using server = await startCeph()
    await keepsObjects(server)
    await refusesForgedSignatures(server)
    await locksObjects(server)
    await obeysPolicies(server)
  })

  async function locksObjects(server: S3Server): Promise<void> {
    const client = s3Client(server)
    const Bucket = await server.createBucket({ objectLock: true })
    const { VersionId } = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'locked',
        Body: 'x',
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: new Date(Date.now() + 60_000),
      }),
    )
    const removed = client.send(new DeleteObjectCommand({ Bucket, Key: 'locked', VersionId }))
    await assert.rejects(removed, { name: 'AccessDenied' })
  }

  async function obeysPolicies(server: CephServer): Promise<void> {
    const owner = s3Client(server)
    const Bucket = await server.createBucket()
    const user = await server.createUser()
    const guest = s3Client(server, user)
    const object = { Bucket, Key: 'shared' }
    await assert.rejects(guest.send(new PutObjectCommand({ ...object, Body: 'x' })), { name: 'AccessDenied' })
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: [user.arn] },
      Action: ['s3:PutObject', 's3:GetObject'],
      Resource: [`arn:aws:s3:::${Bucket}/*`],
    }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    await owner.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    await guest.send(new PutObjectCommand({ ...object, Body: 'x' }))
    await guest.send(new GetObjectCommand(object))
    await assert.rejects(guest.send(new DeleteObjectCommand(object)), { name: 'AccessDenied' })
  }
})

describe('a Swift server', { skip: skipUnless('swift') }, () => {
  it('is an S3 server', async () => {
    await using server = await startSwift()
    await keepsObjects(server)
    await refusesForgedSignatures(server)
  })

  it('is reached through a proxy that makes trouble', async () => {
    await using server = await startSwift()
    await using proxy = await startHttpProxy({ to: server.endpoint })
    const Bucket = await server.createBucket()
    const client = s3Client({ ...server, endpoint: proxy.endpoint })
    const object = { Bucket, Key: 'a' }
    const put = (body: string) => client.send(new PutObjectCommand({ ...object, Body: body }))
    const get = async () => (await client.send(new GetObjectCommand(object))).Body?.transformToString()
    await put('0123456789')
    assert.equal(await get(), '0123456789')

    const slowDown = proxy.trouble({ times: 2, answer: { status: 503, code: 'SlowDown' } })
    await assert.rejects(put('never'), { name: 'SlowDown' })
    await assert.rejects(get(), { name: 'SlowDown' })
    assert.equal(await get(), '0123456789')
    assert.equal(slowDown.used, 2)

    const when = ({ method }: { method: string }) => method === 'GET'
    proxy.trouble({ times: 1, when, truncateReply: 4 })
    await assert.rejects(get())
    proxy.trouble({ times: 1, when, corruptReply: 4 })
    assert.equal(await get(), '0123556789')

    const lost = proxy.trouble({ loseReply: true })
    await assert.rejects(put('arrived'))
    lost.end()
    assert.equal(await get(), 'arrived')

    proxy.trouble({ times: 1, cutUpload: 300_000 })
    await assert.rejects(put('x'.repeat(1_000_000)))
    assert.equal(proxy.requests.at(-1)?.uploaded, 300_000)
    assert.equal(await get(), 'arrived')
  })
})

async function keepsObjects(server: S3Server): Promise<void> {
  const client = s3Client(server)
  const object = { Bucket: await server.createBucket(), Key: 'folder/a b+ü' }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object))
  const parts = [randomBytes(5 * 1024 * 1024), randomBytes(1_000)]
  const Parts = []
  for (const [index, Body] of parts.entries()) {
    const part = { UploadId, PartNumber: index + 1 }
    const { ETag } = await client.send(new UploadPartCommand({ ...object, ...part, Body }))
    Parts.push({ ETag, PartNumber: part.PartNumber })
  }
  await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }))
  const { Body } = await client.send(new GetObjectCommand(object))
  assert.ok(Buffer.concat(parts).equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0)))
}

async function refusesForgedSignatures(server: S3Server): Promise<void> {
  const forger = s3Client(server, { accessKeyId: server.accessKeyId, secretAccessKey: 'guessed' })
  const Bucket = await server.createBucket()
  await assert.rejects(forger.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' })), {
    name: 'SignatureDoesNotMatch',
  })
}
