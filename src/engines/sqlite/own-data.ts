import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { AppError } from '../../shared/errors.ts'

/** Throws `invalid_input` if the file would lie in the directory, also by way of symbolic links. */
export async function refuseInside(path: string, directory: string): Promise<void> {
  const below = relative(await resolveLinks(directory), await resolveLinks(path))
  if (below === '' || !(below === '..' || below.startsWith('../'))) {
    throw new AppError('invalid_input', `${path} is in Holdfast's own data directory ${directory}.`, {
      hint: 'Choose a file elsewhere: a restore must never overwrite what Holdfast itself needs.',
    })
  }
}

/** The real path of what exists of it; the rest as it is written. */
async function resolveLinks(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    return join(await resolveLinks(dirname(path)), basename(path))
  }
}
