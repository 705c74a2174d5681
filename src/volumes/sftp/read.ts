import type { Stats } from 'ssh2'
import { AppError } from '../../shared/errors.ts'
import { pause, type Patience } from '../backoff.ts'
import { isTemporary } from '../key.ts'
import type { ByteRange, ObjectInfo } from '../volume.ts'
import type { Connection } from './connection.ts'
import { status, statusOf } from './errors.ts'
import { below, closeHandle, entriesOf, explained, lookAt, type RemoteRoot } from './files.ts'
import type { Session } from './session.ts'

const REQUEST = 32 * 1024
const UNDER_WAY = 64

/**
 * The file's bytes, with many requests under way. When the connection is lost, reading goes on by a new one, of the
 * same file; only when several tries in a row bring not one byte does it fail.
 */
export async function* readFile(
  connection: Connection,
  root: RemoteRoot,
  key: string,
  patience: Patience,
  signal: AbortSignal,
  range?: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  const path = below(root, key)
  const file = await statFile(connection, root, key, signal)
  const end = Math.min(range?.end === undefined ? file.bytes : range.end + 1, file.bytes)
  let position = range?.start ?? 0
  let attempt = 0
  while (position < end) {
    let session: Session | undefined
    try {
      session = await connection.session(signal)
      if (attempt > 0) mustBeSame(file, await statFile(connection, root, key, signal), root)
      for await (const chunk of readFrom(session, path, root, position, end, signal)) {
        position += chunk.length
        attempt = 0
        yield chunk
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      attempt++
      if (!session?.isLost || attempt >= patience.tries) throw error
      await pause(attempt, patience, signal)
    }
  }
}

export async function statFile(
  connection: Connection,
  root: RemoteRoot,
  key: string,
  signal: AbortSignal,
): Promise<ObjectInfo> {
  const path = below(root, key)
  const stats = await explained('look at', path, root, () =>
    connection.run(signal, (session) => lookAt(session, path, signal)),
  )
  if (!stats?.isFile()) throw notFound(root, key)
  return infoOf(key, stats)
}

/** Every file below the root whose key starts with the prefix. Symbolic links are not followed, and not listed. */
export async function* listFiles(
  connection: Connection,
  root: RemoteRoot,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo, void> {
  const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = folder === '' ? root.path : below(root, folder.slice(0, -1))
    for (const { name, attrs } of await readFolder(connection, path, root, signal)) {
      const key = folder + name
      if (isTemporary(name)) continue
      if (attrs.isDirectory()) {
        if (`${key}/`.startsWith(prefix)) folders.push(`${key}/`)
      } else if (attrs.isFile() && key.startsWith(prefix)) {
        yield infoOf(key, attrs)
      }
    }
  }
}

/** A whole folder at once, so that a listing can be begun again when an idle connection turns out to be gone. */
async function readFolder(connection: Connection, path: string, root: RemoteRoot, signal: AbortSignal) {
  return await explained('list', path, root, () =>
    connection.run(signal, (session) => Array.fromAsync(entriesOf(session, path, signal))),
  )
}

async function* readFrom(
  session: Session,
  path: string,
  root: RemoteRoot,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const handle = await explained('read', path, root, () =>
    session.call<Buffer>(signal, (sftp, answer) => sftp.open(path, 'r', answer)),
  )
  const underWay: Promise<Buffer>[] = []
  try {
    let asked = start
    do {
      while (underWay.length < UNDER_WAY && asked < end) {
        const length = Math.min(REQUEST, end - asked)
        const reply = readPiece(session, handle, path, asked, length, signal)
        reply.catch(() => {}) // awaited below, in order
        underWay.push(reply)
        asked += length
      }
      const next = underWay.shift()
      if (next) yield await next
    } while (underWay.length > 0 || asked < end)
  } catch (error) {
    throw statusOf(error) === undefined
      ? error
      : await explained('read', path, root, () => Promise.reject(error as Error))
  } finally {
    await Promise.allSettled(underWay)
    await closeHandle(session, handle)
  }
}

/** Exactly these bytes. A server may answer with fewer, and is then asked for the rest. */
async function readPiece(
  session: Session,
  handle: Buffer,
  path: string,
  position: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const from = filled
    const count = await session
      .call<number>(signal, (sftp, answer) =>
        sftp.read(handle, bytes, from, length - from, position + from, answer),
      )
      .catch((error: unknown) => {
        if (statusOf(error) === status.endOfFile) return 0
        throw error
      })
    if (count === 0) throw new AppError('volume_corrupted', `“${path}” became shorter while it was read.`)
    filled += count
  }
  return bytes
}

function mustBeSame(before: ObjectInfo, now: ObjectInfo, root: RemoteRoot): void {
  if (before.bytes === now.bytes && before.modifiedAt.getTime() === now.modifiedAt.getTime()) return
  throw new AppError(
    'volume_corrupted',
    `“${before.key}” on ${root.location} was replaced while it was read.`,
  )
}

function infoOf(key: string, stats: Stats): ObjectInfo {
  return { key, bytes: stats.size, modifiedAt: new Date(stats.mtime * 1000) }
}

function notFound(root: RemoteRoot, key: string): AppError {
  return new AppError('object_not_found', `There is no “${key}” on ${root.location}.`)
}
