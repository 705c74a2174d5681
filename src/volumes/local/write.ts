import { constants } from 'node:fs'
import { link, lstat, mkdir, open, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { afterFailure, headBytes, untilAborted } from '../bytes.ts'
import { claimName, temporaryName } from '../key.ts'
import type { ObjectSource, WriteOptions } from '../volume.ts'
import { errorCode, explainFileError } from './errors.ts'
import { makeFolder, removeIfEmpty, setMode, syncFolder } from './folders.ts'

/** Gathered before it goes to the disk: compressors hand out pieces of 16 KiB, and each write costs a round trip. */
const GATHERED = 512 * 1024

/** Written so far, the disk is asked to keep: what is left for the end then takes little, and the system's memory too. */
const SYNC_EVERY = 32 * 1_048_576

export interface FileModes {
  file: number
  directory: number
}

/**
 * Writes the file under a temporary name beside it; then fsync, size check, rename, fsync of the folder. Whatever
 * fails before the rename leaves the volume as it was, folders included.
 */
export async function writeFile(
  root: string,
  key: string,
  source: ObjectSource,
  modes: FileModes,
  signal: AbortSignal,
  options: WriteOptions = {},
): Promise<void> {
  signal.throwIfAborted()
  const path = join(root, key)
  const on = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw explainFileError(error, 'write', path)
    }
  }
  const made: string[] = []
  let temporary: string | undefined
  let handle: FileHandle | undefined
  try {
    ;({ handle, temporary } = await on(openTemporary(root, key, modes, made)))
    await on(setMode(temporary, modes.file))
    const bytes = await fill(handle, source, signal, on)
    await on(handle.sync())
    const stored = (await on(handle.stat())).size
    if (stored !== bytes) {
      throw new AppError('volume_corrupted', `“${path}” holds ${stored} bytes, but ${bytes} were written.`)
    }
    await on(handle.close())
    handle = undefined
    signal.throwIfAborted()
    await on(options.ifAbsent ? publishIfAbsent(temporary, path) : rename(temporary, path))
  } catch (error) {
    throw await afterFailure(error, async () => {
      await handle?.close()
      if (temporary !== undefined) await unlinkIfThere(temporary)
      for (const folder of made.reverse()) await removeIfEmpty(folder)
    })
  }
  await on(syncFolder(dirname(path)))
}

/**
 * Gives the file its name unless that name is taken: `object_exists`. A hard link is decided by the file system;
 * where there are none (FAT, some shares), Holdfast's own writers keep each other out by a folder.
 */
export async function publishIfAbsent(temporary: string, path: string, makeLink = link): Promise<void> {
  try {
    await makeLink(temporary, path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') throw exists(path, error)
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(code ?? '')) throw error
    await renameIfAbsent(temporary, path)
    return
  }
  await unlink(temporary)
}

async function renameIfAbsent(temporary: string, path: string): Promise<void> {
  const claim = join(dirname(path), claimName(basename(path)))
  try {
    await mkdir(claim)
  } catch (error) {
    throw errorCode(error) === 'EEXIST' ? exists(path, error) : error
  }
  try {
    if (await isThere(path)) throw exists(path)
    await rename(temporary, path)
  } finally {
    await rmdir(claim)
  }
}

/** Opens a new file in the key's folder; `made` learns which folders had to be made, also if it fails. */
async function openTemporary(root: string, key: string, modes: FileModes, made: string[]) {
  const segments = key.split('/')
  const name = segments.pop() ?? ''
  for (let attempt = 1; ; attempt++) {
    try {
      await makeFolder(root, segments, modes.directory, made)
      const temporary = join(root, ...segments, temporaryName(name))
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      return { handle: await open(temporary, flags, modes.file), temporary }
    } catch (error) {
      // A remove of the folder's last object takes the folder away just when we have found it.
      if (errorCode(error) !== 'ENOENT' || attempt === 10) throw error
    }
  }
}

/**
 * Writes body and head and returns how many bytes that were. One piece is on its way while the next is gathered, and the
 * disk takes what was written before. An error of the disk is told by the system once only, so each is thrown.
 */
async function fill(
  handle: FileHandle,
  source: ObjectSource,
  signal: AbortSignal,
  on: <T>(work: Promise<T>) => Promise<T>,
): Promise<number> {
  let position = source.head?.length ?? 0
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> = Promise.resolve()
  let unsynced = 0
  const flush = async () => {
    await writing
    if (unsynced >= SYNC_EVERY) {
      await syncing
      syncing = on(handle.datasync())
      syncing.catch(() => {}) // awaited above, or below
      unsynced = 0
    }
    unsynced += gatheredBytes
    writing = on(writeAll(handle, gathered, position))
    writing.catch(() => {}) // awaited above, or below
    position += gatheredBytes
    gathered = []
    gatheredBytes = 0
  }
  try {
    for await (const chunk of untilAborted(source.body, signal)) {
      gathered.push(chunk)
      gatheredBytes += chunk.length
      if (gatheredBytes >= GATHERED) await flush()
    }
    await flush()
  } finally {
    // The file must not be closed under a write; failures are thrown by flush or below.
    await Promise.allSettled([writing, syncing])
  }
  await writing
  await syncing
  if (source.head) await on(writeAll(handle, [headBytes(source.head)], 0))
  return position
}

async function writeAll(handle: FileHandle, chunks: Uint8Array[], position: number): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.length > 0)
  let at = position
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest, at)
    at += bytesWritten
    rest = rest.flatMap((chunk) => {
      const done = Math.min(bytesWritten, chunk.length)
      bytesWritten -= done
      return done === chunk.length ? [] : [chunk.subarray(done)]
    })
  }
}

/** Succeeds if it is already gone, or is a folder: then there is no such file. */
export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return
    if (code === 'EPERM' && (await lstat(path)).isDirectory()) return // what unlink says of a folder outside Linux
    throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

function exists(path: string, cause?: unknown): AppError {
  return new AppError('object_exists', `“${path}” exists already, and was not to be replaced.`, { cause })
}
