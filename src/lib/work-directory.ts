import type { StatsFs } from 'node:fs'
import { lstat, mkdtemp, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AppError, messageOf } from '../shared/errors.ts'
import { isOver, ownToken } from './identity.ts'
import { makeFolders } from './make-folders.ts'

const PREFIX = 'holdfast-work-'

/** A directory of one job alone, mode 0700, which disappears with everything in it when the job is over. */
export interface WorkDirectory extends AsyncDisposable {
  readonly path: string
}

/**
 * Makes a work directory below `HOLDFAST_WORK_DIR`, or the system's temporary directory, and first removes those
 * that killed processes of this machine left there.
 */
export async function createWorkDirectory(
  base = process.env['HOLDFAST_WORK_DIR'] ?? tmpdir(),
): Promise<WorkDirectory> {
  await makeFolders(base)
  await sweepWorkDirectories(base)
  const path = await mkdtemp(join(base, `${PREFIX}${ownToken()}.`))
  return { path, [Symbol.asyncDispose]: () => remove(path) }
}

/** Throws `disk_too_small` unless the file system below the path has room for so many bytes. */
export async function checkRoom(path: string, bytes: number, purpose: string): Promise<void> {
  const { bavail, bsize } = await fileSystemOf(path)
  const free = bavail * bsize
  if (free >= bytes) return
  throw new AppError(
    'disk_too_small',
    `${purpose} needs ${mebibytes(bytes)} in ${path}, where ${mebibytes(free)} are free.`,
    { hint: 'Free some space, or name a larger directory with HOLDFAST_WORK_DIR.' },
  )
}

/** Of the nearest folder that is there: the others are still to be made. */
async function fileSystemOf(path: string): Promise<StatsFs> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      return await statfs(folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder === dirname(folder)) throw error
    }
  }
}

/** Only what is ours: in a shared folder, others can put what they like. */
async function sweepWorkDirectories(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const [token] = name.slice(PREFIX.length).split('.')
    if (!name.startsWith(PREFIX) || !token || isOver(token) !== true) continue
    const path = join(base, name)
    await removing(path, async () => {
      const stats = await lstat(path)
      if (stats.isDirectory() && stats.uid === process.getuid?.()) await remove(path)
    })
  }
}

/**
 * Removes it like disposing of it does, but only warns if that cannot be done: of one in which somebody else's program has
 * worked, which may have left what we cannot delete.
 */
export async function removeIfPossible({ path }: WorkDirectory): Promise<void> {
  await removing(path, () => remove(path))
}

async function removing(path: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    process.emitWarning(`${path} could not be removed: ${messageOf(error)}`, 'HoldfastWorkDirectoryWarning')
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 })
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MiB`
}
