import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { CompletedPart } from '@aws-sdk/client-s3'
import { AppError } from '../../shared/errors.ts'
import { afterFailure } from '../bytes.ts'
import type { StoredFile } from '../volume.ts'
import { request, type Bucket } from './client.ts'
import { isRefusal } from './errors.ts'
import { SHA256 } from './read.ts'
import { checksumOf, propertiesOf, PUT, sendsChecksums, signPayload } from './write.ts'

const GiB = 1024 ** 3
const PIECE = 256 * 1024
/** Putting many parts together takes some servers minutes in which they say nothing. */
const COMPLETION_IDLE = 10 * 60_000

/** In bytes. */
export interface PutSizes {
  /** What goes in one request. */
  single: number
  part: number
}

/** S3 takes up to 5 GiB in one request. */
export const putSizes: PutSizes = { single: 5 * GiB, part: GiB }

/**
 * Stores a file with no other right than `s3:PutObject`. The server compares what it got with the SHA-256 that the request
 * is signed for and carries; it is not asked afterwards. What does not fit into one request goes in parts.
 */
export async function putFile(
  bucket: Bucket,
  key: string,
  file: StoredFile,
  signal: AbortSignal,
  sizes = putSizes,
): Promise<void> {
  signal.throwIfAborted()
  if (file.bytes > sizes.single) return await putParts(bucket, key, file, signal, sizes)
  const sha256 = Buffer.from(file.sha256, 'hex')
  const reply = await request(bucket, PUT, signal, ({ client, sdk, signal, touch }) =>
    sendRange(file, 0, file.bytes, touch, async (Body) => {
      const command = new sdk.PutObjectCommand({
        ...targetOf(bucket, key),
        ...propertiesOf(bucket),
        Body,
        ContentLength: file.bytes,
        Metadata: { [SHA256]: file.sha256 },
        ...checksumOf(bucket, sha256),
      })
      signPayload(command, sha256)
      return await client.send(command, { abortSignal: signal })
    }),
  )
  checkReply(bucket, key, sha256, reply.ChecksumSHA256)
}

/** One part after the other. Beginning, parts and end need the right to put, and no other. */
async function putParts(
  bucket: Bucket,
  key: string,
  file: StoredFile,
  signal: AbortSignal,
  sizes: PutSizes,
): Promise<void> {
  const target = targetOf(bucket, key)
  const { UploadId } = await request(bucket, PUT, signal, ({ client, sdk, signal }) =>
    client.send(
      new sdk.CreateMultipartUploadCommand({
        ...target,
        ...propertiesOf(bucket),
        Metadata: { [SHA256]: file.sha256 },
        ...(sendsChecksums(bucket) ? { ChecksumAlgorithm: 'SHA256' as const } : {}),
      }),
      { abortSignal: signal },
    ),
  )
  if (UploadId === undefined) {
    throw new AppError('volume_refused', `${bucket.location} began no upload for “${key}”.`)
  }
  const size = Math.max(sizes.part, Math.ceil(file.bytes / bucket.settings.maxParts))
  try {
    const Parts: CompletedPart[] = []
    for (let start = 0; start < file.bytes; start += size) {
      const bytes = Math.min(size, file.bytes - start)
      Parts.push(
        await putPart(
          bucket,
          { ...target, UploadId, PartNumber: Parts.length + 1 },
          file,
          start,
          bytes,
          signal,
        ),
      )
    }
    await request(
      bucket,
      PUT,
      signal,
      ({ client, sdk, signal }) =>
        client.send(
          new sdk.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }),
          { abortSignal: signal },
        ),
      COMPLETION_IDLE,
    )
  } catch (error) {
    throw await afterFailure(error, () => abortIfAllowed(bucket, { ...target, UploadId }))
  }
}

async function putPart(
  bucket: Bucket,
  part: { Bucket: string; Key: string; UploadId: string; PartNumber: number },
  file: StoredFile,
  start: number,
  bytes: number,
  signal: AbortSignal,
): Promise<CompletedPart> {
  const hash = createHash('sha256')
  for await (const piece of rangeOf(file, start, bytes)) hash.update(piece)
  const sha256 = hash.digest()
  const reply = await request(bucket, PUT, signal, ({ client, sdk, signal, touch }) =>
    sendRange(file, start, bytes, touch, async (Body) => {
      const command = new sdk.UploadPartCommand({
        ...part,
        Body,
        ContentLength: bytes,
        ...checksumOf(bucket, sha256),
      })
      signPayload(command, sha256)
      return await client.send(command, { abortSignal: signal })
    }),
  )
  checkReply(bucket, part.Key, sha256, reply.ChecksumSHA256)
  return {
    PartNumber: part.PartNumber,
    ETag: reply.ETag,
    ...(reply.ChecksumSHA256 === undefined ? {} : { ChecksumSHA256: reply.ChecksumSHA256 }),
  }
}

/** Who may not abort leaves the parts to the rule of the bucket that ends unfinished uploads. */
async function abortIfAllowed(
  bucket: Bucket,
  upload: { Bucket: string; Key: string; UploadId: string },
): Promise<void> {
  const action = { doing: 'abort an upload', permission: 's3:AbortMultipartUpload' }
  const late = AbortSignal.timeout(60_000)
  await request(bucket, action, late, async ({ client, sdk, signal }) => {
    try {
      await client.send(new sdk.AbortMultipartUploadCommand(upload), { abortSignal: signal })
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  })
}

function targetOf(bucket: Bucket, key: string): { Bucket: string; Key: string } {
  return { Bucket: bucket.settings.bucket, Key: bucket.objectName(key) }
}

/** Each piece is a sign of life. The file is read anew for each try. */
async function sendRange<T>(
  file: StoredFile,
  start: number,
  bytes: number,
  touch: () => void,
  send: (body: Readable) => Promise<T>,
): Promise<T> {
  const touching = async function* () {
    for await (const piece of rangeOf(file, start, bytes)) {
      touch()
      yield piece
    }
  }
  const body = Readable.from(touching(), { objectMode: false, highWaterMark: PIECE })
  body.on('error', () => {}) // destroyed below while the request still holds it
  try {
    return await send(body)
  } finally {
    body.destroy()
  }
}

function rangeOf({ path }: StoredFile, start: number, bytes: number): AsyncIterable<Buffer> {
  const end = start + bytes - 1
  return bytes === 0 ? Readable.from([]) : createReadStream(path, { start, end, highWaterMark: PIECE })
}

function checkReply(bucket: Bucket, key: string, sha256: Buffer, confirmed: string | undefined): void {
  if (confirmed === undefined || confirmed === sha256.toString('base64')) return
  throw new AppError('volume_corrupted', `${bucket.location} confirmed other bytes than those of “${key}”.`)
}
