import { createHash, randomUUID, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CompletedPart, CreateMultipartUploadCommandInput } from '@aws-sdk/client-s3'
import { AppError } from '../../shared/errors.ts'
import { afterFailure, headBytes, untilAborted } from '../bytes.ts'
import type { ObjectSource, WriteOptions } from '../volume.ts'
import { claim, release } from './claim.ts'
import { request, type Attempt, type Bucket } from './client.ts'
import { isRefusal, nameOf, statusOf } from './errors.ts'
import { PartMemory } from './parts.ts'
import { SHA256, statObject } from './read.ts'
import { abortUpload, abortUploads } from './uploads.ts'

export const PUT = { doing: 'write', permission: 's3:PutObject' }
/** In pieces, because TLS encrypts a copy of whatever it is given at once. */
const PIECE = 256 * 1024
/** Putting thousands of parts together takes some servers minutes in which they say nothing. */
const COMPLETION_IDLE = 10 * 60_000
/** Names the write that made an object, so that a lost reply can be told from another's success. */
const MARK = 'holdfast-write'
/** One part of the object, in memory until the server has it. */
interface Part {
  number: number
  memory: Buffer
  bytes: Buffer
  hash: Hash
  isLast: boolean
}

/**
 * Stores the object in one request, or in parts if it does not fit into the first one. Parts become an object only by
 * the last request, which is sent when the source has ended; any failure before aborts the upload.
 */
export async function writeObject(
  bucket: Bucket,
  key: string,
  source: ObjectSource,
  signal: AbortSignal,
  options: WriteOptions = {},
): Promise<void> {
  signal.throwIfAborted()
  if (options.ifAbsent) await mustBeAbsent(bucket, key, signal)
  const failed = new AbortController()
  const write = new ObjectWrite(bucket, key, options, AbortSignal.any([signal, failed.signal]), failed)
  try {
    await write.send(source)
  } catch (error) {
    // A part's failure ends the source by the signal, which then only repeats what the part said.
    const failure = signal.aborted ? signal.reason : failed.signal.aborted ? failed.signal.reason : error
    failed.abort(failure)
    throw await afterFailure(failure, () => write.abort())
  }
}

/** What the volume holds under the key. */
interface Published {
  bytes: number
  isLocked: boolean
  isOurs: boolean
  /** The server keeps no metadata. */
  isUnmarked: boolean
}

class ObjectWrite {
  readonly #bucket: Bucket
  readonly #key: string
  readonly #ifAbsent: boolean
  readonly #signal: AbortSignal
  readonly #failed: AbortController
  readonly #mark = randomUUID()
  readonly #memory: PartMemory
  readonly #inFlight = new Set<Promise<void>>()
  readonly #stored: CompletedPart[] = []
  #uploadId: string | undefined
  #creationIsUncertain = false
  #isClaimed = false

  constructor(
    bucket: Bucket,
    key: string,
    options: WriteOptions,
    signal: AbortSignal,
    failed: AbortController,
  ) {
    this.#bucket = bucket
    this.#key = key
    this.#ifAbsent = options.ifAbsent === true
    this.#signal = signal
    this.#failed = failed
    this.#memory = new PartMemory(bucket.settings.concurrency)
  }

