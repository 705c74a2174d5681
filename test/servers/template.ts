import { chown, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cacheFolder } from './cache.ts'
import { run } from './process.ts'
import { serverUser } from './server-user.ts'

/**
 * Puts an empty server's data directory at the path: a copy of one that is made once on this machine, which takes
 * seconds. `name` says all that it depends on; `make` makes it at the path that it is given, in a folder where the
 * servers' user may write.
 */
export async function copyTemplate(
  name: string,
  path: string,
  make: (path: string, folder: string) => Promise<void>,
): Promise<void> {
  const template = join(cacheFolder, 'templates', name, 'data')
  if (!(await isThere(template))) await makeTemplate(dirname(template), make)
  // Sparse files stay so, and where the file system can, nothing is copied at all.
  await run({ file: 'cp', args: ['-a', '--reflink=auto', template, path], folder: dirname(path) })
}

/** Several may try at once: the first to have one wins, and nobody sees half of one. */
async function makeTemplate(
  folder: string,
  make: (path: string, folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const draft = await mkdtemp(`${folder}.`)
  try {
    if (serverUser.drops) await chown(draft, serverUser.uid, serverUser.gid)
    await make(join(draft, 'data'), draft)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!(await isThere(join(folder, 'data')))) throw error
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
