import { chmod, lstat, mkdir, open, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { errorCode } from './errors.ts'

/**
 * Makes the folder and what is missing above it, with the mode, and makes each name durable. `made` learns what was
 * made, outermost first, also if it fails half-way. Never walks through a symbolic link below the root.
 */
export async function makeFolder(
  root: string,
  segments: string[],
  mode: number,
  made: string[],
): Promise<void> {
  const before = made.length
  const outermost = await mkdir(root, { recursive: true, mode })
  if (outermost !== undefined) {
    // Only what we made: the folders between the outermost one and the root, both included.
    for (let folder = root; ; folder = dirname(folder)) {
      made.splice(before, 0, folder)
      await setMode(folder, mode)
      if (folder === outermost || folder === dirname(folder)) break
    }
  }
  let folder = root
  for (const segment of segments) {
    folder = join(folder, segment)
    try {
      await mkdir(folder, { mode })
      made.push(folder)
      await setMode(folder, mode)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
      refuseLink(folder, await lstat(folder))
    }
  }
  for (const folder of made.slice(before)) await syncFolder(dirname(folder))
}

/**
 * The path of the key's file or folder below the root. Throws `volume_refused` if a symbolic link lies on the way:
 * it could lead out of the root.
 */
export async function resolveBelow(root: string, segments: string[]): Promise<string> {
  let path = root
  for (const segment of segments.slice(0, -1)) {
    path = join(path, segment)
    refuseLink(path, await lstat(path))
  }
  return join(path, segments.at(-1) ?? '')
}

/** Removes the folder if it is empty, then the one above it, and so on below the root. Returns what still stands. */
export async function removeEmptyFolders(folder: string, root: string): Promise<string> {
  let standing = folder
  while (standing !== root && standing.startsWith(root)) {
    if (!(await removeIfEmpty(standing))) break
    standing = dirname(standing)
  }
  return standing
}

/** False if the folder is not empty. */
export async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder)
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return true
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EBUSY') return false
    throw error
  }
}

/** Makes the names in a folder durable. Some network file systems know no such thing; there it is not needed. */
export async function syncFolder(folder: string): Promise<void> {
  let handle
  try {
    handle = await open(folder, 'r')
    await handle.sync()
  } catch (error) {
    const code = errorCode(error)
    // EACCES: a folder above the root that we may pass through but not list.
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'ENOENT' && code !== 'EACCES') throw error
  } finally {
    await handle?.close()
  }
}

/** Sets the mode exactly, whatever the umask. File systems without modes (FAT, some shares) keep their own. */
export async function setMode(path: string, mode: number): Promise<void> {
  try {
    await chmod(path, mode)
  } catch (error) {
    const code = errorCode(error)
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EINVAL') throw error
  }
}

function refuseLink(path: string, stats: { isSymbolicLink(): boolean }): void {
  if (!stats.isSymbolicLink()) return
  throw new AppError('volume_refused', `“${path}” is a symbolic link, which could lead out of the volume.`, {
    hint: 'Put a real folder there, or a bind mount; only the volume’s own folder may be a symbolic link.',
  })
}
