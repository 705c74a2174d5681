import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import { makeCertificates, type TlsOptions } from '../../../test/servers/certificates.ts'
import { startHttpProxy } from '../../../test/servers/http-proxy.ts'
import { type S3Server, s3Client } from '../../../test/servers/s3-server.ts'
import { startTcpProxy } from '../../../test/servers/tcp-proxy.ts'
import { pattern } from '../conformance.ts'
import { isTemporary, withCheckedKeys } from '../key.ts'
import { openS3, s3, type S3Settings } from './index.ts'

export const quick = { tries: 6, firstPause: 5, longestPause: 20 }
export const MB = 1_000_000
const MiB = 1024 * 1024

/** Four parts of 16 MiB, and one that waits for its head. */
export const bounds = { ahead: 5 * 16 * MiB, memory: 5 * 16 * MiB }

export const settingsFor = (server: S3Server, bucket: string, more: Partial<S3Settings> = {}) =>
  s3.config.parse({
    bucket,
    endpoint: server.endpoint,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
    ...more,
  })

/** A bucket of its own, reached through a proxy that can stop the line. */
export const opener = (server: () => S3Server) => async () => {
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

/** A volume behind a proxy that makes trouble with requests. */
export async function behindTrouble(server: S3Server, more: Partial<S3Settings> = {}, idle = 20_000) {
  const bucket = await server.createBucket()
  const proxy = await startHttpProxy({ to: server.endpoint })
  const volume = withCheckedKeys(
    openS3(settingsFor(server, bucket, { endpoint: proxy.endpoint, ...more }), quick, idle),
  )
  return {
    volume,
    proxy,
    bucket,
    leftovers: () => leftovers(server, bucket),
    async [Symbol.asyncDispose]() {
      await volume[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await empty(server, bucket)
    },
  }
}

/** Of what `pattern` gives. */
export async function digestOf(bytes: number) {
  const hash = createHash('sha256')
  for await (const chunk of pattern(bytes)) hash.update(chunk)
  return { bytes, sha256: hash.digest('hex') }
}

export function owned(server: S3Server) {
  const client = s3Client(server)
  return { client, [Symbol.asyncDispose]: async () => client.destroy() }
}

/** Unfinished uploads and claims. */
export async function leftovers(server: S3Server, bucket: string): Promise<string[]> {
  await using owner = owned(server)
  const { Uploads = [] } = await owner.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  const objects = await objectsIn(owner.client, bucket)
  const names = objects.flatMap(({ Key }) =>
    Key && isTemporary(Key.slice(Key.lastIndexOf('/') + 1)) ? [Key] : [],
  )
  return [...Uploads.map(({ Key }) => Key ?? ''), ...names]
}

/** The servers keep everything in memory. */
async function empty(server: S3Server, bucket: string): Promise<void> {
  await using owner = owned(server)
  const objects = await objectsIn(owner.client, bucket)
  const large = objects.filter(({ Size }) => (Size ?? 0) > 100_000)
  await Promise.all(
    large.map(({ Key }) => owner.client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))),
  )
}

async function objectsIn(client: ReturnType<typeof s3Client>, Bucket: string) {
  const pages = await Array.fromAsync(paginateListObjectsV2({ client }, { Bucket }))
  return pages.flatMap(({ Contents = [] }) => Contents)
}

/** The same server by TLS. */
export async function startTlsProxy(to: string, options?: TlsOptions) {
  const certificates = await makeCertificates(options)
  const { hostname, port } = new URL(to)
  let requests = 0
  const { certificate: cert, key } = certificates.server
  const listener = createTlsServer({ cert, key }, (socket) => {
    const upstream = connect(Number(port), hostname)
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
    socket.once('data', () => requests++)
    socket.pipe(upstream).pipe(socket)
  })
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return {
    endpoint: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    certificates,
    /** Connections on which something was asked. */
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      await promisify(listener.close.bind(listener))()
    },
  }
}
