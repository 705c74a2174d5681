import { createHash, type Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { AppError } from '../../shared/errors.ts'
import { pause } from '../backoff.ts'
import { untilAborted } from '../bytes.ts'
import { idleLimit } from '../deadline.ts'
import { isTemporary } from '../key.ts'
import type { ByteRange, ObjectInfo } from '../volume.ts'
import { request, type Bucket } from './client.ts'
import { explainS3Error, isRefusal, isWorthRetrying, statusOf, nameOf } from './errors.ts'

/** The metadata of objects that were written in one request, so that reading them can prove them on any server. */
export const SHA256 = 'holdfast-sha256'

const GET = { doing: 'read', permission: 's3:GetObject' }

/**
 * The object's bytes. When the connection breaks, reading goes on where it ended, of the same version of the object;
 * only when several tries in a row bring not one byte does it fail.
 */
export async function* readObject(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
  range?: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  signal.throwIfAborted()
  let position = range?.start ?? 0
  let reply = await get(bucket, key, signal, range && { start: position, end: range.end })
  if (!reply) return
  const { etag, end } = reply
  const proof = range ? undefined : reply.sha256
  const hash: Hash | undefined = proof === undefined ? undefined : createHash('sha256')
  let attempt = 0
  for (;;) {
    try {
      for await (const chunk of chunksOf(reply.body, bucket, signal)) {
        if (position + chunk.length > end) throw tooMany(bucket, key)
        position += chunk.length
        attempt = 0
        hash?.update(chunk)
        yield chunk
      }
      if (position === end) break
      throw cutShort(bucket, key, position, end)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      attempt++
      if (attempt >= bucket.patience.tries || !isWorthRetrying(error))
        throw explainS3Error(error, GET, bucket)
    } finally {
      reply.body.destroy()
    }
    await pause(attempt, bucket.patience, signal)
    reply = await get(bucket, key, signal, { start: position, end: end - 1 }, etag)
    if (!reply) throw cutShort(bucket, key, position, end)
  }
  if (hash && hash.digest('hex') !== proof) {
    throw new AppError(
      'volume_corrupted',
      `${bucket.location} gave other bytes for “${key}” than were stored.`,
    )
  }
}

/** What the volume holds under the key, or undefined. */
export async function statObject(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
): Promise<(ObjectInfo & { metadata: Record<string, string>; isLocked: boolean }) | undefined> {
  return await request(
    bucket,
    { doing: 'look', permission: 's3:GetObject' },
    signal,
    async ({ client, sdk, signal }) => {
      const target = { Bucket: bucket.settings.bucket, Key: bucket.objectName(key) }
      // A reply to HEAD has no body that could say why; the same question by GET is answered with a reason.
      const reasonByGet = async (): Promise<unknown> => {
        const command = new sdk.GetObjectCommand({ ...target, Range: 'bytes=0-0' })
        try {
          const { Body } = await client.send(command, { abortSignal: signal })
          ;(Body as Readable | undefined)?.destroy()
          return undefined
        } catch (error) {
          return error
        }
      }
      try {
        const reply = await client.send(new sdk.HeadObjectCommand(target), { abortSignal: signal })
        return {
          key,
          bytes: reply.ContentLength ?? 0,
          modifiedAt: reply.LastModified ?? new Date(0),
          metadata: reply.Metadata ?? {},
          isLocked: reply.ObjectLockMode !== undefined,
        }
      } catch (error) {
        if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return undefined
        if (!isRefusal(error)) throw error
        const reason = await reasonByGet()
        if (nameOf(reason) === 'NoSuchKey') return undefined // the SDK has meanwhile learnt the right time
        throw isRefusal(reason) ? reason : error
      }
    },
  )
}

export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo, void> {
  for await (const object of listEverything(bucket, prefix, signal)) {
    // Consoles make “folders” by empty objects whose name ends with a slash.
    const name = object.key.slice(object.key.lastIndexOf('/') + 1)
    if (name !== '' && !isTemporary(name)) yield object
  }
}

/** As `listObjects`, with claims and what consoles leave. */
export async function* listEverything(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo, void> {
  signal.throwIfAborted()
  const root = bucket.objectName('')
  let token: string | undefined
  do {
    const continuation = token
    const page = await request(
      bucket,
      { doing: 'list', permission: 's3:ListBucket' },
      signal,
      ({ client, sdk, signal }) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: bucket.settings.bucket,
            Prefix: root + prefix,
            ContinuationToken: continuation,
          }),
          { abortSignal: signal },
        ),
    )
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined) continue
      yield { key: Key.slice(root.length), bytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) }
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined
    if (page.IsTruncated && token === undefined) {
      throw new AppError(
        'volume_corrupted',
        `${bucket.location} cut its listing short without saying where to go on.`,
      )
    }
  } while (token !== undefined)
}

interface Reply {
  body: Readable
  etag: string | undefined
  /** The position behind the last byte that is wanted. */
  end: number
  sha256: string | undefined
}

/** Undefined if the range begins at or past the object's end: then there is not one byte. */
async function get(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
  range: ByteRange | undefined,
  etag?: string,
): Promise<Reply | undefined> {
  return await request(bucket, GET, signal, async ({ client, sdk, signal: attempt }) => {
    try {
      const reply = await client.send(
        new sdk.GetObjectCommand({
          Bucket: bucket.settings.bucket,
          Key: bucket.objectName(key),
          Range: range && `bytes=${range.start}-${range.end ?? ''}`,
          IfMatch: etag,
        }),
        { abortSignal: attempt },
      )
      const start = range?.start ?? 0
      const size = sizeFrom(reply.ContentRange)
      if (reply.ContentLength === undefined || (range && size === undefined)) {
        throw new AppError(
          'volume_refused',
          `${bucket.location} did not answer the request for a range with a range.`,
        )
      }
      return {
        body: reply.Body as Readable,
        etag: reply.ETag,
        end: start + reply.ContentLength,
        sha256: reply.Metadata?.[SHA256],
      }
    } catch (error) {
      if (statusOf(error) === 416) return undefined
      if (statusOf(error) === 412) {
        throw new AppError(
          'volume_corrupted',
          `“${key}” in ${bucket.location} was replaced while it was read.`,
          { cause: error },
        )
      }
      if (nameOf(error) === 'NoSuchKey' || (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket')) {
        throw notFound(bucket, key, error)
      }
      throw error
    }
  })
}

export function notFound(bucket: Bucket, key: string, cause?: unknown): AppError {
  return new AppError('object_not_found', `There is no “${key}” in ${bucket.location}.`, { cause })
}

/** The body's chunks. A server that stays silent while we wait is given up; a reader that takes its time is not. */
async function* chunksOf(body: Readable, bucket: Bucket, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  using limit = idleLimit(bucket.idle, bucket.settings.endpoint ?? bucket.location, signal)
  for await (const chunk of untilAborted<Buffer>(body, limit.signal)) {
    limit.rest()
    yield chunk
    limit.touch()
  }
}

/** `bytes 0-9/100` → 100. */
function sizeFrom(contentRange: string | undefined): number | undefined {
  const size = /\/(\d+)$/.exec(contentRange ?? '')?.[1]
  return size === undefined ? undefined : Number(size)
}

function cutShort(bucket: Bucket, key: string, position: number, end: number): AppError {
  return new AppError(
    'volume_unreachable',
    `${bucket.location} ended “${key}” at byte ${position} of ${end}.`,
  )
}

function tooMany(bucket: Bucket, key: string): AppError {
  return new AppError(
    'volume_corrupted',
    `${bucket.location} gave more bytes of “${key}” than it had announced.`,
  )
}