  async send(source: ObjectSource): Promise<void> {
    let bytes = 0
    let first: Part | undefined
    for await (const part of this.#parts(source)) {
      bytes += part.bytes.length
      if (part.number === 1) {
        first = part
        if (!part.isLast) await this.#create()
      }
      const waits = part.number === 1 && (part.isLast || source.head !== undefined)
      if (!waits) this.#start(part)
    }
    if (!first) throw new AppError('internal', 'An upload had no first part.')
    if (source.head) {
      first.bytes.set(headBytes(source.head))
      first.hash.update(first.bytes)
    }
    this.#signal.throwIfAborted()
    if (first.isLast) {
      await this.#put(first)
    } else {
      if (source.head) this.#start(first)
      await Promise.all(this.#inFlight)
      this.#signal.throwIfAborted() // one of them failed
      await this.#complete()
    }
    await this.#confirm(bytes)
  }

  /** Removes what was uploaded so far. Has its own time: it is wanted also when the signal has aborted. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#inFlight)
    const signal = AbortSignal.timeout(60_000)
    if (this.#uploadId !== undefined) await abortUpload(this.#bucket, this.#key, this.#uploadId, signal)
    else if (this.#creationIsUncertain) await this.#abortUncertain(signal)
    if (this.#isClaimed) await release(this.#bucket, this.#key, signal)
  }

  /** The request to begin may still be on its way when nobody waits for its answer any more. */
  async #abortUncertain(signal: AbortSignal): Promise<void> {
    for (let look = 1; look <= 3; look++) {
      if ((await abortUploads(this.#bucket, this.#key, signal)) > 0) return
      if (look < 3) await sleep(700)
    }
  }

  /** Cuts the source into parts. The first one begins with room for the head, and there is always a first one. */
  async *#parts(source: ObjectSource): AsyncGenerator<Part, void> {
    let number = 1
    const room = async (filled: number) => {
      const size = this.#bucket.partSize(number, this.#bucket.settings.maxParts)
      // The part that waits for its head does not count: with one part in flight nothing else could move.
      const held = number === 1 && source.head !== undefined
      const memory = held ? Buffer.allocUnsafeSlow(size) : await this.#memory.take(size, this.#signal)
      return { memory, size, filled, hash: createHash('sha256'), held }
    }
    let part = await room(source.head?.length ?? 0)
    const cut = (isLast: boolean): Part => ({
      number,
      memory: part.memory,
      bytes: part.memory.subarray(0, part.filled),
      hash: part.hash,
      isLast,
    })
    for await (const chunk of untilAborted(source.body, this.#signal)) {
      let taken = 0
      while (taken < chunk.length) {
        if (part.filled === part.size) {
          yield cut(false)
          if (number === this.#bucket.settings.maxParts) throw tooLarge(this.#bucket, this.#key)
          number++
          part = await room(0)
        }
        const piece = chunk.subarray(taken, taken + part.size - part.filled)
        part.memory.set(piece, part.filled)
        if (!part.held) part.hash.update(piece)
        part.filled += piece.length
        taken += piece.length
      }
    }
    yield cut(true)
  }

  /** Sends the part in the background. A part that cannot be sent ends the whole write. */
  #start(part: Part): void {
    const sent = this.#sendPart(part)
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => {
        this.#inFlight.delete(sent)
        this.#memory.give(part.memory)
      })
    this.#inFlight.add(sent)
  }

  async #sendPart(part: Part): Promise<void> {
    const sha256 = part.hash.digest()
    const reply = await request(this.#bucket, PUT, this.#signal, ({ client, sdk, signal, touch }) =>
      sendBody(part.bytes, touch, async (Body) => {
        const command = new sdk.UploadPartCommand({
          ...this.#target(),
          UploadId: this.#uploadId,
          PartNumber: part.number,
          Body,
          ContentLength: part.bytes.length,
          ...this.#checksum(sha256),
        })
        signPayload(command, sha256)
        return await client.send(command, { abortSignal: signal })
      }),
    )
    const checksum = sha256.toString('base64')
    if (
      reply.ETag === undefined ||
      (reply.ChecksumSHA256 !== undefined && reply.ChecksumSHA256 !== checksum)
    ) {
      throw new AppError(
        'volume_corrupted',
        `${this.#bucket.location} confirmed other bytes than part ${part.number} of “${this.#key}”.`,
      )
    }
    this.#stored.push({
      PartNumber: part.number,
      ETag: reply.ETag,
      ...(reply.ChecksumSHA256 === undefined ? {} : { ChecksumSHA256: checksum }),
    })
  }

  async #create(): Promise<void> {
    const reply = await request(this.#bucket, PUT, this.#signal, async ({ client, sdk, signal }) => {
      const command = new sdk.CreateMultipartUploadCommand({
        ...this.#target(),
        ...this.#properties(),
        Metadata: { [MARK]: this.#mark },
        ...(this.#sendsChecksums() ? { ChecksumAlgorithm: 'SHA256' as const } : {}),
      })
      try {
        return await client.send(command, { abortSignal: signal })
      } catch (error) {
        this.#creationIsUncertain ||= !isRefusal(error)
        throw error
      }
    })
    if (reply.UploadId === undefined) {
      throw new AppError('volume_refused', `${this.#bucket.location} began no upload for “${this.#key}”.`)
    }
    this.#uploadId = reply.UploadId
    if (!this.#creationIsUncertain) return
    await abortUploads(this.#bucket, this.#key, this.#signal, reply.UploadId)
    this.#creationIsUncertain = false
  }

  async #complete(): Promise<void> {
    if (!this.#ifAbsent) return await this.#assemble()
    if (!(await claim(this.#bucket, this.#key, this.#mark, this.#signal)))
      throw exists(this.#bucket, this.#key)
    this.#isClaimed = true
    await mustBeAbsent(this.#bucket, this.#key, this.#signal)
    await this.#assemble()
    await release(this.#bucket, this.#key, this.#signal)
    this.#isClaimed = false
  }

  async #assemble(): Promise<void> {
    const parts = this.#stored.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
    await this.#publish(async ({ client, sdk, signal }, condition) => {
      const command = new sdk.CompleteMultipartUploadCommand({
        ...this.#target(),
        UploadId: this.#uploadId,
        MultipartUpload: { Parts: parts },
        ...condition,
      })
      await client.send(command, { abortSignal: signal })
    }, COMPLETION_IDLE)
  }

  async #put({ bytes, hash }: Part): Promise<void> {
    const sha256 = hash.digest()
    await this.#publish(({ client, sdk, signal, touch }, condition) =>
      sendBody(bytes, touch, async (Body) => {
        const command = new sdk.PutObjectCommand({
          ...this.#target(),
          ...this.#properties(),
          Body,
          ContentLength: bytes.length,
          Metadata: { [MARK]: this.#mark, [SHA256]: sha256.toString('hex') },
          ...this.#checksum(sha256),
          ...condition,
        })
        signPayload(command, sha256)
        await client.send(command, { abortSignal: signal })
      }),
    )
  }

  /**
   * Sends the request that makes the object appear. A try whose reply was lost may have made it appear: what a
   * later try meets is then judged by the mark on the object that is there.
   */
  async #publish(
    send: (attempt: Attempt, condition: { IfNoneMatch?: string }) => Promise<void>,
    idle?: number,
  ): Promise<void> {
    let condition: { IfNoneMatch?: string } = this.#ifAbsent ? { IfNoneMatch: '*' } : {}
    const publish = async (attempt: Attempt) => {
      try {
        await send(attempt, condition)
      } catch (error) {
        const status = statusOf(error)
        if (condition.IfNoneMatch && status === 501) {
          // The server knows no such condition; that there was no object was asked just before.
          condition = {}
          await send(attempt, condition)
          return
        }
        const isTaken = status === 412 || nameOf(error) === 'ConditionalRequestConflict'
        const isGone = nameOf(error) === 'NoSuchUpload'
        if (!isTaken && !isGone) throw error
        const published = await this.#published()
        if (published?.isOurs) return
        if (isTaken && published) throw exists(this.#bucket, this.#key, error)
        throw error
      }
    }
    await request(this.#bucket, PUT, this.#signal, publish, idle)
    this.#uploadId = undefined
  }

  /** Asks the volume what it holds now. An object of another, later write is that write's affair. */
  async #confirm(bytes: number): Promise<void> {
    const published = await this.#published()
    if (!published) {
      throw new AppError(
        'volume_corrupted',
        `${this.#bucket.location} took “${this.#key}”, but has no such object.`,
      )
    }
    if (this.#ifAbsent && !published.isOurs && !published.isUnmarked) throw exists(this.#bucket, this.#key)
    if ((published.isOurs || published.isUnmarked) && published.bytes !== bytes) {
      throw new AppError(
        'volume_corrupted',
        `${this.#bucket.location} holds ${published.bytes} bytes as “${this.#key}”, but ${bytes} were written.`,
      )
    }
    const { objectLockMode } = this.#bucket.settings
    if (objectLockMode && published.isOurs && !published.isLocked) await this.#lock()
  }

  /** Ceph 18 overlooks the lock that an upload in parts is begun with. */
  async #lock(): Promise<void> {
    const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate } = this.#properties()
    const action = { doing: 'lock an object', permission: 's3:PutObjectRetention' }
    await request(this.#bucket, action, this.#signal, ({ client, sdk, signal }) =>
      client.send(
        new sdk.PutObjectRetentionCommand({ ...this.#target(), Retention: { Mode, RetainUntilDate } }),
        { abortSignal: signal },
      ),
    )
  }

  async #published(): Promise<Published | undefined> {
    const object = await statObject(this.#bucket, this.#key, this.#signal)
    if (!object) return undefined
    const mark = object.metadata[MARK]
    return { ...object, isOurs: mark === this.#mark, isUnmarked: mark === undefined }
  }

  #target(): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket.settings.bucket, Key: this.#bucket.objectName(this.#key) }
  }

  #properties(): Partial<CreateMultipartUploadCommandInput> {
    return propertiesOf(this.#bucket)
  }

  #sendsChecksums(): boolean {
    return sendsChecksums(this.#bucket)
  }

  #checksum(sha256: Buffer): { ChecksumSHA256?: string } {
    return checksumOf(this.#bucket, sha256)
  }
}

/** What every new object gets, as the settings say. */
export function propertiesOf({ settings }: Bucket): Partial<CreateMultipartUploadCommandInput> {
  const { storageClass, encryption, kmsKeyId, objectLockMode, objectLockDays } = settings
  return {
    ...(storageClass
      ? { StorageClass: storageClass as CreateMultipartUploadCommandInput['StorageClass'] }
      : {}),
    ...(encryption === 'none' ? {} : { ServerSideEncryption: encryption, SSEKMSKeyId: kmsKeyId }),
    ...(objectLockMode && objectLockDays
      ? {
          ObjectLockMode: objectLockMode,
          ObjectLockRetainUntilDate: new Date(Date.now() + objectLockDays * 86_400_000),
        }
      : {}),
  }
}

export function sendsChecksums({ settings }: Bucket): boolean {
  // A lock is only accepted together with a checksum.
  const { requestChecksums, objectLockMode } = settings
  return requestChecksums === 'always' || objectLockMode !== undefined
}

export function checksumOf(bucket: Bucket, sha256: Buffer): { ChecksumSHA256?: string } {
  return sendsChecksums(bucket) ? { ChecksumSHA256: sha256.toString('base64') } : {}
}

async function mustBeAbsent(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  if (await statObject(bucket, key, signal)) throw exists(bucket, key)
}

/** Hands the bytes to the request piece by piece, each a sign of life, and lets go of them when it is over. */
async function sendBody<T>(
  bytes: Buffer,
  touch: () => void,
  send: (body: Readable) => Promise<T>,
): Promise<T> {
  const body = Readable.from(pieces(bytes, touch), { objectMode: false, highWaterMark: PIECE })
  body.on('error', () => {}) // destroyed below while the request still holds it
  try {
    return await send(body)
  } finally {
    body.destroy()
  }
}

function* pieces(bytes: Buffer, touch: () => void): Generator<Buffer, void> {
  for (let start = 0; start < bytes.length; start += PIECE) {
    touch()
    yield bytes.subarray(start, start + PIECE)
  }
}

/**
 * Signs what the body must be, so that any server notices a damaged body. The SDK signs no stream's contents by
 * itself, and would hash a buffer's a second time.
 */
export function signPayload(
  command: { middlewareStack: { add(middleware: never, options: { step: 'build'; name: string }): void } },
  sha256: Buffer,
): void {
  type Next = (args: { request: unknown }) => Promise<unknown>
  const middleware = (next: Next) => (args: { request: unknown }) => {
    const { headers } = args.request as { headers: Record<string, string> }
    headers['x-amz-content-sha256'] = sha256.toString('hex')
    return next(args)
  }
  command.middlewareStack.add(middleware as never, { step: 'build', name: 'signPayload' })
}

function exists(bucket: Bucket, key: string, cause?: unknown): AppError {
  return new AppError(
    'object_exists',
    `“${key}” exists already in ${bucket.location}, and was not to be replaced.`,
    { cause },
  )
}

function tooLarge(bucket: Bucket, key: string): AppError {
  return new AppError('volume_full', `“${key}” is larger than ${bucket.settings.maxParts} parts can hold.`, {
    hint: 'If your provider allows 10 000 parts, set max-parts=10000.',
  })
}
