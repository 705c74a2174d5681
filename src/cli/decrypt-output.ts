import { constants, open as openWithCallback, type Stats } from 'node:fs'
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { basename, dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { AppError, messageOf } from '../shared/errors.ts'

export interface Output {
  /**
   * Writes all of the bytes and returns how many there were. A file appears under its name only when the last byte is
   * on the disk; a pipe or a device gets them as they come.
   */
  write(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number>
}

const openDescriptor = promisify(openWithCallback)
const LOOK_FOR_READER = 100
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/**
 * Finds out what the path leads to. Throws `object_exists` for anything that would lose what it has, unless `force` is
 * set, and `invalid_input` for a directory, or for a file in a folder that does not exist.
 */
export async function findOutput(path: string, force: boolean): Promise<Output> {
  const there = await statOf(path)
  if (there?.isDirectory()) {
    throw new AppError('invalid_input', `${path} is a directory.`, { hint: 'Add the name of a file in it.' })
  }
  if (there && !there.isFIFO() && !force) {
    throw new AppError('object_exists', `${path} exists already.`, {
      hint: 'Name another with -o, or use --force.',
    })
  }
  if (there?.isFIFO()) return { write: (bytes, signal) => writePipe(path, bytes, signal) }
  if (there && !there.isFile()) return { write: (bytes, signal) => writeDevice(path, there, bytes, signal) }
  const place = await followLinks(path).catch((error: unknown) => {
    throw cannotOpen(path, error)
  })
  return { write: (bytes, signal) => writeWhole(place, bytes, signal) }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cannotOpen(path, error)
  }
}

/** Where the path leads, also if nothing is there yet. It is known not to lead in circles. */
async function followLinks(path: string): Promise<string> {
  const folder = await realpath(dirname(`${path}_`)) // of `new/` the folder is `new`
  const place = join(folder, basename(path))
  const link = await readlink(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EINVAL' || error.code === 'ENOENT') return undefined // no link, or nothing at all
    throw error
  })
  return link === undefined ? place : await followLinks(resolve(folder, link))
}

/** The file appears under its name only when its last byte is on the disk. */
async function writeWhole(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const temporary = `${path}.${process.pid}.part`
  const file = await open(temporary, 'wx', 0o600).catch((error: unknown) => {
    throw cannotOpen(path, error)
  })
  try {
    const written = await writeAll(path, file.createWriteStream({ flush: true }), bytes, signal)
    await rename(temporary, path)
    return written
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function writeDevice(
  path: string,
  device: Stats,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  // Neither created nor truncated: should the device be gone, no file shall take its place.
  const file = await open(path, constants.O_WRONLY).catch((error: unknown) => {
    throw cannotOpen(path, error)
  })
  return await writeAll(path, file.createWriteStream({ flush: device.isBlockDevice() }), bytes, signal)
}

async function writePipe(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  const fd = await openPipe(path, signal)
  // A socket, because the writes of a file would block a thread that no signal reaches.
  return await writeAll(path, new Socket({ fd, readable: false, writable: true }), bytes, signal)
}

/** Waits until somebody reads, but never in a call that blocks: that could not be interrupted. */
async function openPipe(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      return await openDescriptor(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      const isUnread = (error as NodeJS.ErrnoException).code === 'ENXIO'
      if (!isUnread) throw cannotOpen(path, error)
    }
    await sleep(LOOK_FOR_READER, undefined, { signal })
  }
}

async function writeAll(
  path: string,
  target: Writable & { readonly bytesWritten: number },
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  try {
    await pipeline(bytes, target, { signal })
    return target.bytesWritten
  } catch (error) {
    if (!NO_ROOM.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new AppError('disk_too_small', `${path} has no room for all of it: ${messageOf(error)}.`, {
      hint: 'Name another place with -o, or - for standard output.',
      cause: error,
    })
  }
}

function cannotOpen(path: string, error: unknown): AppError {
  const isWithoutFolder = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return new AppError('invalid_input', `${path} cannot be written: ${messageOf(error)}.`, {
    hint: isWithoutFolder
      ? `Make the folder ${dirname(`${path}_`)} first, or name another place with -o.`
      : 'Name another place with -o, or - for standard output.',
    cause: error,
  })
}
