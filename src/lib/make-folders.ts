import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/**
 * Makes the folder and what is missing above it, unless it is there. Returns the outermost that was made. One by one:
 * Node's recursive mkdir never ends where a folder that is there takes no others, as /proc does.
 */
export async function makeFolders(path: string, mode?: number): Promise<string | undefined> {
  const missing: string[] = []
  for (let above = resolve(path); !(await isFolder(above)); above = dirname(above)) missing.unshift(above)
  let outermost: string | undefined
  for (const folder of missing) {
    try {
      await mkdir(folder, { mode })
      outermost ??= folder
    } catch (error) {
      if (!(await isFolder(folder))) throw error // else somebody else has made it meanwhile
    }
  }
  return outermost
}

/** False also for what cannot be seen: whoever makes it learns why. */
async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => path === dirname(path),
  )
}
