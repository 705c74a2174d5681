import { chmod, lstat, mkdir, open, rmdir, stat } from 'node:fs/promises'
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
  // One by one: Node's recursive mkdir never ends where a folder that is there takes no others, as /proc does.
  const missing: string[] = []
  for (let above = root; !(await isFolder(above)); above = dirname(above)) missing.unshift(above)
  for (const folder of missing) await makeOne(folder, mode, made)
  let folder = root
  for (const segment of segments) {
    folder = join(folder, segment)
    if (!(await makeOne(folder, mode, made))) refuseLink(folder, await lstat(folder))
  }
  for (const folder of made.slice(before)) await syncFolder(dirname(folder))
}

/** False if the name is taken. */
async function makeOne(folder: string, mode: number, made: string[]): Promise<boolean> {
  try {
    await mkdir(folder, { mode })
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
  made.push(folder)
  await setMode(folder, mode)
  return true
}

/** False if nothing is there. Throws `volume_refused` if it is something else than a folder, or a link to one. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    const code = errorCode(error)
    // ENOTDIR: something above it is no folder; whoever goes up finds it.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    if (!(await isLink(path))) return false
    throw new AppError('volume_refused', `“${path}” is a symbolic link to nothing.`, {
      hint: 'Is a disk not mounted? Make the folder that the link leads to, or name another place.',
      cause: error,
    })
  }
  throw new AppError('volume_refused', `“${path}” is not a folder.`, {
    hint: 'A volume is a folder. Name another, or one that is not there yet: the first snapshot makes it.',
  })
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw error
  }
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
