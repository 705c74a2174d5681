import { constants } from 'node:fs'
import { lstat, open, opendir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { isTemporary } from '../key.ts'
import type { ByteRange, ObjectInfo } from '../volume.ts'
import { errorCode, explainFileError } from './errors.ts'
import { isFolder, resolveBelow } from './folders.ts'

const CHUNK = 256 * 1024

/** The file's bytes. One chunk is read ahead, so that the disk and the reader work at the same time. */
export async function* readFile(
  root: string,
  key: string,
  signal: AbortSignal,
  range?: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  signal.throwIfAborted()
  const handle = await openObject(root, key)
  let ahead: Promise<Buffer> | undefined
  try {
    const size = (await handle.stat()).size
    const end = Math.min(range?.end === undefined ? size : range.end + 1, size)
    let position = range?.start ?? 0
    const next = () =>
      position < end ? readAt(handle, position, Math.min(CHUNK, end - position)) : undefined
    ahead = next()
    while (ahead) {
      const chunk = await ahead
      if (chunk.length === 0) {
        throw new AppError('volume_corrupted', `“${join(root, key)}” became shorter while it was read.`)
      }
      position += chunk.length
      ahead = next()
      ahead?.catch(() => {}) // awaited in the next round
      signal.throwIfAborted()
      yield chunk
    }
  } catch (error) {
    throw explainFileError(error, 'read', join(root, key))
  } finally {
    await ahead?.catch(() => {}) // the file must not be closed under a read
    await handle.close()
  }
}

export async function statFile(root: string, key: string): Promise<ObjectInfo> {
  try {
    const stats = await lstat(await resolveBelow(root, key.split('/')))
    if (!stats.isFile()) throw notFound(root, key)
    return { key, bytes: stats.size, modifiedAt: stats.mtime }
  } catch (error) {
    throw isMissing(error) ? notFound(root, key, error) : explainFileError(error, 'look at', join(root, key))
  }
}

/**
 * Every file below the root whose key starts with the prefix; none if there is no root yet. Symbolic links are not
 * followed, and not listed.
 */
export async function* listFiles(
  root: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo, void> {
  const above = prefix.split('/').slice(0, -1)
  try {
    if (await isFolder(root)) yield* walk(root, above, prefix, signal)
  } catch (error) {
    throw explainFileError(error, 'list', join(root, ...above))
  }
}

async function* walk(
  root: string,
  segments: string[],
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo, void> {
  let folder
  try {
    folder = await opendir(await resolveBelow(root, [...segments, '']))
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  for await (const entry of folder) {
    signal.throwIfAborted()
    const key = [...segments, entry.name].join('/')
    if (isTemporary(entry.name)) continue
    if (entry.isDirectory()) {
      if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) {
        yield* walk(root, [...segments, entry.name], prefix, signal)
      }
    } else if (entry.isFile() && key.startsWith(prefix)) {
      try {
        const stats = await lstat(join(root, key))
        yield { key, bytes: stats.size, modifiedAt: stats.mtime }
      } catch (error) {
        if (!isMissing(error)) throw error // removed since the folder was read
      }
    }
  }
}

async function openObject(root: string, key: string): Promise<FileHandle> {
  let handle: FileHandle | undefined
  try {
    const path = await resolveBelow(root, key.split('/'))
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!(await handle.stat()).isFile()) throw notFound(root, key)
    return handle
  } catch (error) {
    await handle?.close()
    throw isMissing(error) ? notFound(root, key, error) : explainFileError(error, 'read', join(root, key))
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function notFound(root: string, key: string, cause?: unknown): AppError {
  return new AppError('object_not_found', `There is no “${key}” in ${root}.`, { cause })
}
