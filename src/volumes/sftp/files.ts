import type { Stats } from 'ssh2'
import { explainSftpError, status, statusOf } from './errors.ts'
import type { Session } from './session.ts'

/** The folder of the volume on the server, and how it is named in sentences. */
export interface RemoteRoot {
  /** Absolute, or relative to where a login begins. Without a slash at the end. */
  path: string
  /** `sftp://user@host:22/path` */
  location: string
}

export const FILE_MODE = 0o640
const DIRECTORY_MODE = 0o750

export function below(root: RemoteRoot, key: string): string {
  return root.path === '/' ? `/${key}` : `${root.path}/${key}`
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : slash === 0 ? '/' : path.slice(0, slash)
}

/** What is at the path; a symbolic link is not followed. Undefined if there is nothing. */
export async function lookAt(
  session: Session,
  path: string,
  signal: AbortSignal,
): Promise<Stats | undefined> {
  try {
    return await session.call<Stats>(signal, (sftp, answer) => sftp.lstat(path, answer))
  } catch (error) {
    if (statusOf(error) === status.noSuchFile) return undefined
    throw error
  }
}

/** Makes the folder and what is missing above it. `made` learns what was made, outermost first. */
export async function makeFolders(
  session: Session,
  path: string,
  signal: AbortSignal,
  made: string[],
): Promise<void> {
  try {
    await session.call(signal, (sftp, answer) => sftp.mkdir(path, { mode: DIRECTORY_MODE }, answer))
    made.push(path)
  } catch (error) {
    // SFTP has no word for “exists already”; and some servers say “failure” when the folder above is missing, too.
    if (statusOf(error) !== status.noSuchFile && statusOf(error) !== status.failure) throw error
    const there = await session
      .call<Stats>(signal, (sftp, answer) => sftp.stat(path, answer))
      .catch((missing: unknown) => {
        if (statusOf(missing) === undefined) throw missing
        return undefined
      })
    if (there?.isDirectory()) return
    const parent = parentOf(path)
    if (there || parent === path || parent === '.') throw error
    await makeFolders(session, parent, signal, made)
    await makeFolders(session, path, signal, made)
  }
}

/** Succeeds if it is already gone. */
export async function removeFile(session: Session, path: string, signal: AbortSignal): Promise<void> {
  try {
    await session.call(signal, (sftp, answer) => sftp.unlink(path, answer))
  } catch (error) {
    if (statusOf(error) === status.noSuchFile) return
    if (statusOf(error) === status.failure && (await lookAt(session, path, signal))?.isDirectory()) return
    throw error
  }
}

/** False if the folder is not empty, or not ours to remove: SFTP does not tell which. */
export async function removeIfEmpty(session: Session, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await session.call(signal, (sftp, answer) => sftp.rmdir(path, answer))
    return true
  } catch (error) {
    const code = statusOf(error)
    if (code === status.noSuchFile) return true
    if (code === status.failure || code === status.permissionDenied) return false
    throw error
  }
}

/** Removes the folder if it is empty, then the one above it, and so on below the root. */
export async function removeEmptyFolders(
  session: Session,
  folder: string,
  root: RemoteRoot,
  signal: AbortSignal,
): Promise<void> {
  for (let path = folder; path !== root.path && path.length > root.path.length; path = parentOf(path)) {
    if (!(await removeIfEmpty(session, path, signal))) return
  }
}

export interface RemoteEntry {
  name: string
  attrs: Stats
}

/** What is in the folder, as it comes; nothing if there is no such folder. */
export async function* entriesOf(
  session: Session,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<RemoteEntry, void> {
  let handle: Buffer
  try {
    handle = await session.call<Buffer>(signal, (sftp, answer) => sftp.opendir(path, answer))
  } catch (error) {
    if (statusOf(error) === status.noSuchFile) return
    throw error
  }
  try {
    for (;;) {
      const page = await readPage(session, handle, signal)
      if (!page) return
      for (const { filename, attrs } of page) {
        if (filename !== '.' && filename !== '..') yield { name: filename, attrs: attrs as Stats }
      }
    }
  } finally {
    await closeHandle(session, handle)
  }
}

/** Closes the handle also when the work was cancelled. A connection that is gone has taken its handles with it. */
export async function closeHandle(session: Session, handle: Buffer): Promise<void> {
  if (session.isLost) return
  await session.call(AbortSignal.timeout(30_000), (sftp, answer) => sftp.close(handle, answer))
}

/** The work's result; a server's refusal is explained on the way. */
export async function explained<T>(
  doing: string,
  path: string,
  root: RemoteRoot,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explainSftpError(error, doing, path, root.location)
  }
}

async function readPage(session: Session, handle: Buffer, signal: AbortSignal) {
  type Page = { filename: string; attrs: unknown }[]
  try {
    // ssh2 says false, and its types nothing, at the end.
    return await session.call<Page | false | undefined>(signal, (sftp, answer) =>
      sftp.readdir(handle, answer),
    )
  } catch (error) {
    if (statusOf(error) === status.endOfFile) return false
    throw error
  }
}
