import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { realPathOf } from '../../lib/real-path.ts'
import { AppError } from '../../shared/errors.ts'

/**
 * Throws `invalid_input` if the file would lie in the directory, also by way of symbolic links; but for what really lies in
 * the folder of this name in it.
 */
export async function refuseInside(path: string, directory: string, exempt?: string): Promise<void> {
  const below = relative(await realPathOf(directory), await realPathOf(path))
  if (exempt !== undefined && below.startsWith(`${exempt}/`)) return
  if (below === '' || !(below === '..' || below.startsWith('../'))) {
    throw new AppError('invalid_input', `${path} is in Holdfast's own data directory ${directory}.`, {
      hint: 'Choose a file elsewhere: a restore must never overwrite what Holdfast itself needs.',
    })
  }
}

/** Throws `invalid_input` if both are one file, also by way of links. */
export async function refuseSame(path: string, own: string): Promise<void> {
  const [one, other] = await Promise.all([identify(path), identify(own)])
  if (one !== other && (await realPathOf(path)) !== (await realPathOf(own))) return
  throw new AppError('invalid_input', `${path} is the file in which Holdfast keeps what it knows.`, {
    hint: 'Restore under another name. Holdfast’s own database comes back from an app backup, while it is stopped.',
  })
}

/** Device and inode; the path of what does not exist. */
async function identify(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path)
    return `${dev}:${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return path
  }
}
